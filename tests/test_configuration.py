import argparse
import copy
import json
import math
import os
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnntheory import images
from workflow import configuration
from workflow.configuration import (
    check,
    dataset_files,
    examination,
    examined,
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


def test_own_data_is_its_file_or_the_files_of_its_folder_that_are_read(tmp_path):
    names = ("train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte", "notes {1}\n.txt")
    for name in names:
        (tmp_path / name).write_text("")
    (tmp_path / "folder").mkdir()
    assert dataset_files(str(tmp_path / names[0])) == [str(tmp_path / names[0])]
    both = [str(tmp_path / name) for name in (names[1], names[0])]
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


def test_own_images_come_from_the_key_that_names_them(folders, tmp_path):
    source = tmp_path / "source.json"
    for dataset in (str(folders[0]), "~/mine.npy"):
        source.unlink(missing_ok=True)
        assert request(config(), source, dataset) == "dataset"
        source.write_text(json.dumps({"data": "own (mine.npy)", "request": "mirror"}))
        assert request(config(), source, dataset) == "dataset"


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


# What a configuration may say


def with_value(tree, path, value):
    """A copy of a configuration with one value put in, and the mappings that lead to it."""
    tree = inside = copy.deepcopy(tree)
    for key in path[:-1]:
        inside[key] = inside.get(key) or {}
        inside = inside[key]
    inside[path[-1]] = value
    return tree


def put(tree, new):
    """A configuration with ``new(value)`` for all its numbers, and the names of their keys."""

    def replaced(value, name):
        if isinstance(value, dict):
            parts = ((key, f"{name}.{key}" if name else key) for key in value)
            return {key: replaced(value[key], there) for key, there in parts}
        if isinstance(value, list):
            return [replaced(part, f"{name}[{k}]") for k, part in enumerate(value)]
        if isinstance(value, bool | str | None) or new(value) is value:
            return value
        names.add(name)
        return new(value)

    names = set()
    return replaced(tree, ""), names


def refusal(config):
    """The lines with which a configuration is refused."""
    with pytest.raises(SystemExit) as stop:
        check(config)
    lines = stop.value.code.splitlines()
    assert 1 <= len(lines) <= 3
    assert all(line.startswith("config: ") and len(line) < 300 for line in lines)
    return [line.removeprefix("config: ") for line in lines]


@pytest.mark.parametrize(
    ("new", "found"),
    [
        (lambda value: math.nan, ".nan"),
        (lambda value: -math.inf, "-.inf"),
        (lambda value: 1e308, "1e+308"),
        (lambda value: 10**30, str(10**30)),
        (lambda value: float(value) if isinstance(value, int) else value, ".0"),
    ],
)
def test_every_number_is_finite_of_bounded_size_and_whole_where_it_counts(config, new, found):
    # Numbers that need not be whole: ones that the configuration gives as whole numbers.
    floats = {"step", "steps[", "scale", "scales[", "distances[", "kappas[", "sigmas[", "weight"}
    floats |= {"per_entry["}
    wrong, names = put(config, new)
    assert len(names) > 300
    lines = configuration._forbidden(wrong)
    refused = {line.split(": ")[0] for line in lines}
    if found == ".0":
        names = {name for name in names if name in refused or not any(w in name for w in floats)}
    # Where a list holds what it has to, that is missing too.
    assert refused >= names
    assert all(found in line for line in lines if line.split(": ")[0] in names)
    assert refusal(wrong)[-1].startswith("and ")


def test_infinity_is_refused_unless_a_key_documents_it(config):
    wrong, names = put(config, lambda value: math.inf)
    refused = {line.split(": ")[0] for line in configuration._forbidden(wrong)}
    documented = {name.split("[")[0] for name in names - refused}
    assert {name.rpartition(".")[2] for name in documented} == {
        "sigmas",
        "base_sigma",
        "patch_sigma",
    }
    table = Path(configuration.ROOT, "config/README.md").read_text()
    for name in documented:
        _, step, *_, key = name.split(".")
        (row,) = (line for line in table.splitlines() if line.startswith(f"| `{step}` |"))
        (told,) = (part for part in row.split("; ") if f"`{key}`: " in part)
        assert ".inf" in told, name


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("seed", math.nan, "seed: expected an integer, at least 0, at most"),
        ("du2018.stream.trails", 3, "du2018.stream.trails: unknown; did you mean trials?"),
        ("du2019", {}, "du2019: unknown; did you mean du2018?"),
        (
            "du2018.compare_schedules.distances",
            [0.9, 0.8],
            "du2018.compare_schedules.distances: expected a list, of length at least 2, with 0.5 "
            "among them, each a number, above 0, below 1, found [0.9, 0.8]",
        ),
        ("du2018.stream", None, "du2018.stream: expected a section, found null"),
        ("du2018.stream", {}, "du2018.stream.base_sigma: missing"),
        ("zhong2017", [1], "zhong2017: expected a section, found [1]"),
        ("scale", "tiny", "scale: expected one of 'standard', 'quick', 'full', found 'tiny'"),
        ("device", "gpu", "device: expected cpu, cuda, cuda:0 or mps, found 'gpu'"),
        ("mnist.mirrors", ["ftp://a/"], "mnist.mirrors[0]: expected an address, https:// or"),
        (
            "du2018.compare_smoothness.sigmas",
            [0.3, 1.0, math.nan],
            "du2018.compare_smoothness.sigmas[2]: expected a number, above 0, at most 1000000000 "
            "or .inf, found .nan",
        ),
    ],
)
def test_a_refusal_names_key_value_and_what_is_allowed(config, key, value, said):
    assert refusal(with_value(config, key.split("."), value))[0].startswith(said)


