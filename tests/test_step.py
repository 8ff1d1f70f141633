import errno
import importlib
import json
import re
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import Field
from threadpoolctl import threadpool_info, threadpool_limits

from workflow import closure
from workflow.scripts import step
from workflow.scripts.du2018 import start_at_random
from workflow.scripts.step import Count, Positive, Share, Spread

ROOT = Path(__file__).parents[1]
SCRIPT = "workflow/scripts/du2018/start_at_random.py"
SCRIPTS = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "workflow/scripts").glob("*/*.py")
    if path.parent.name != "ledger"
)

numbers = st.integers(0, 2**31)
words = st.tuples(numbers, st.text(max_size=8), st.text(max_size=8), numbers)


@pytest.fixture(autouse=True)
def as_a_step(monkeypatch):
    """Run as a step is run by hand: its file in ``sys.argv``, from any folder."""
    monkeypatch.setattr(sys, "argv", [str(ROOT / SCRIPT)])
    monkeypatch.delenv("CNNTHEORY_TRACEBACK", raising=False)


def frame(**columns):
    return pd.DataFrame(dict(seed=[0, 1], filter_error=[0.25, np.inf]) | columns)


# --- seeds ---------------------------------------------------------------------------------------


@settings(deadline=None)
@given(words)
def test_draws_of_a_trial_are_the_same_for_all_methods_of_its_group(names):
    first, second = step.generator(*names), step.generator(*names)
    np.testing.assert_array_equal(first.random(5), second.random(5))


@settings(deadline=None)
@given(words, words)
def test_draws_change_with_seed_step_group_and_trial(first, second):
    for position in range(4):
        other = list(first)
        other[position] = second[position]
        assume(other[position] != first[position])
        drawn = [step.generator(*names).random(3) for names in (first, other)]
        assert (drawn[0] != drawn[1]).all()


def test_a_step_draws_from_its_own_stream_unless_another_is_named():
    rng = step.streams(7, "train")
    assert rng("order", 2).random() == step.generator(7, "train", "order", 2).random()
    shared = rng("order", 2, stream="both").random()
    assert shared == step.generator(7, "both", "order", 2).random()


def test_neighbouring_trials_and_seeds_are_uncorrelated():
    n = 20_000
    of = [
        (7, "train", "order", 0),
        (7, "train", "order", 1),
        (8, "train", "order", 0),
        (7, "train", "starts", 0),
        (7, "draw", "order", 0),
    ]
    correlation = np.corrcoef([step.generator(*names).standard_normal(n) for names in of])
    assert np.abs(correlation - np.eye(len(of))).max() < 4.5 / np.sqrt(n)


# --- tables --------------------------------------------------------------------------------------


def test_tables_come_back_as_they_were_written(tmp_path):
    written = frame(law=["Gaussian", "mixture"], iteration=[3, 4])
    step.write_table(written, tmp_path / "new" / "t.parquet", {}, data="MNIST")
    pd.testing.assert_frame_equal(
        step.read_table(tmp_path / "new" / "t.parquet"),
        written.assign(data="MNIST"),
        check_dtype=False,
    )


def test_tables_say_what_determines_them_and_nothing_else(tmp_path):
    path = tmp_path / "t.parquet"
    step.write_table(frame(), path, {"seed": 3, "sigmas": [0.1, np.inf]})
    metadata = pq.read_schema(path).metadata
    assert set(metadata) == {b"cnntheory"}
    made = json.loads(metadata[b"cnntheory"])
    assert made == {
        "step": SCRIPT,
        "code": step.code_hash(SCRIPT),
        "parameters": {"seed": 3, "sigmas": [0.1, np.inf]},
    }


def test_equal_tables_are_equal_bytes_wherever_they_lie(tmp_path):
    paths = [tmp_path / "a.parquet", tmp_path / "elsewhere" / "b.parquet"]
    for path in paths:
        step.write_table(frame(), path, {"seed": 3})
    step.write_table(frame(), tmp_path / "c.parquet", {"seed": 4})
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].read_bytes() != (tmp_path / "c.parquet").read_bytes()


def test_a_table_that_names_its_data_keeps_the_name(tmp_path):
    step.write_table(frame(data="synthetic"), tmp_path / "t.parquet", {}, data="MNIST")
    assert set(step.read_table(tmp_path / "t.parquet")["data"]) == {"synthetic"}


