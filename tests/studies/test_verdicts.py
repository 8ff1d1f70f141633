"""From measured numbers to verdicts, and the claims as they are written down."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cnntheory.stats import verdict
from workflow.configuration import studies
from workflow.studies import study, verdicts
from workflow.studies.verdicts import Measured, exactly

ROOT = Path(__file__).resolve().parents[2]
CLAIM = {
    "id": "1",
    "kind": "claim",
    "statement": "One is enough",
    "source": "section 1",
    "provenance": "confirmed",
    "criterion": "the number is at least 1",
    "at_least": 1.0,
    "expected": "holds",
}
SIGN = {"question": "Is it?", "plain": "It is.", "caption": "As it is.", "tables": ["table"]}


def claim(**changes):
    """`CLAIM` with changes; a key that is None is left out."""
    return study.Claim(**{k: v for k, v in (CLAIM | changes).items() if v is not None})


@pytest.fixture
def judge():
    """``judge(measured, **changes)``: the row of one claim, `CLAIM` with changes."""

    def row(got, **changes):
        claims, findings = {"1": claim(**changes)}, {"1": got}
        (row,) = verdicts.rows("du2018", "fig1", claims, findings, "standard", "f/fig1.svg")
        return row

    return row


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1.1, 1.3, "holds"),
        (1.0, 1.3, "holds"),
        (0.9, 1.3, "inconclusive"),
        (0.7, 0.9, "fails"),
        (1.2, 1.2, "holds"),
        (0.9, 0.9, "fails"),
    ],
)
def test_the_interval_decides(judge, low, high, expected):
    row = judge(Measured((low + high) / 2, low, high, seeds=20))
    assert row["verdict"] == expected
    assert row["measured"] == (low + high) / 2


def test_a_band_is_judged_on_both_sides(judge):
    band = {"at_least": 0.4, "at_most": 0.6}
    for value, expected in [(0.3, "fails"), (0.5, "holds"), (0.7, "fails")]:
        row = judge(Measured(value, value - 0.05, value + 0.05, 10), **band)
        assert (row["verdict"], row["bound"]) == (expected, "in [0.4, 0.6]")
    assert judge(exactly(0.5), at_least=None, at_most=0.6)["bound"] == "<= 0.6"
    assert judge(exactly(0.5))["bound"] == ">= 1"


def test_an_inconclusive_verdict_says_how_many_seeds_would_decide(judge):
    row = judge(Measured(1.1, 0.9, 1.3, seeds=10))
    assert (row["verdict"], row["note"]) == ("inconclusive", "About 40 seeds would decide.")
    reach = 0.2 * math.sqrt(10 / 40)
    assert verdict(1.1 - reach, 1.1 + reach, at_least=1 - 1e-12) == "holds"
    assert judge(Measured(1.0, 0.9, 1.1, seeds=10))["note"] == "On the edge."


@pytest.mark.parametrize("value", [0.5, 1.5])
def test_too_few_seeds_decide_nothing(judge, value):
    few = judge(exactly(value, seeds=9), least_seeds=10)
    enough = judge(exactly(value, seeds=10), least_seeds=10)
    assert few["verdict"] == "inconclusive"
    assert few["note"] == "Needs at least 10 independent draws."
    assert enough["verdict"] == ("holds" if value >= 1 else "fails")
    assert enough["note"] == ""


@pytest.mark.parametrize("data", ["synthetic", "own (letters)"])
@pytest.mark.parametrize("value", [0.5, 1.5])
def test_claims_about_mnist_are_not_decided_by_other_images(judge, data, value):
    row = judge(exactly(value, seeds=20, data=data), about="images")
    assert (row["verdict"], row["data"]) == ("inconclusive", data)
    assert row["note"] == f"Claim about MNIST; measured on {data}."
    assert judge(exactly(value, data="MNIST"), about="images")["verdict"] != "inconclusive"


@pytest.mark.parametrize("data", ["MNIST", "MNIST (5 000)", "Fashion-MNIST"])
def test_a_part_of_mnist_decides_what_needs_no_more(judge, data):
    got = exactly(1.5, seeds=20, data=data)
    assert judge(got, about="images")["verdict"] == "holds"
    assert judge(got, about="images", least_images=4500)["verdict"] == "holds"
    many = judge(got, about="images", least_images=20000)
    assert many["verdict"] == ("inconclusive" if "5 000" in data else "holds")
    assert many["note"] == (
        f"Claim about MNIST, 20000 images; measured on {data}." if "5 000" in data else ""
    )


@pytest.mark.parametrize("seeds", [1, 9, 10])
@pytest.mark.parametrize("kind", ["claim", "control", "identity"])
def test_fewer_than_ten_independent_draws_decide_nothing(judge, seeds, kind):
    row = judge(exactly(1.5, seeds=seeds), kind=kind)
    few = seeds < 10 and kind != "identity"
    assert row["verdict"] == ("inconclusive" if few else "holds")


def test_a_claim_is_judged_again_on_a_further_data_set_with_its_own_expectation():
    claims = {"1": claim(replica="fails"), "2": claim(id="2")}
    findings = {
        "1": exactly(2.0, seeds=20, data="MNIST"),
        "2": exactly(2.0),
        "cells": {"a": 1},
        "Fashion-MNIST": {"1": exactly(0.5, seeds=20, data="Fashion-MNIST"), "slope": 3.0},
    }
    rows = verdicts.rows("du2018", "fig1", claims, findings, "standard", "f.svg")
    told = [(row["id"], row["data"], row["verdict"], row["expected"]) for row in rows]
    assert told == [
        ("1", "MNIST", "holds", "holds"),
        ("2", "synthetic", "holds", "holds"),
        ("1", "Fashion-MNIST", "fails", "fails"),
    ]


def test_a_judge_is_asked_again_about_what_is_replicated():
    asked = []

    def judge(tables, claims, rng):
        asked.append((tables, sorted(claims)))
        return {name: exactly(2.0) for name in claims}

    claims = [CLAIM | {"replica": "holds"}, CLAIM | {"id": "2"}]
    sign = study.Sign(**SIGN, replicate=["table"], claims=claims)
    found = study.examine(sign, judge, {"table": 1}, None, {"Fashion-MNIST": {"table": 2}})
    assert asked == [({"table": 1}, ["1", "2"]), ({"table": 2}, ["1"])]
    assert set(found["Fashion-MNIST"]) == {"1"}


def test_what_was_not_measured_is_inconclusive_and_null(judge):
    for nothing in (math.nan, np.float64("nan"), np.float32("nan")):
        row = judge(exactly(nothing, seeds=20))
        assert (row["verdict"], row["measured"]) == ("inconclusive", None)
        json.dumps(row, allow_nan=False)


def test_a_deterministic_check_has_no_interval(judge):
    assert [judge(exactly(2.0))[key] for key in ("ci_low", "ci_high")] == [None, None]
    interval = judge(Measured(2.0, 1.5, 2.5, seeds=20))
    assert [interval[key] for key in ("ci_low", "ci_high")] == [1.5, 2.5]


def test_notes_of_claim_judge_and_verdict_are_joined(judge):
    got = exactly(2.0, seeds=3, note="Two\n of them.")
    row = judge(got, note="As recalled. ", least_seeds=4)
    assert row["note"] == "As recalled. Two of them. Needs at least 10 independent draws."


def test_a_row_has_the_columns_in_order_and_repeats_the_claim(judge):
    row = judge(exactly(np.float64(2.0), seeds=np.int64(20)), amended="2026-11-21: the band.")
    assert tuple(row) == verdicts.COLUMNS
    assert (row["paper"], row["study"], row["scale"]) == ("du2018", "fig1", "standard")
    assert (row["figure"], row["amended"]) == ("f/fig1.svg", "2026-11-21: the band.")
    for key in ("id", "kind", "statement", "source", "provenance", "criterion", "expected"):
        assert row[key] == CLAIM[key]
    assert json.loads(json.dumps(row)) == row


def test_a_claim_that_was_not_measured_is_named():
    claims = {"1": claim(), "2": claim(id="2")}
    findings = {"1": exactly(1.0), "2": 3.0, "slope": exactly(2.0)}
    with pytest.raises(ValueError, match=r"du2018/fig1: nothing was measured for .*'2'"):
        verdicts.rows("du2018", "fig1", claims, findings, "quick", "f")


def test_numbers_are_printed_with_their_interval():
    assert (
        Measured(-0.525, -0.57, -0.48).text()
        == "\N{MINUS SIGN}0.53 [\N{MINUS SIGN}0.57, \N{MINUS SIGN}0.48]"
    )
    assert exactly(1.234).text(1) == "1.2"
    assert Measured(-0.001, -0.004, 0.2).text() == "0.00 [0.00, 0.20]"


# Room signs


def sign(tmp_path, claims=(), **changes):
    path = tmp_path / "fig1.yaml"
    path.write_text(yaml.safe_dump(SIGN | changes | {"claims": list(claims)}))
    return study.read_sign(path)


def test_a_sign_is_read(tmp_path):
    read = sign(tmp_path, [CLAIM], timings=["seconds"])
    assert read.by_id() == {"1": claim()} and read.timings == ["seconds"]


@pytest.mark.parametrize(
    ("claims", "changes", "said"),
    [
        ([], {"captoin": "x"}, "captoin: Extra inputs"),
        ([CLAIM | {"atleast": 1}], {}, "claims.0.atleast: Extra inputs"),
        ([{k: v for k, v in CLAIM.items() if k != "at_least"}], {}, "expected at_least, at_most"),
        ([CLAIM | {"at_most": 0.5}], {}, "at_least 1.0 is above at_most 0.5"),
        ([CLAIM | {"kind": "guess"}], {}, "claims.0.kind"),
        ([CLAIM, CLAIM], {}, "id is given twice"),
    ],
)
def test_a_wrong_sign_is_refused_by_its_key(tmp_path, claims, changes, said):
    with pytest.raises(ValueError, match=f"fig1.yaml: .*{said}"):
        sign(tmp_path, claims, **changes)


def test_rows_and_successes_are_those_that_the_claim_names():
    table = pd.DataFrame({"width": [64, 128, 256], "error": [0.5, 0.01, 0.2]})
    chosen = claim(where="width >= 128", success="error <= 0.1")
    assert chosen.rows(table).width.tolist() == [128, 256]
    assert chosen.succeeded(chosen.rows(table)).tolist() == [True, False]
    assert claim().rows(table).equals(table)


def test_several_tables_under_one_name_are_put_together(tmp_path):
    for name, values in (("a", [1, 2]), ("b", [3]), ("c", [4])):
        pd.DataFrame({"x": values}).to_parquet(tmp_path / f"{name}.parquet")
    tables = study.read_tables([{"both": ["a", "b"]}, "c"], tmp_path)
    assert list(tables) == ["both", "c"] and tables["both"].x.tolist() == [1, 2, 3]


# The claims as they are written down


@pytest.fixture(scope="module")
def signs():
    """(paper, study) to room sign."""
    return {
        (paper, name): study.read_sign(ROOT / f"workflow/studies/{paper}/{name}.yaml")
        for paper, found in studies().items()
        for name in found
    }


def test_an_id_stands_once_in_a_paper(signs):
    found = [(paper, claim.id) for (paper, _), sign in signs.items() for claim in sign.claims]
    assert len(found) > 200
    assert len(set(found)) == len(found)


def test_a_statement_is_understood_by_itself(signs):
    """In the forests and the table of all verdicts it stands apart from its neighbours."""
    for (paper, name), sign in signs.items():
        for claim in sign.claims:
            first = claim.statement.split()[0]
            assert first not in ("So", "Nor", "It", "That", "They", "Both"), (paper, name, claim.id)


def test_controls_are_named_as_such_and_expected_to_fail(signs):
    for sign in signs.values():
        for claim in sign.claims:
            named = claim.id.split("-")[0][-1] in "xyz"
            # The specification of zhong2017 numbers its controls N1, N2, ..; beside one may stand
            # the claim that it is compared with.
            if (named or not claim.id.startswith("N")) and claim.kind != "identity":
                assert (claim.kind == "control") == named, claim.id
            if claim.kind == "control":
                assert claim.expected == "fails", claim.id


def test_every_sign_has_its_study_and_every_study_its_sign(signs):
    for paper, name in signs:
        source = (ROOT / f"workflow/studies/{paper}/{name}.py").read_text()
        assert "def draw(" in source or "import draw" in source, name
        assert ("def judge(" in source or "import judge" in source) or not signs[paper, name].claims
    running = {
        (path.parent.name, path.stem)
        for path in (ROOT / "workflow/studies").glob("*/*.py")
        if "study.main(" in path.read_text()
    }
    assert running == set(signs)


def test_seconds_are_drawn_and_never_judged(signs):
    for (paper, name), sign in signs.items():
        judged = [str(table) for table in sign.tables]
        assert not [table for table in judged if "timing" in table], (paper, name)