@pytest.mark.parametrize("key", ["dataset", "mnist.path", "fashion_mnist.path", "mnist.cache"])
@pytest.mark.parametrize("path", ["a\0b", "a\nb", "{a}", "~nobody-of-this-name/x", "a" * 5000])
def test_paths_that_no_rule_can_take_are_refused_with_their_key(config, key, path):
    (line,) = refusal(with_value(config, key.split("."), path))
    assert line.startswith(f"{key}: expected ") and repr(path)[:8] in line


def test_addresses_are_one_line_without_braces(config):
    for address in ("https://{a}/", "https://a/\n"):
        (line,) = refusal(with_value(config, ["mnist", "mirrors"], ["https://a/", address]))
        assert line.startswith("mnist.mirrors[1]: expected one line without braces, found 'https:")


@pytest.mark.parametrize("key", ["results", "figures"])
@pytest.mark.parametrize(
    "folder",
    [
        *("/", "/etc/mine", "/usr/local/mine", "/tmp", "~/mine", ".", "..", "src", "workflow/mine"),
        *("config", "tests/mine", "docs", "results/../src", ".git", ".snakemake/x", "README.md"),
        *("results/q$(touch x)", "a;b", "a&b", "a|b", "a>b", "a*b", "a'b", 'a"b', "`a`", "a\\b"),
        *("", " a", "-a", "results/-a", "mine/", "./mine", "a//b", "<figures>/x", "{a}", "a\nb"),
        *(5, None, ["results"]),
    ],
)
def test_results_go_into_folders_of_their_own(config, key, folder):
    (line,) = refusal(with_value(config, ["pathvars", key], folder))
    assert line.startswith(f"pathvars.{key}: expected ")


def test_folders_may_lie_anywhere_else(config, tmp_path, monkeypatch):
    check(config)
    for folder in ("results/mine", "results/a b", "mine/é_1", "../mine", f"{tmp_path}/mine"):
        check(with_value(config, ["pathvars"], {"results": folder, "figures": f"{folder}/f"}))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert (
        "it holds other things"
        in refusal(with_value(config, ["pathvars", "results"], str(tmp_path)))[0]
    )


def test_a_link_into_the_project_is_the_project(config, tmp_path):
    (tmp_path / "link").symlink_to(configuration.ROOT / "src")
    (line,) = refusal(with_value(config, ["pathvars", "results"], f"{tmp_path}/link"))
    assert line.endswith("it holds the project itself")


def test_every_folder_of_the_project_is_known_as_its_own():
    found = {entry.name for entry in os.scandir(configuration.ROOT) if entry.is_dir()}
    outputs = {"figures", "results"}
    ours = {name for name in found if name[0] != "." and not name.endswith(".egg-info")}
    assert ours - outputs <= configuration.OURS


@pytest.mark.parametrize("scale", ["quick", "full"])
def test_another_scale_needs_folders_of_its_own(config, scale):
    lines = refusal(config | {"scale": scale})
    assert lines[0].startswith(f"pathvars.results: expected a folder of its own for scale {scale}")
    assert f"such as results/{scale}/figures, found 'figures'" in lines[1]
    folders = {"results": f"results/{scale}"}
    (line,) = refusal(config | {"scale": scale, "pathvars": folders})
    assert line.startswith("pathvars.figures: ")
    check(config | {"scale": scale, "pathvars": folders | {"figures": "mine"}})


def test_what_is_nested_too_deep_or_too_large_is_refused(config):
    deep = {}
    for _ in range(5000):
        deep = {"a": deep}
    round_ = []
    round_.append(round_)
    laughs = [1] * 10
    for _ in range(6):
        laughs = [laughs] * 10
    for value in (deep, round_, laughs):
        (line,) = refusal(with_value(config, ["du2018", "stream"], value))
        assert line.startswith("du2018.stream")
        assert "expected at most 100000 values, nested 12 deep" in line


@pytest.mark.parametrize("key", [1, None, True, math.nan])
def test_keys_are_names(config, key):
    assert "expected a name, found " in refusal(with_value(config, ["du2018", key], 1))[0]


def test_a_key_that_breaks_lines_does_not_break_the_message(config):
    assert "du2018.'a\\nb': unknown" in refusal(with_value(config, ["du2018", "a\nb"], 1))[0]


def test_an_own_network_is_examined_with_the_files_that_are_named(tmp_path):
    for name in ("my model.pt", "x.npy", "y.npy"):
        (tmp_path / name).touch()
    asked = {
        "model": str(tmp_path / "my model.pt"),
        "images": str(tmp_path / "x.npy"),
        "labels": str(tmp_path / "y.npy"),
        "before": None,
        "classes": [3, 8],
        "weight_decay": 0.1,
    }
    files, command = examination({"seed": 7, "examine": asked})
    assert files == sorted(str(path) for path in tmp_path.iterdir())
    words = shlex.split(command)
    assert words[:4] == [str(tmp_path / "my model.pt"), "--classes", "3", "8"]
    assert {"--seed=7", "--weight-decay=0.1", f"--labels={tmp_path / 'y.npy'}"} <= set(words)
    assert len(words) == 8


@pytest.mark.parametrize("asked", [{}, {"model": "a.pt"}, {"images": "b", "model": None}])
def test_without_a_network_nothing_is_examined(asked):
    found = examination({"seed": 7, "examine": asked})
    assert found == ([], None)
    with pytest.raises(ValueError, match="name a model and images"):
        examined(found)


def test_a_network_that_is_not_there_is_named():
    with pytest.raises(SystemExit, match=r"config: examine\.model: nowhere\.pt does not exist"):
        examination({"seed": 7, "examine": {"model": "nowhere.pt", "images": "nowhere"}})
