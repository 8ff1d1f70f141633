"""`snakemake verify`: the verdicts beside what is expected."""

import json
import runpy
import sys
from pathlib import Path

import pytest

from workflow.scripts.ledger.verify import compare
from workflow.studies import verdicts

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def claims(tmp_path):
    """``claims(**changes)`` writes two claims of a standard run, the second changed."""

    def write(folder="results", **changes):
        good = dict.fromkeys(verdicts.COLUMNS, "") | {
            "id": "1",
            "paper": "du2018",
            "measured": 0.12345,
            "bound": "<= 1",
            "scale": "standard",
            "data": "synthetic",
            "verdict": "holds",
            "expected": "holds",
        }
        path = tmp_path / folder / "du2018/verdicts/closeness.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps([good, good | {"id": "1x", **changes}]))
        return path

    return write


def status(monkeypatch, *paths):
    """Exit status of the script."""
    monkeypatch.setattr(sys, "argv", ["verify.py", *map(str, paths)])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / "workflow/scripts/ledger/verify.py"), run_name="__main__")
    return int(stop.value.code)


def row(text, name):
    """The words of the line of a claim."""
    lines = (line.split() for line in text.splitlines() if line.startswith("du2018 "))
    return next(words for words in lines if words[1] == name)


def test_verdicts_as_expected_pass(claims, monkeypatch):
    path = claims(verdict="fails", expected="fails")
    text, good = compare([path])
    assert good
    assert row(text, "1") == ["du2018", "1", "holds", "holds", "0.123", "<=", "1", "synthetic"]
    assert row(text, "1x")[2:4] == ["fails", "fails"]
    assert text.endswith(
        "2 verdicts: 1 holds, 1 fails, 0 inconclusive. 0 differ from what is expected, 0 more are "
        "not decided here."
    )
    assert status(monkeypatch, path) == 0


@pytest.mark.parametrize("verdict", ["fails", "inconclusive"])
def test_a_verdict_that_differs_at_standard_scale_does_not_pass(claims, monkeypatch, verdict):
    path = claims(verdict=verdict)
    text, good = compare([path])
    assert not good
    assert row(text, "1x")[-1] == "DIFFERS" and row(text, "1")[-1] == "synthetic"
    assert " 1 differ from what is expected, 0 more are not decided here." in text
    assert f"1 {verdict}" in text.splitlines()[-1]
    assert status(monkeypatch, path) == 1


@pytest.mark.parametrize("scale", ["quick", "full"])
def test_another_scale_decides_nothing(claims, scale):
    text, good = compare([claims(verdict="fails", scale=scale)])
    assert good
    assert " ".join(row(text, "1x")[-3:]) == "not decided here"
    assert "DIFFERS" not in text


@pytest.mark.parametrize("data", ["MNIST (5 000)", "own (letters)", "MNIST", "Fashion-MNIST"])
def test_what_lacks_images_is_no_difference(claims, data):
    text, good = compare([claims(verdict="inconclusive", data=data)])
    lacking = data in ("MNIST (5 000)", "own (letters)")
    assert good == lacking
    counts = "2 verdicts: 1 holds, 0 fails, 1 inconclusive. "
    told = "0 differ from what is expected, 1 more" if lacking else "1 differ from what is expected"
    assert text.splitlines()[-1].startswith(counts + told)
    assert row(text, "1x")[-1] == ("here" if lacking else "DIFFERS")
    assert not compare([claims(folder="more", verdict="fails", data=data)])[1]


def test_what_was_not_measured_is_left_empty(claims):
    text, _ = compare([claims(measured=None, verdict="inconclusive")])
    assert row(text, "1x")[2:6] == ["inconclusive", "holds", "<=", "1"]


@pytest.mark.parametrize(
    ("folder", "option"),
    [
        ("results", ""),
        ("results/quick", " --configfile config/quick.yaml"),
        ("results/full", " --configfile config/full.yaml"),
    ],
)
def test_missing_claims_come_with_the_command_that_makes_them(
    monkeypatch, tmp_path, folder, option
):
    monkeypatch.chdir(tmp_path)
    paths = [f"{folder}/zhong2017/verdicts/{study}.json" for study in ("rho", "a", "b", "c", "d")]
    text, good = compare(paths)
    assert not good
    command = f"snakemake --cores all zhong2017{option}"
    where = f"{folder}/zhong2017/verdicts: rho, a, b and 2 more missing"
    assert text == f"{where}; make it with: {command}"
    assert status(monkeypatch, *paths) == 1


def test_claims_at_hand_are_shown_when_those_of_another_paper_are_missing(claims, tmp_path):
    text, good = compare([claims(), tmp_path / "zhong2017/verdicts/rho.json"])
    assert not good
    assert row(text, "1x") and "zhong2017/verdicts: rho missing" in text


def test_the_quick_run_is_shown_and_passes(quick, snakemake):
    done = snakemake(quick.tree, "verify")
    assert done.returncode == 0, done.stdout
    for claim in json.loads((quick.results / "du2018/verdicts/closeness.json").read_text()):
        assert row(done.stdout, claim["id"])[2:4] == [claim["verdict"], claim["expected"]]


def test_without_results_verify_fails_and_says_what_to_do(fresh, snakemake):
    done = snakemake(fresh, "verify", scale=None)
    assert done.returncode == 1
    command = "snakemake --cores all du2018"
    assert "results/du2018/verdicts: basin, " in done.stdout
    assert f"missing; make it with: {command}" in done.stdout
