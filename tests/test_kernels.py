"""No verdict may turn under other BLAS kernels: the comparison, and a reduced run of it."""

import json
import os
import subprocess
import sys

import pytest

from workflow import kernels


def row(**changes):
    """A verdict row, of the columns that are compared."""
    keys = {"paper": "du2018", "study": "fig1", "id": "1", "data": "synthetic"}
    numbers = {"measured": 2.0, "ci_low": 1.0, "ci_high": 3.0, "verdict": "holds"}
    return keys | numbers | changes


def test_a_verdict_that_turns_is_named():
    base = [row(), row(id="2")]
    table = kernels.compare(base, [row(), row(id="2", verdict="fails", measured=3.5)])
    assert table.changed.tolist() == [False, True]
    text = kernels.report(table, "oldest")
    assert text.startswith("oldest: 2 verdicts, 1 changed")
    assert "fails" in text and "1 of them out of their interval" in text


def test_numbers_are_compared_relatively_and_with_their_interval():
    base = [row(), row(id="2", ci_low=None, ci_high=None), row(id="3", measured=0.0, ci_low=-1.0)]
    other = [row(measured=2.2), row(id="2", measured=2.0, ci_low=None, ci_high=None), row(id="3")]
    table = kernels.compare(base, other)
    assert table.relative.round(12).tolist() == [0.1, 0.0, 1.0]
    assert table.inside.tolist() == [True, None, True]
    assert not table.changed.any()


def test_a_verdict_that_only_one_run_has_is_a_change():
    assert kernels.compare([row()], [row(), row(id="2")]).changed.tolist() == [False, True]


def test_nothing_measured_in_both_runs_is_no_change():
    table = kernels.compare([row(measured=None)], [row(measured=None)])
    assert not table.changed.any()


def test_kernels_that_cannot_be_run_or_are_the_own_are_left_out(monkeypatch):
    known = {None: "Zen", "SkylakeX": None, "Haswell": "Zen", "Sandybridge": "Sandybridge"}

    def architecture(OPENBLAS_CORETYPE=None):
        return known[OPENBLAS_CORETYPE]

    monkeypatch.setattr(kernels, "architecture", architecture)
    assert list(kernels.combinations()) == ["oldest", "Sandybridge"]


def test_what_is_no_study_is_refused():
    with pytest.raises(SystemExit, match="du2018/fig9: expected a paper or a study"):
        kernels.targets(["du2018/fig9"], "results")


def test_verdicts_of_the_quick_run_stay_under_the_oldest_kernels(quick, known):
    # 40 000 steps of descent; the convex solver has a test of its own, under every kernel.
    wanted = ["du2018/rate"]
    code = (
        "from workflow import kernels; kernels.ROOT = kernels.Path.cwd();"
        "kernels.combinations = lambda: {'oldest': kernels.OLDEST}; kernels.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *wanted, "--cores", "2", "--configfile", "config/quick.yaml"],
        cwd=quick.tree,
        env=os.environ | {key: str(value) for key, value in known.items()} | {"PYTHONPATH": "."},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 changed" in done.stdout
    rows = json.loads((quick.results / "du2018/verdicts/rate.json").read_text())
    again = quick.results / "kernels/oldest/du2018/verdicts/rate.json"
    assert len(json.loads(again.read_text())) == len(rows)


def test_a_run_that_fails_ends_this_one_with_its_exit(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(kernels, "ROOT", tmp_path)  # with no Snakefile
    with pytest.raises(SystemExit) as ended:
        kernels.snakemake(["du2018/rate"], "results", "1")
    assert ended.value.code == 1
    assert "Snakefile" in capfd.readouterr().err
