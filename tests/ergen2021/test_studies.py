"""What the studies of this paper compute beside their verdicts."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workflow.studies import study
from workflow.studies.ergen2021 import arrangements, common, regularisers

SIGNS = Path(study.__file__).parent / "ergen2021"


def claims(name):
    return study.read_sign(SIGNS / f"{name}.yaml").by_id()


def ends(gaps, **columns):
    """End points with p* = 2 and the relative excess given, a row a restart."""
    frames = [
        pd.DataFrame({"objective": 2 * (1 + row), "program": 2.0, "seed": seed, "restart": [0, 1]})
        for seed, row in enumerate(np.array(gaps))
    ]
    return pd.concat(frames, ignore_index=True).assign(**columns)


def test_the_best_restart_counts():
    gaps = common.best(ends([[0.5, 1e-5], [1e-3, 0.2]]), ["seed"])
    np.testing.assert_allclose(gaps.excess, [1e-5, 1e-3])
    found = common.share(claims("equivalence")["1b-linear"], gaps, 2)
    assert found.value == 0.5 and found.low < 0.5 < found.high and found.seeds == 2


def test_what_is_lost_is_measured_on_the_same_instance():
    table = pd.DataFrame(
        {
            "pooling": ["max"] * 2 + ["average"] * 2,
            "study": ["all", "no ordering", "all", "no cones"],
            "beta": 0.1,
            "seed": 0,
            "program": [4.0, 3.0, 2.0, 0.5],
            "objective": [4.0, 6.0, 2.0, 0.25],
        }
    )
    found = common.drops(table).set_index("study")
    assert found["drop"].to_dict() == {"no ordering": 0.25, "no cones": 0.75}
    assert found.miss.to_dict() == {"no ordering": 1.0, "no cones": 0.5}


def test_growth_is_the_exponent_between_the_two_largest_sizes():
    rows = np.array([5, 11, 101, 201])
    table = pd.DataFrame({"study": "general", "patches": 1, "patch_size": 3, "rows": rows})
    table["cells"] = (rows - 1.0) ** 2
    table.loc[0, "cells"] = 999  # small sizes do not count
    found = arrangements.growth(claims("arrangements")["6b"], table)
    assert found[1, 3] == pytest.approx(2, rel=1e-12)


def test_the_table_of_regularisers_counts_as_claim_1b_does():
    judged = claims("equivalence")["1b-linear"]
    assert judged.success.replace("@within", "1e-4") == regularisers.REACHED
    assert judged.given == {"within": 1e-4}


def test_the_table_of_regularisers_shows_the_worst_of_every_architecture():
    at = {"architecture": "linear", "beta_fraction": 0.1}
    convex = ends([[0.0, 2e-9], [-3e-9, 0.0]], **at).assign(dual_bound=1.9)
    trained = ends([[0.5, 0.9e-4], [0.3, 1.1e-4]], **at)
    others = ends([[0.5, -1e-7]], **at | {"beta_fraction": 0.03})
    (row,) = regularisers.tested(convex, others, trained).values()
    assert row["dual gap"] == pytest.approx(0.05, rel=1e-6)
    assert row["network"] == pytest.approx(3e-9, rel=1e-6)
    assert row["reached"] == "50%"
    assert row["below"] == pytest.approx(-1e-7, rel=1e-6)
