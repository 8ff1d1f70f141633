"""From measured numbers to verdicts, and the claims as they are written down."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import yaml

from cnntheory.stats import verdict
from workflow.scripts import verdicts
from workflow.scripts.verdicts import Measured, exactly

ROOT = Path(__file__).resolve().parents[1]
CLAIM = {
    "id": "1",
    "kind": "claim",
    "statement": "One is enough",
    "source": "section 1",
    "provenance": "confirmed",
    "criterion": "the number is at least 1",
    "at_least": 1.0,
    "expected": "holds",
    "figure": "fig1",
}


@pytest.fixture
def judge(tmp_path):
    """``judge(measured, **changes)``: the row of one claim, `CLAIM` with changes."""

    def row(got, **changes):
        claim = {key: value for key, value in (CLAIM | changes).items() if value is not None}
        path = tmp_path / "claims.yaml"
        path.write_text(yaml.safe_dump([claim]))
        (row,) = verdicts.judge("du2018", path, {claim["id"]: got}, "standard", "figures/du2018")
        return row

    return row


def paper_claims(paper):
    return yaml.safe_load((ROOT / f"workflow/claims/{paper}.yaml").read_text())


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
        row = judge(Measured(value, value - 0.05, value + 0.05, 9), **band)
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
    assert few["note"] == "Needs at least 10 seeds or runs."
    assert enough["verdict"] == ("holds" if value >= 1 else "fails")
    assert enough["note"] == ""


@pytest.mark.parametrize("data", ["digits (scikit-learn)", "own (letters)"])
@pytest.mark.parametrize("value", [0.5, 1.5])
def test_claims_about_mnist_are_not_decided_by_other_images(judge, data, value):
    row = judge(exactly(value, seeds=20, data=data), about="images")
    assert (row["verdict"], row["data"]) == ("inconclusive", data)
    assert row["note"] == f"Claim about MNIST, measured on {data}."
    assert judge(exactly(value, data="MNIST"), about="images")["verdict"] != "inconclusive"


def test_what_was_not_measured_is_inconclusive_and_null(judge):
    for nothing in (math.nan, np.float64("nan"), np.float32("nan")):
        row = judge(exactly(nothing, seeds=20))
        assert (row["verdict"], row["measured"]) == ("inconclusive", None)
        json.dumps(row, allow_nan=False)


def test_a_deterministic_check_has_no_interval(judge):
    assert [judge(exactly(2.0))[key] for key in ("ci_low", "ci_high")] == [None, None]
    interval = judge(Measured(2.0, 1.5, 2.5, seeds=20))
    assert [interval[key] for key in ("ci_low", "ci_high")] == [1.5, 2.5]


def test_a_control_may_show_another_number_than_it_is_judged_by(judge):
    row = judge(Measured(0.1, 0.0, 0.2, 400, shown=(0.57, "1/2 (slope)")), kind="control")
    assert (row["measured"], row["bound"], row["verdict"]) == (0.57, "1/2 (slope)", "fails")
    assert (row["ci_low"], row["ci_high"]) == (0.0, 0.2)


def test_notes_of_claim_judge_and_verdict_are_joined(judge):
    got = exactly(2.0, seeds=3, note="Two\n of them.")
    row = judge(got, note="As recalled. ", least_seeds=4)
    assert row["note"] == "As recalled. Two of them. Needs at least 4 seeds or runs."


def test_a_row_has_the_columns_in_order_and_repeats_the_claim(judge):
    row = judge(exactly(np.float64(2.0), seeds=np.int64(20)))
    assert tuple(row) == verdicts.COLUMNS
    assert row["paper"] == "du2018" and row["scale"] == "standard"
    assert row["figure"] == "figures/du2018/fig1.svg"
    for key in ("id", "kind", "statement", "source", "provenance", "criterion", "expected"):
        assert row[key] == CLAIM[key]
    assert json.loads(json.dumps(row)) == row


@pytest.mark.parametrize(
    ("ids", "found", "named"),
    [
        (["1", "2"], ["1"], "'2'"),
        (["1"], ["1", "3"], "'3'"),
        (["1", "1"], ["1"], "an id given twice"),
    ],
)
def test_claims_and_measurements_must_match(tmp_path, ids, found, named):
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump([CLAIM | {"id": name} for name in ids]))
    with pytest.raises(ValueError, match=f"du2018: .* do not match: .*{named}"):
        verdicts.judge("du2018", path, {name: exactly(1.0) for name in found}, "quick", "figures")


def test_written_verdicts_are_read_back(tmp_path, judge):
    rows = [judge(exactly(2.0, note="γ > 6 L"))]
    verdicts.write(rows, tmp_path / "claims.json")
    assert json.loads((tmp_path / "claims.json").read_text()) == rows


# The claims as they are written down


def test_claims_are_complete_and_unambiguous(config):
    kinds = {
        "kind": {"claim", "control"},
        "provenance": {"confirmed", "derived", "reconstructed"},
        "expected": {"holds", "fails", "inconclusive"},
    }
    required = {"id", "statement", "source", "criterion", "figure", *kinds}
    optional = {"at_least", "at_most", "least_seeds", "about", "note"}
    for paper in config["papers"]:
        ids = [claim["id"] for claim in paper_claims(paper)]
        assert len(set(ids)) == len(ids)
        for claim in paper_claims(paper):
            assert required <= set(claim) <= required | optional, claim["id"]
            assert all(claim[key] in words for key, words in kinds.items()), claim["id"]
            assert isinstance(claim["id"], str), claim["id"]
            low, high = claim.get("at_least", -math.inf), claim.get("at_most", math.inf)
            assert -math.inf < low <= high or low <= high < math.inf, claim["id"]
            assert claim.get("about", "images") == "images", claim["id"]


def test_controls_are_named_as_such_and_expected_to_fail(config):
    for paper in config["papers"]:
        for claim in paper_claims(paper):
            named = claim["id"][-1] in "xyz" and "-" not in claim["id"]
            # The specification of zhong2017 numbers its controls N1, N2, ..; beside one may stand
            # the claim that it is compared with.
            if named or not claim["id"].startswith("N"):
                assert (claim["kind"] == "control") == named, claim["id"]
            if claim["kind"] == "control":
                assert claim["expected"] == "fails", claim["id"]


def test_every_claim_names_a_figure_that_is_drawn(config):
    for paper in config["papers"]:
        for claim in paper_claims(paper):
            assert (ROOT / f"figures/{paper}/{claim['figure']}.py").is_file(), claim["id"]