def test_several_tables_are_read_as_one_and_arrays_are_mapped(tmp_path):
    for name, seed in (("a", [0, 1]), ("b", [2, 3])):
        step.write(frame(seed=seed), tmp_path / f"{name}.parquet", {})
    step.write(np.arange(3), tmp_path / "c.npy", {})
    both = step.load([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    assert both.seed.tolist() == [0, 1, 2, 3] and both.index.tolist() == [0, 1, 2, 3]
    assert isinstance(step.load([tmp_path / "c.npy"]), np.memmap)


WHOLE = {
    "t.parquet": lambda path: step.write_table(frame(), path, {}),
    "a.npy": lambda path: step.write(np.arange(300), path, {}),
    "source.json": lambda path: path.write_text(json.dumps({"data": "MNIST"})),
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("damage", ["emptied", "cut", "zeroed", "other"])
def test_what_is_unreadable_is_named_with_the_mend(tmp_path, name, damage):
    path = tmp_path / name
    WHOLE[name](path)
    whole = path.read_bytes()
    step.load([path])
    damaged = {
        "emptied": b"",
        "cut": whole[: len(whole) // 2],
        "zeroed": bytes(len(whole)),
        "other": b"PAR1 and so on PAR1",
    }
    path.write_bytes(damaged[damage])
    mend = r"is unreadable \(.+\); delete it and run again$"
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))} {mend}") as error:
        step.load([path])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_not_there_or_too_large_is_not_called_unreadable(tmp_path, monkeypatch, name):
    with pytest.raises(FileNotFoundError):
        step.load([tmp_path / name])

    def large(*_, **__):
        raise MemoryError

    for where, reader in [(step.pq, "read_table"), (np, "load"), (json, "loads")]:
        monkeypatch.setattr(where, reader, large)
    (tmp_path / name).touch()
    with pytest.raises(MemoryError):
        step.load([tmp_path / name])


def test_columns_that_nobody_described_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"columns.yaml does not describe the column guess, wild"):
        step.write_table(frame(wild=1, guess=2), tmp_path / "t.parquet", {})
    assert not list(tmp_path.iterdir())


def test_columns_are_described_in_words_and_in_order():
    described = yaml.safe_load(step.COLUMNS.read_text())
    assert all(isinstance(text, str) and text for text in described.values())
    assert list(described) == sorted(described)


@pytest.mark.parametrize("before", [None, b"the last good table"])
def test_a_full_disk_leaves_what_was_there_and_no_partial_file(tmp_path, monkeypatch, before):
    path = tmp_path / "t.parquet"
    if before:
        path.write_bytes(before)

    def write_some(table, part, **options):
        Path(part).write_bytes(b"PAR1 and then")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(step.pq, "write_table", write_some)
    with pytest.raises(OSError, match=r"cannot write .*t.parquet: No space left on device; free"):
        step.write_table(frame(), path, {})
    assert [p.read_bytes() for p in tmp_path.iterdir()] == ([before] if before else [])


