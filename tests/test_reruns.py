"""What makes Snakemake run a rule again: damaged or lost tables, and versions of packages."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workflow import closure, integrity
from workflow.closure import versions
from workflow.scripts import step

ROOT = Path(__file__).resolve().parents[1]
NOTHING = "Nothing to be done (all requested files are present and up to date)."
TABLE = "results/quick/du2018/closeness.parquet"
FIGURE = "results/quick/figures/du2018/closeness.svg"
VERDICTS = "results/quick/du2018/verdicts/closeness.json"


# Damage


@pytest.fixture
def results(tmp_path, monkeypatch):
    """One whole file of each kind."""
    monkeypatch.setattr(sys, "argv", [str(ROOT / "workflow/scripts/du2018/check_rate.py")])
    step.write(pd.DataFrame({"seed": [0, 1]}), tmp_path / "t.parquet", {})
    step.write(pd.DataFrame({"seed": []}), tmp_path / "empty.parquet", {})
    step.write(np.empty((0, 28, 28), np.uint8), tmp_path / "a.npy", {})
    (tmp_path / "source.json").write_text('{\n "data": "MNIST"\n}\n')
    (tmp_path / "none.json").write_text("[]\n")
    return sorted(tmp_path.iterdir())


def test_whole_files_stay(results, capsys):
    before = [path.read_bytes() for path in results]
    integrity.remove_damaged([*results, results[0].with_name("absent.parquet")])
    assert [path.read_bytes() for path in results] == before
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "damage", [lambda whole: b"", lambda whole: bytes(len(whole)), lambda whole: b"oops" + whole]
)
def test_damaged_files_go_and_are_named(results, capsys, damage):
    for path in results:
        path.write_bytes(damage(path.read_bytes()))
    integrity.remove_damaged(results)
    assert not any(path.exists() for path in results)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"{path} was damaged: removed, to be made again" for path in results]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_tables_and_verdicts_that_are_cut_short_are_damaged(results, share):
    for path in results:
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        # The end of an array says nothing: its reader does.
        assert integrity.damaged(path) or path.suffix == ".npy"


def test_what_cannot_be_looked_at_stays(tmp_path):
    (tmp_path / "t.parquet").mkdir()
    integrity.remove_damaged([tmp_path / "t.parquet"])
    assert (tmp_path / "t.parquet").is_dir()


# Versions


def forget():
    """Let a changed file be read again."""
    for cached in (closure._modules, closure._direct, closure.pinned):
        cached.cache_clear()


def test_versions_are_those_of_what_a_script_imports(tmp_path, monkeypatch):
    (tmp_path / "envs").mkdir()
    for name, extra in (("compute", "  - pytorch-cpu =2.1\n"), ("studies", "  - seaborn =0.1\n")):
        text = "dependencies:\n  - python >=3.11\n  - numpy =1.2\n  - scipy =1.9\n" + extra
        (tmp_path / f"envs/{name}.yaml").write_text(text)
    (tmp_path / "src/cnntheory").mkdir(parents=True)
    (tmp_path / "src/cnntheory/__init__.py").touch()
    (tmp_path / "src/cnntheory/a.py").write_text("def f():\n    import torch.nn\n")
    (tmp_path / "one.py").write_text("import numpy.linalg as la, json\n")
    (tmp_path / "two.py").write_text("from cnntheory import a\n")
    (tmp_path / "three.py").write_text("import seaborn\n")
    monkeypatch.setattr(closure, "ROOT", tmp_path)
    forget()
    try:
        assert versions("one.py") == "numpy =1.2"
        assert versions("two.py") == "pytorch-cpu =2.1"
        assert versions("two.py", "studies") == ""
        # It draws by means of others.
        assert versions("three.py", "studies") == "scipy =1.9, seaborn =0.1"
    finally:
        forget()


def test_every_step_and_study_depends_on_the_versions_it_computes_with():
    for floor, environment in (("scripts", "compute"), ("studies", "studies")):
        for path in (ROOT / "workflow" / floor).glob("*2*/*.py"):
            found = versions(path.relative_to(ROOT), environment)
            imported = set(re.findall(r"^ *(?:import|from) (\w+)", path.read_text(), re.M))
            for module in imported & set(closure.NUMERICAL):
                assert f"{closure.NUMERICAL[module][0]} =" in found, path
    assert "pytorch-cpu =" in versions("workflow/scripts/allenzhu2019/train_gd.py")
    assert "pytorch-cpu =" not in versions("workflow/scripts/du2018/check_closeness.py")


def test_packages_named_as_numerical_are_pinned():
    named = {package for packages in closure.NUMERICAL.values() for package in packages}
    assert named == named & {*closure.pinned("compute"), *closure.pinned("studies")}


# Snakemake


@pytest.fixture(scope="module")
def made(copy, snakemake):
    """A copy in which one study has been made."""
    tree = copy("reruns")
    done = snakemake(tree, "--cores", 1, FIGURE)
    assert done.returncode == 0, done.stdout
    return tree


@pytest.fixture
def planned(made, snakemake):
    """``planned(*targets)``: what a dry run would do: rule to number of jobs, and all it says."""

    def plan(*targets):
        done = snakemake(made, "--dry-run", *targets)
        assert done.returncode == 0, done.stdout
        if NOTHING in done.stdout:
            return {}, done.stdout
        return dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.M)), done.stdout

    return plan


def test_a_damaged_table_is_made_again_and_costs_no_figure(made, snakemake, planned):
    whole = (made / TABLE).read_bytes()
    results = [*(made / FIGURE).parent.iterdir(), made / VERDICTS]
    before = [path.read_bytes() for path in results]
    (made / TABLE).write_bytes(b"PAR1 and then")
    mine = made / "results/quick/du2018/mine.parquet"
    mine.write_bytes(b"a table of the user's")
    jobs, said = planned("du2018")
    assert f"{TABLE} was damaged: removed, to be made again" in said
    assert {"check_closeness", "study"} <= set(jobs)
    assert mine.read_bytes() == b"a table of the user's"
    mine.unlink()
    # The figure needs no table as long as it is what it was.
    assert planned(FIGURE)[0] == {} and [path.read_bytes() for path in results] == before
    done = snakemake(made, "--cores", 1, TABLE, FIGURE)
    assert done.returncode == 0, done.stdout
    assert (made / TABLE).read_bytes() == whole
    assert [path.read_bytes() for path in results] == before


def test_without_the_check_the_message_says_what_to_do(made):
    """A study by hand: Snakemake is not there to remove anything."""
    whole = (made / TABLE).read_bytes()
    (made / TABLE).write_bytes(b"")
    words = [made / VERDICTS, made / FIGURE, "--tables", made / "results/quick/du2018"]
    script = "workflow/studies/du2018/closeness.py"
    done = subprocess.run(
        [sys.executable, script, *words, "--seed", "1"],
        cwd=made,
        env={"PYTHONPATH": "src:."},
        capture_output=True,
        text=True,
    )
    (made / TABLE).write_bytes(whole)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith(f"error: {made / TABLE} is unreadable (")
    assert line.endswith("; delete it and run again")


@pytest.mark.parametrize(
    ("environment", "package", "expected"),
    [
        ("compute", "numpy", {"check_closeness", "study"}),
        ("compute", "pytorch-cpu", set()),
        ("studies", "matplotlib", {"study"}),
        ("studies", "tqdm", set()),
    ],
)
def test_an_upgrade_makes_again_what_it_can_change(made, planned, environment, package, expected):
    path = made / f"envs/{environment}.yaml"
    text = path.read_text()
    changed = re.sub(rf"(- {package} =).+", r"\g<1>99.1", text)
    assert changed != text
    try:
        path.write_text(changed)
        jobs, said = planned(FIGURE)
    finally:
        path.write_text(text)
    assert set(jobs) - {"total"} == expected
    assert ("Params have changed since last execution" in said) == bool(expected)


def test_a_changed_option_makes_again_what_was_asked_otherwise(made, planned):
    path = made / "config/quick.yaml"
    text = path.read_text()
    changed = text.replace("check_closeness: {trials: 2", "check_closeness: {trials: 3")
    assert changed != text
    try:
        path.write_text(changed)
        jobs, said = planned(FIGURE)
    finally:
        path.write_text(text)
    assert {"check_closeness", "study"} <= set(jobs)
    assert "Params have changed since last execution" in said
    assert planned(FIGURE)[0] == {}
