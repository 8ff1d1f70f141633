import argparse
import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnntheory import images
from workflow import configuration
from workflow.configuration import (
    dataset_files,
    flags,
    reads,
    replicas,
    request,
    section,
    stand_in,
    studies,
    tables_of,
)

names = st.from_regex(r"[a-z]{1,5}(_[a-z]{1,4})?", fullmatch=True)
counts = st.one_of(st.integers(0, 10**9), st.floats(0, allow_nan=False))
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"])).filter(
    lambda text: not text.startswith("-")
)
values = st.one_of(
    counts, st.lists(st.one_of(counts, texts), max_size=4), st.dictionaries(texts, counts)
)


@given(st.dictionaries(names, values, min_size=1, max_size=5))
def test_values_survive_the_command_line(options):
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in options:
        parser.add_argument(f"--{name.replace('_', '-')}", type=json.loads, dest=name)
    assert vars(parser.parse_args(shlex.split(flags(**options)))) == options


@given(texts)
def test_words_survive_the_command_line_without_quotes_of_their_own(text):
    assert shlex.split(flags(teacher=text)) == [f"--teacher={text}"]


def test_values_that_are_none_are_left_out():
    assert flags(base_sigma=None, trials=2) == "--trials=2"
    assert flags(base_sigma=None) == flags() == ""


def test_flags_read_as_documented():
    assert flags(trials=20, patch_sigmas=[0.1, 1]) == "--trials=20 '--patch-sigmas=[0.1, 1]'"


paths = st.from_regex(r"[a-z /'$]{1,9}[.]npy", fullmatch=True)


@given(st.dictionaries(names, st.one_of(paths, st.lists(paths, min_size=1)), min_size=1))
def test_files_survive_the_command_line(files):
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in files:
        parser.add_argument(f"--{name.replace('_', '-')}", nargs="+", dest=name)
    listed = {name: [part] if isinstance(part, str) else part for name, part in files.items()}
    assert vars(parser.parse_args(shlex.split(reads(files)))) == listed


def test_files_read_as_documented():
    assert reads({"inputs": "a.npy", "train_curves": ["b", "c d"]}) == (
        "--inputs a.npy --train-curves b 'c d'"
    )
    assert reads({}) == ""


SECTIONS = {
    "du2018": {
        "stream": {"runs": 400},
        "recover": {"common": {"steps": 9, "samples": 5}, "grid": {"samples": 7}, "local": {}},
        "train": {"narrow": {"widths": [4]}},
    }
}


@pytest.mark.parametrize(
    ("step", "case", "expected"),
    [
        ("stream", None, {"runs": 400}),
        ("recover", "grid", {"steps": 9, "samples": 7}),
        ("recover", "local", {"steps": 9, "samples": 5}),
        ("train", "narrow", {"widths": [4]}),
        ("without", None, {}),
    ],
)
def test_a_case_changes_what_all_cases_have_in_common(step, case, expected):
    before = json.dumps(SECTIONS)
    found = section(SECTIONS, "du2018", step, case)
    assert found == expected
    found["seed"] = 1
    assert json.dumps(SECTIONS) == before


def test_a_study_reads_parts_of_tables_and_tables_of_seconds():
    assert tables_of({"tables": ["closeness"]}) == ["closeness"]
    sign = {"tables": ["starts", {"curves": ["curves_a", "curves_b"]}], "timings": ["seconds"]}
    assert tables_of(sign) == ["starts", "curves_a", "curves_b", "seconds"]


def test_studies_are_found_by_paper_and_name(tmp_path, monkeypatch):
    for paper, study in [("b", "two"), ("a", "one"), ("b", "three")]:
        path = tmp_path / f"workflow/studies/{paper}/{study}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"question: {study}?")
    (tmp_path / "workflow/studies/verdicts.yaml").write_text("question: none")
    monkeypatch.setattr(configuration, "ROOT", tmp_path)
    found = studies()
    assert found == {
        "a": {"one": {"question": "one?"}},
        "b": {"three": {"question": "three?"}, "two": {"question": "two?"}},
    }
    assert [list(found), list(found["b"])] == [["a", "b"], ["three", "two"]]


def test_every_study_of_the_project_names_its_tables():
    for paper, signs in studies().items():
        for study, sign in signs.items():
            assert tables_of(sign), f"{paper}/{study}"