def test_two_writers_of_one_table_do_not_meet(tmp_path):
    path = tmp_path / "new" / "t.npy"
    with step.replacing(path) as first, step.replacing(path) as second:
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"
    assert [p.name for p in path.parent.iterdir()] == ["t.npy"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_no_failure_leaves_a_partial_file(tmp_path, error):
    path = tmp_path / "t.npy"
    with pytest.raises(error), step.replacing(path) as part:
        part.write_text("half")
        raise error
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_folders_place_is_named(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(OSError, match=r"cannot write .*results/t.parquet"):
        step.write_table(frame(), tmp_path / "results" / "t.parquet", {})
    assert [p.name for p in tmp_path.iterdir()] == ["results"]


def test_a_replaced_file_appears_only_when_it_is_complete(tmp_path):
    path = tmp_path / "new" / "t.txt"
    with step.replacing(path) as part:
        part.write_text("whole")
        assert not path.exists()
        assert part.parent == path.parent
    assert [p.name for p in path.parent.iterdir()] == ["t.txt"]
    assert path.read_text() == "whole"


# --- code ----------------------------------------------------------------------------------------


def forget():
    """Let a changed file be read again."""
    for cached in (closure._modules, closure._direct, closure.pinned):
        cached.cache_clear()


@pytest.fixture
def small_project(tmp_path, monkeypatch):
    """A step that imports one of two library modules."""
    files = {
        "workflow/scripts/a.py": "from cnntheory.used import f\n",
        "src/cnntheory/__init__.py": "",
        "src/cnntheory/used.py": "import scipy\nf = 1\n",
        "src/cnntheory/unused.py": "import numpy\n",
        "envs/compute.yaml": "dependencies:\n- numpy =2.4.6\n- scipy =1.17.1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(closure, "ROOT", tmp_path)
    monkeypatch.setattr(step, "ROOT", tmp_path)
    forget()
    yield tmp_path
    forget()


@pytest.mark.parametrize(
    ("edited", "changes"),
    [
        ("workflow/scripts/a.py", True),
        ("src/cnntheory/used.py", True),
        ("src/cnntheory/__init__.py", True),
        ("src/cnntheory/unused.py", False),
    ],
)
def test_the_code_hash_changes_with_what_the_step_runs(small_project, edited, changes):
    before = step.code_hash("workflow/scripts/a.py")
    with (small_project / edited).open("a") as file:
        file.write("# another comment\n")
    forget()
    assert (step.code_hash("workflow/scripts/a.py") != before) == changes


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("scipy =1.17.1", "scipy =1.18", True),
        ("numpy =2.4.6", "numpy =2.4.7", True),  # scipy computes with it
        ("dependencies:", "dependencies:\n- tqdm =4.70", False),
    ],
)
def test_the_code_hash_changes_with_the_packages_that_compute(
    small_project, before, after, changes
):
    hashed = step.code_hash("workflow/scripts/a.py")
    path = small_project / "envs/compute.yaml"
    path.write_text(path.read_text().replace(before, after))
    forget()
    assert (step.code_hash("workflow/scripts/a.py") != hashed) == changes


# --- command line --------------------------------------------------------------------------------


class Options(step.Options):
    """Options of every kind."""

    base_sigmas: list[Spread] = Field(min_length=1)
    law: Literal["gaussian", "sphere"]
    cells: list[tuple[Count, Count]] = Field([(1, 2)])
    noise: Positive | None = 0.5
    share: Share = 0.5
    name: str = "x"
    device: str = step.from_rule("cpu")


def parse(monkeypatch, *line):
    monkeypatch.setattr(sys, "argv", [SCRIPT, *line])
    return step.parse("What it does.\n\nMore.", Options, ["inputs"], ["table", "curves"])


FILES = ["t.parquet", "c.parquet", "--seed", "3", "--inputs", "a.npy", "b.npy"]
GOOD = [*FILES, "--base-sigmas", "[0.1, Infinity]", "--law", "sphere"]


def test_options_have_their_types_and_defaults(monkeypatch):
    args, options = parse(monkeypatch, *GOOD)
    assert vars(args) == dict(
        table=Path("t.parquet"),
        curves=Path("c.parquet"),
        seed=3,
        inputs=[Path("a.npy"), Path("b.npy")],
        source=None,
    )
    assert options == Options(base_sigmas=[0.1, np.inf], law="sphere")
    _, options = parse(monkeypatch, *GOOD, "--noise=1", "--cells=[[3, 4]]", "--name=7")
    assert (options.noise, options.cells, options.name) == (1.0, [(3, 4)], "7")
    assert parse(monkeypatch, *GOOD, "--noise=null")[1].noise is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (GOOD[:2] + GOOD[4:], "required: --seed"),
        (["t.parquet", *GOOD[2:]], "required: curves"),
        ([*GOOD, "--sed", "1"], "unrecognized arguments: --sed"),
        (GOOD[:-2], "--law: Field required"),
        ([*GOOD, "--law=cauchy"], "--law: Input should be 'gaussian' or 'sphere', found 'cauchy'"),
        ([*GOOD, "--base-sigmas=[1, -1]"], "--base-sigmas 1: Input should be greater than 0"),
        ([*GOOD, "--base-sigmas=[NaN]"], "--base-sigmas 0: Input should be greater than 0"),
        ([*GOOD, "--noise=Infinity"], "--noise: Input should be a finite number"),
        ([*GOOD, "--noise=NaN"], "--noise: Input should be a finite number, found nan"),
        ([*GOOD, "--noise=1e308"], "--noise: Numbers should be of size 1000000000 at most"),
        ([*GOOD, "--base-sigmas=[1e308]"], "--base-sigmas: Numbers should be of size"),
        ([*GOOD, f"--cells=[[3, {10**30}]]"], "--cells: Numbers should be of size 1000000000"),
        ([*GOOD, f"--cells={'[' * 5000}"], "--cells: Input should be a valid array, found '[["),
        ([*GOOD, f"--cells=[[3, {'9' * 5000}]]"], "--cells: Input should be a valid array"),
        ([*GOOD, "--cells=[[2.0, 3]]"], "--cells 0 0: Input should be a valid integer, found 2.0"),
        ([*GOOD, "--share=1"], "--share: Input should be less than 1, found 1"),
        ([*GOOD, "--noise=many"], "--noise: Input should be a valid number, found 'many'"),
    ],
)
def test_wrong_options_are_named(monkeypatch, capsys, line, message):
    with pytest.raises(SystemExit) as stop:
        parse(monkeypatch, *line)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def options_of_steps():
    """``{script: options}`` of every step."""
    modules = (importlib.import_module(".".join(path.with_suffix("").parts)) for path in SCRIPTS)
    return {module.__name__: module.Options for module in modules if hasattr(module, "Options")}


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e308", str(10**30)])
def test_no_step_takes_numbers_that_are_not_finite_or_beyond_bounds(number):
    tried = 0
    for name, options in options_of_steps().items():
        texts = [f for f, field in options.model_fields.items() if step._is_text(field.annotation)]
        names = [name for name in options.model_fields if name not in texts]
        for wrapped in (number, f"[{number}]", f"[[{number}]]") if names else ():
            with pytest.raises(ValueError) as refused:
                step.read_options(options, dict.fromkeys(names, wrapped))
            said = str(refused.value)
            assert all(f"{step.flag(key)}" in said for key in names), (name, said)
            tried += len(names)
    assert tried > 500


def test_help_is_the_docstring(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        parse(monkeypatch, "--help")
    assert "What it does.\n\nMore." in capsys.readouterr().out


def test_every_option_of_every_step_is_described():
    for path in SCRIPTS:
        module = importlib.import_module(".".join(path.with_suffix("").parts))
        if hasattr(module, "Options"):
            assert module.Options.__doc__ and "\n\n" not in module.Options.__doc__, path
            for name, field in module.Options.model_fields.items():
                # Which cases there are says enough.
                assert field.description or name == "case", (path, name)


# --- running -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ValueError, OSError, FileNotFoundError])
def test_what_a_user_can_mend_is_one_sentence(monkeypatch, kind):
    def run():
        raise kind("a.npy: expected 3 axes, found 2")

    with pytest.raises(SystemExit) as stop:
        step.guarded(run)
    assert stop.value.code == "error: a.npy: expected 3 axes, found 2"
    monkeypatch.setenv("CNNTHEORY_TRACEBACK", "1")
    with pytest.raises(kind):
        step.guarded(run)


@pytest.mark.parametrize("kind", [KeyError, TypeError, OverflowError, IndexError])
def test_mistakes_of_ours_keep_their_traceback(kind):
    def run():
        raise kind("column")

    with pytest.raises(kind):
        step.guarded(run)


@pytest.mark.parametrize("take", [lambda: np.zeros(1 << 58), lambda: bytes(1 << 60)])
def test_too_little_memory_is_one_sentence(monkeypatch, take):
    with pytest.raises(SystemExit) as stop:
        step.guarded(take)
    assert stop.value.code.startswith("error: not enough memory (")
    assert stop.value.code.endswith("; ask for less at a time")
    monkeypatch.setenv("CNNTHEORY_TRACEBACK", "1")
    with pytest.raises(MemoryError):
        step.guarded(take)


def test_steps_run_on_one_thread():
    def threads():
        return {pool["num_threads"] for pool in threadpool_info()}

    found = []
    with threadpool_limits(2):
        # Some libraries bring a pool that never has more than one.
        assert 2 in threads()
        step.guarded(lambda: found.append(threads()))
    assert found == [{1}]


def test_progress_in_a_log_is_lines(capsys):
    assert list(step.progress(range(3), label="cells", unit="cell")) == [0, 1, 2]
    text = capsys.readouterr().err
    assert "\r" not in text
    assert text.rstrip().splitlines()[-1].startswith("cells: 100%|") and " cell/s" in text


def test_a_whole_step_repeats_its_bytes_and_another_seed_does_not(tmp_path, monkeypatch):
    def run(name, seed):
        line = f"{tmp_path / name} --seed {seed} --draws 100 --dimensions [2,3] --fractions [0.5]"
        monkeypatch.setattr(sys, "argv", [str(ROOT / SCRIPT), *line.split()])
        step.main(start_at_random.Options, start_at_random.measure)
        return (tmp_path / name).read_bytes()

    assert run("a", 1) == run("b", 1) != run("c", 2)


def test_a_further_cell_changes_no_other(tmp_path, monkeypatch):
    def run(name, dimensions):
        line = f"{tmp_path / name} --seed 1 --draws 100 --dimensions {dimensions} --fractions [1.0]"
        monkeypatch.setattr(sys, "argv", [str(ROOT / SCRIPT), *line.split()])
        step.main(start_at_random.Options, start_at_random.measure)
        return step.read_table(tmp_path / name)

    more = run("more", "[7,2,3]").query("dimension < 7").reset_index(drop=True)
    pd.testing.assert_frame_equal(more, run("few", "[2,3]"))


def test_the_source_of_the_images_is_what_was_stored(tmp_path):
    (tmp_path / "source.json").write_text('{"data": "MNIST", "train": 60000}')
    assert step.source(tmp_path / "source.json") == {"data": "MNIST", "train": 60000}