@pytest.mark.parametrize("dataset", ["auto", "mnist"])
def test_named_data_sets_have_no_files_of_their_own(dataset):
    assert dataset_files(dataset) == []


def test_own_data_is_its_file_or_the_files_of_its_folder(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).write_text("")
    assert dataset_files(str(tmp_path / "a")) == [str(tmp_path / "a")]
    both = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert dataset_files(str(tmp_path)) == both


def test_own_data_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"config: dataset: .*nowhere does not exist; give auto"):
        dataset_files(str(tmp_path / "nowhere"))


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A folder with files named as those of MNIST, an empty one, and no MNIST anywhere else."""
    monkeypatch.delenv("MNIST_DIR", raising=False)
    monkeypatch.setenv("CNNTHEORY_CACHE", str(tmp_path / "cache"))
    full, empty = tmp_path / "full", tmp_path / "empty"
    full.mkdir(), empty.mkdir()
    for name, _ in images.FILES.values():
        (full / name).write_bytes(b"")
    return full, empty


def config(path=None, cache=None):
    text = {key: value and str(value) for key, value in (("path", path), ("cache", cache))}
    return {"dataset": "auto", "mnist": text}


def test_a_first_run_asks_where_mnist_would_be_found(folders, tmp_path, monkeypatch):
    full, empty = folders
    nothing = tmp_path / "source.json"
    assert request(config(), nothing) == "mirror"
    assert request(config(cache=full), nothing) == "cache"
    assert request(config(path=full, cache=full), nothing) == "mnist.path"
    monkeypatch.setenv("MNIST_DIR", str(full))
    assert request(config(cache=full), nothing) == "MNIST_DIR"
    # A folder that is given is asked for even if it lacks the files: fetching then says so.
    assert request(config(path=empty), nothing) == "mnist.path"


def test_images_are_kept_wherever_mnist_lies_later(folders, tmp_path):
    full, _ = folders
    source = tmp_path / "source.json"
    source.write_text(json.dumps({"data": "MNIST", "request": "MNIST_DIR"}))
    for cache in (None, full):
        assert request(config(cache=cache), source) == "MNIST_DIR"
    assert not stand_in(source)


def test_the_part_is_given_up_once_mnist_is_at_hand(folders, tmp_path):
    full, empty = folders
    source = tmp_path / "source.json"
    source.write_text(json.dumps({"data": images.SMALL, "request": "mirror"}))
    assert stand_in(source)
    assert request(config(cache=empty), source) == "mirror"
    assert request(config(cache=full), source) == "cache"


@pytest.fixture
def replication(folders, monkeypatch):
    """``replication(folder, dataset)``: further data sets of a run whose cache is a folder."""
    monkeypatch.delenv("FASHION_MNIST_DIR", raising=False)

    def asked(cache, dataset="auto", results="nowhere"):
        monkeypatch.delenv("CNNTHEORY_REPLICAS", raising=False)
        nowhere = {"path": None, "cache": str(cache), "mirrors": ["http://127.0.0.1:9/"]}
        words = {"dataset": dataset, "replicate": ["fashion-mnist"], "fashion_mnist": nowhere}
        return replicas(words, results)

    return asked


def test_a_second_data_set_counts_where_it_is_at_hand(replication, folders, capsys):
    full, empty = folders
    assert replication(full) == ["fashion-mnist"]
    assert replication(full, "fashion-mnist") == []
    assert capsys.readouterr().err == ""
    # What an earlier run left is enough.
    source = empty / "results/fashion-mnist/data/source.json"
    source.parent.mkdir(parents=True)
    source.touch()
    assert replication(empty, results=empty / "results") == ["fashion-mnist"]
    assert replication(empty) == []
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Fashion-MNIST: not at hand") and "FASHION_MNIST_DIR" in line


def test_the_processes_of_a_run_see_the_same_data_sets(replication, folders, monkeypatch):
    replication(folders[0])
    # A process that is started inherits what was found and looks no more.
    asked = {"replicate": ["fashion-mnist"], "dataset": "auto", "fashion_mnist": None}
    assert replicas(asked, "nowhere") == ["fashion-mnist"]
    monkeypatch.delenv("CNNTHEORY_REPLICAS")


def test_no_run_has_no_stand_in(tmp_path):
    assert not stand_in(tmp_path / "source.json")
