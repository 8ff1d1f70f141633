"""The workflow: what runs, when it runs again, and what it leaves behind."""

import ast
import contextlib
import copy as copying
import functools
import importlib
import importlib.metadata
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import jsonschema
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from pydantic import Field
from torch import nn

from cnntheory import images
from cnntheory.together import save_model
from workflow.closure import imports
from workflow.configuration import request, studies, tables_of
from workflow.schemas import make_schema
from workflow.scripts import step
from workflow.scripts.ledger import console
from workflow.studies import verdicts

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
UNQUOTED = ("command", "committed", "files", "options", "replicas", "scale", "seed")
NOTHING = "Nothing to be done (all requested files are present and up to date)."


def files(folder, pattern="*"):
    """Paths below `folder`, relative to it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob(pattern) if path.is_file()}


def python_files():
    """Every step and study, relative to the root."""
    found = [*ROOT.glob("workflow/scripts/**/*.py"), *ROOT.glob("workflow/studies/**/*.py")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def scripts():
    """What rules run, relative to the root: steps and studies."""
    calls = ("step.main(", "study.main(", "step.guarded(run)")
    return {
        path
        for path in python_files()
        # In the modules above the papers' folders the calls stand in docstrings.
        if path.count("/") == 3 and any(call in (ROOT / path).read_text() for call in calls)
    }


# The source


@pytest.mark.parametrize(
    "command",
    [
        "ruff check .",
        "ruff format --check .",
        "snakefmt --check Snakefile workflow",
        "snakemake --lint",
    ],
)
def test_the_source_is_clean(program, command):
    assert f"\t$(BIN)/{command}\n" in (ROOT / "Makefile").read_text()
    done = program(ROOT, *command.split(), RUFF_NO_CACHE="true")
    assert done.returncode == 0, done.stdout


def test_every_rule_says_what_it_does_and_keeps_a_log(rules, declared):
    assert {"fetching", "cutting", "study", "all", 'step["rule"]'} <= set(rules)
    for rule, text in rules.items():
        assert re.search(r"^message:\n    (\"\w|step\[)", text, re.M), rule
        if "\nshell:" in text:
            assert "\nlog:" in text and "\nthreads: 1\n" in text, rule
            assert " code=" in text or '**step["input"]' in text, rule
            shell = text[text.index("\nshell:") :]
            launched = "python workflow/launch.py {params.usage:q} {input.step} "
            assert launched in shell or rule in ("rule_name", "examine"), rule
            # All is quoted but names of files of ours, what is quoted when put together, a scale
            # that the schema enumerates and a number.
            plain = {"{input.step}", *(f"{{params.{word}}}" for word in UNQUOTED)}
            assert set(re.findall(r"{[^}]*}", shell)) - plain <= set(re.findall("{[^}]*:q}", shell))
        assert "\nrun:" not in text, rule
    names = [step.get("as_rule", step["name"]) for step in declared]
    assert {"synthesise_inputs", "tensor_initialise", "train_gd", "train_convex"} <= set(names)
    assert len(set(names)) == len(names)
    assert all(step["message"][0].isupper() for step in declared)


def test_a_rule_writes_what_its_step_names_and_gives_what_it_asks(declared, config):
    for rule in declared:
        module = importlib.import_module(f"workflow.scripts.{rule['paper']}.{rule['name']}")
        source = ast.parse(Path(module.__file__).read_text())
        (call,) = [
            node
            for node in ast.walk(source)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "step.main"
        ]
        named = {word.arg: eval(ast.unparse(word.value), vars(module)) for word in call.keywords}
        assert tuple(rule["output"]) == tuple(named.get("tables", ("table",))), rule["name"]
        asked = inspect.signature(module.measure).parameters
        files = set(asked) - {"options", "rng", "source"}
        assert set(rule.get("input", {})) - {"source"} == files, rule["name"]
        assert rule.get("seeded", True) == ("rng" in asked), rule["name"]
        given = {
            name
            for name, field in module.Options.model_fields.items()
            if (field.json_schema_extra or {}).get("from_rule")
        }
        assert set(rule.get("options", {})) == given, rule["name"]
        wildcards = set(re.findall(r"{(\w+)}", " ".join(rule["output"].values())))
        assert ("case" in wildcards) == ("case" in module.Options.model_fields), rule["name"]


def test_every_step_has_a_rule(declared, config):
    rules = {(rule["paper"], rule["name"]) for rule in declared}
    steps = {(paper, name) for paper in config["papers"] for name in make_schema.steps(paper)}
    assert steps == rules


def test_every_table_is_read_by_a_study_or_a_step(declared):
    made = {
        re.escape(path).replace(re.escape("{"), "{").replace(re.escape("}"), "}")
        for rule in declared
        for path in rule["output"].values()
        if path.endswith(".parquet")
    }
    read = {
        f"<results>/{paper}/{table}.parquet"
        for paper, signs in studies().items()
        for sign in signs.values()
        for table in tables_of(sign)
    }
    patterns = {path: re.sub(r"{\w+}", r"\\w+", path) for path in made}
    for table in read:
        assert any(re.fullmatch(pattern, table) for pattern in patterns.values()), table


def test_each_floor_imports_only_from_below():
    library, steps = {"src/cnntheory"}, {"workflow/scripts", "workflow/closure.py"}
    below = {
        "src/cnntheory": library,
        "workflow/scripts": library | steps,
        "workflow/studies": library
        | {"workflow/scripts/step.py", "workflow/closure.py", "workflow/studies"},
    }
    for floor, allowed in below.items():
        for path in (ROOT / floor).rglob("*.py"):
            for name in imports(path.relative_to(ROOT)):
                assert any(Path(name).is_relative_to(folder) for folder in allowed), (path, name)


# The configuration


def merge(base, changes):
    """Mappings are merged, everything else is replaced: as Snakemake does."""
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value
    return base


def read(path):
    return yaml.safe_load((ROOT / path).read_text())


@functools.cache
def validator():
    schema = read("workflow/schemas/config.schema.yaml")
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def nested(path, value):
    """``{"a": {"b": value}}`` for the path a.b."""
    for key in reversed(path):
        value = {key: value}
    return value


def complaint(config, path, value):
    """What is said about a value put into a configuration: the keys that lead to it, and why."""
    # The section that changes alone: the whole configuration takes ten times as long.
    base = {key: copying.deepcopy(part) for key, part in config.items() if key == path[0]}
    check = validator()
    check = check.evolve(schema={k: v for k, v in check.schema.items() if k != "required"})
    return [
        ".".join([*(str(key) for key in error.absolute_path), error.message])
        for error in check.iter_errors(merge(base, nested(path, value)))
    ]


def leaves(tree, path=()):
    """Path and value of everything in a configuration that is no mapping."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def sections(tree, path=()):
    """Paths of all mappings in a configuration."""
    yield path
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from sections(value, (*path, key))


@pytest.mark.parametrize("scale", ["config", "quick", "full"])
def test_the_configurations_are_valid_and_change_only_what_there_is(config, scale):
    changes = read(f"config/{scale}.yaml")
    validator().validate(merge(copying.deepcopy(config), changes))
    known = {path for path, _ in leaves(config)} | {
        ("pathvars", "results"),
        ("pathvars", "figures"),
    }
    for path, _ in leaves(changes):
        # A case may change what it starts from.
        assert path in known or (*path[:2], "common", *path[3:]) in known, path
    assert changes["scale"] == {"config": "standard"}.get(scale, scale)
    if scale != "config":
        folders = {"results": f"results/{scale}", "figures": f"results/{scale}/figures"}
        assert changes["pathvars"] == folders


def test_unknown_keys_are_refused_by_name(config):
    config = config | {"pathvars": {"results": "results/mine"}}
    checked = list(sections(config))
    assert len(checked) > 20
    for path in checked:
        found = complaint(config, (*path, "mistyped"), 1)
        unknown = "Additional properties are not allowed ('mistyped' was unexpected"
        kinds = (unknown, *(f"'mistyped' {end}" for end in ("does not match any", "is not one of")))
        wanted = tuple(".".join([*path, kind]) for kind in kinds)
        assert any(said.startswith(wanted) for said in found), found


def test_values_of_the_wrong_type_are_refused_with_their_key(config):
    for path, value in leaves(config):
        for wrong in [True] if isinstance(value, str) else ["many", True, {"a": 1}]:
            if value is None and isinstance(wrong, str):
                continue  # a path may be given
            said = complaint(config, path, wrong)
            assert said and all(line.startswith(".".join(path)) for line in said), (path, wrong)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scale", "tiny"),
        ("seed", -1),
        ("seed", 1.5),
        ("papers", []),
        ("papers", ["du2018", "du2018"]),
        ("papers", ["du2019"]),
        ("dataset", ""),
        ("mnist.mirrors", ["ftp://127.0.0.1/"]),
        ("patches.size", 1),
        ("patches.size", 29),
        ("patches.stride", 0),
        ("patches.images", 0),
        ("du2018.check_gradients.samples", 0),
        ("du2018.estimate_smoothness.trials", 1),
        ("du2018.estimate_smoothness.dimensions", [1]),
        ("du2018.descend_from_anywhere.starts", 0),
        ("du2018.check_rate.steps", [0.0]),
        ("du2018.compare_smoothness.sigmas", [0.5, 1.0]),
        ("du2018.compare_smoothness.sigmas", [0.0, 0.5, 1.0]),
        ("du2018.compare_schedules.distances", [0.9, 0.99]),
        ("du2018.compare_schedules.distances", [0.5, 1.0]),
        ("du2018.map_condition.distance", 1.0),
        ("du2018.synthesise_inputs.neuron.sigmas", [-0.1, 1.0]),
        ("du2018.train_synthetic.patches.step", 0),
        ("du2018.check_closeness.phi", 3.2),
        ("du2018.stream.noise", 0),
        ("du2018.stream.trials", 1),
        ("du2018.start_at_random.dimensions", [2, 5]),
        ("du2018.start_at_random.fractions", [1.5]),
        ("du2018.draw_teacher.least_eigenvalue", -0.1),
        ("du2018.train_mnist.batch", 0),
    ],
)
def test_values_out_of_range_are_refused_with_their_key(config, key, value):
    (said,) = complaint(config, key.split("."), value)
    assert said.startswith(key)


def test_a_mistyped_key_stops_the_run_before_it_starts(fresh, snakemake):
    wrong = {"du2018": {"stream": {"trails": 3}}}
    done = snakemake(fresh, "--cores", 1, config=wrong)
    assert done.returncode == 1
    assert "config: du2018.stream.trails: unknown; did you mean trials?\n" in done.stdout
    assert len(done.stdout.splitlines()) <= 5  # Snakemake itself says which files it read
    assert not (fresh / "results/quick").exists()


def test_another_folder_is_sent_to_the_right_one(fresh, program, tmp_path):
    for words in (("-s", fresh / "Snakefile"), ("--directory", tmp_path)):
        folder = tmp_path if words[0] == "-s" else fresh
        done = program(folder, "snakemake", *words, "-n", "du2018")
        assert done.returncode == 1
        assert f"cnntheory runs in its own folder: cd {fresh} and start" in done.stdout
        assert "Traceback" not in done.stdout


def test_a_folder_may_have_spaces_in_its_name(copy, snakemake):
    tree = copy("spaces")
    folders = {"pathvars": {"results": "results/a b", "figures": "results/a b/my figures"}}
    target = "results/a b/my figures/du2018/schedules.svg"
    done = snakemake(tree, target, "results/a b/data/patches.npy", "--cores", 1, config=folders)
    assert done.returncode == 0, done.stdout
    assert (tree / target).exists() and (tree / "results/a b/data/patches.npy").exists()


def test_the_schema_and_its_documentation_are_those_of_the_steps():
    message = "run make schema"
    assert make_schema.SCHEMA.read_text() == make_schema.dump(make_schema.make_schema()), message
    text = make_schema.README.read_text()
    assert text == make_schema.make_readme(text), message


def test_a_section_with_cases_may_say_once_what_they_share():
    class Options(step.Options):
        """Two cases."""

        case: Literal["a", "b"] = Field(description="which")
        trials: step.Count = Field(description="how many")
        device: str = step.from_rule(description="where")

    check = jsonschema.Draft202012Validator(make_schema.section(Options))
    one = {"trials": 1}
    for good in ({"a": one, "b": one}, {"common": one, "a": {}, "b": {"trials": 2}}):
        assert check.is_valid(good)
    unknown = {"a": one, "b": one | {"device": "cpu"}}
    for bad in ({"a": one}, {"a": one, "b": {}}, {"a": one, "b": one, "c": one}, unknown):
        assert not check.is_valid(bad)


# Dry runs


@pytest.mark.parametrize("scale", [None, "full"])
def test_a_dry_run_plans_every_figure_and_verdict(fresh, snakemake, config, scale):
    done = snakemake(fresh, "--dry-run", "--printshellcmds", scale=scale)
    assert done.returncode == 0, done.stdout
    results = f"results/{scale}" if scale else "results"
    figures = f"{results}/figures" if scale else "figures"
    planned = {word for line in done.stdout.splitlines() for word in line.split()}
    for paper in config["papers"]:
        for name in studies()[paper]:
            assert f"{figures}/{paper}/{name}.svg" in planned
            assert f"{results}/{paper}/verdicts/{name}.json" in planned
    made = ("claims.csv", "provenance.json", "ledger/index.html", "ledger.zip")
    assert {f"{results}/{name}" for name in made} <= planned


# The quick run


def test_the_quick_run_stays_in_its_folder(quick):
    kept = {name: (quick.tree / name).read_bytes() for name in quick.before}
    assert kept == quick.before
    new = files(quick.tree) - set(quick.before)
    assert {name.split("/")[0] for name in new} == {"results", ".snakemake"}
    assert all(name.startswith(("results/quick/", ".snakemake/")) for name in new)


def test_the_source_of_the_images_is_written_down(quick):
    source = json.loads((quick.results / "data/source.json").read_text())
    assert source["data"] == quick.data
    assert source["train"] == (60000 if quick.data == images.MNIST else 4500)


def on_images(table):
    """Whether a table was measured on the images."""
    if table.parent.name == "allenzhu2019":
        return not table.stem.endswith(("_pairs", "_drawn", "_split"))
    named = {"teachers", "patch_geometry", "regions"}
    if table.parent.name == "together":
        return table.stem.endswith("_images") or table.stem == "training"
    return table.stem.startswith(("image_", "circular_image")) or table.stem in named


def test_tables_are_described_and_name_their_data(quick, config):
    described = set(read("workflow/columns.yaml"))
    tables = sorted(quick.results.glob("*/*.parquet"))
    assert {"image_filters_gabor", "image_profiles", "gd_narrow"} <= {path.stem for path in tables}
    for path in quick.results.glob("fashion-mnist/*/*.parquet"):
        table = pd.read_parquet(path)
        assert set(table["data"]) == ({images.FASHION} if len(table) else set()), path
    for path in tables:
        table = pd.read_parquet(path)
        # Some architectures have no filters or no dual point, some landscapes compare no methods.
        may_be_empty = path.stem.endswith("_curvature") or path.stem.startswith(
            ("networks_", "duals_")
        )
        empty = may_be_empty and not len(table)
        assert (len(table) or empty) and set(table.columns) <= described
        labels = {quick.data if on_images(path) else "synthetic"}
        if path.stem == "looseness":  # it puts tables of all kinds together
            labels = {quick.data, "synthetic"}
        assert empty or set(table["data"]) == labels, path
        made = json.loads(pq.read_schema(path).metadata[b"cnntheory"])
        assert set(made) == {"step", "code", "parameters"}
        assert (quick.tree / made["step"]).is_file()
        # Steps that draw nothing have no seed.
        assert made["parameters"].get("seed", config["seed"]) == config["seed"]


def test_there_is_a_verdict_for_every_claim(quick, fashion_folder):
    rows = []
    signs = [
        (paper, name, sign) for paper, found in studies().items() for name, sign in found.items()
    ]
    for paper, name, sign in signs:
        found = json.loads((quick.results / paper / f"verdicts/{name}.json").read_text())
        claims = sign.get("claims", [])
        # Where the second data set is at hand, what is replicated is judged there too.
        again = [claim for claim in claims if fashion_folder and claim.get("replica")]
        assert [row["id"] for row in found] == [claim["id"] for claim in [*claims, *again]]
        for row, claim in zip(found[len(claims) :], again, strict=True):
            assert (row["data"], row["expected"]) == (images.FASHION, claim["replica"])
        for row, claim in zip(found[: len(claims)], claims, strict=True):
            assert tuple(row) == verdicts.COLUMNS
            assert (row["paper"], row["study"], row["scale"]) == (paper, name, "quick")
            assert row["verdict"] in {"holds", "fails", "inconclusive"}
            assert row["expected"] == claim["expected"]
            assert (quick.tree / row["figure"]).is_file()
            about_images = claim.get("about") == "images"
            # A theorem about any inputs may be measured on images.
            assert row["data"] in {quick.data} | (set() if about_images else {"synthetic"})
        rows += found
    table = pd.read_csv(quick.results / "claims.csv", dtype={"id": str}, keep_default_na=False)
    assert tuple(table.columns) == verdicts.COLUMNS
    key = ["paper", "study", "id", "data"]
    table = table.sort_values(key).reset_index(drop=True)
    rows = pd.DataFrame(rows).sort_values(key).reset_index(drop=True)
    for name in (*key, "verdict", "expected", "note"):
        assert table[name].tolist() == rows[name].tolist(), name


def test_no_figures_layout_collapses(quick):
    logs = list((quick.results / "logs").rglob("studies/*.log"))
    assert len(logs) > 70
    for log in logs:
        assert "constrained_layout not applied" not in log.read_text(), log.name


def test_the_run_records_what_it_was_made_with(quick, config):
    record = json.loads((quick.results / "provenance.json").read_text())
    assert record["scale"] == "quick" and record["seed"] == config["seed"]
    for package in ("numpy", "torch", "snakemake", "seaborn"):
        assert record["packages"][package] == importlib.metadata.version(package)
    jobs = {
        console.job_name(path.relative_to(quick.results))
        for path in quick.results.rglob("benchmarks/**/*.jsonl")
        if path.stem not in ("record_provenance", "ledger", "evidence")  # they come after it
    }
    assert set(record["jobs"]) == jobs
    assert {"data/fetch_mnist", "du2018/stream", "du2018/studies/stream"} <= jobs
    assert all(job["seconds"] > 0 for job in record["jobs"].values())
    # A copy without git is not taken for an unchanged revision.
    assert (record["revision"] is None) == (record["modified"] is None)


def test_the_run_ends_with_its_ledger_and_says_where_it_is(quick):
    page = (quick.results / "ledger/index.html").read_text()
    claims = pd.read_csv(quick.results / "claims.csv", dtype={"id": str})
    assert page.count("<tr data-paper=") == len(claims)
    assert re.search(rf"^{len(claims)} verdicts \(\d+ hold, ", quick.output, re.M)
    assert "Look at results/quick/ledger/index.html; this run took " in quick.output
    assert (quick.results / "ledger.zip").stat().st_size > 10_000


def test_what_determines_a_result_names_no_place_and_no_machine(quick):
    machine = json.loads((quick.results / "provenance.json").read_text())["system"]
    for path in quick.results.rglob("*"):
        if path.suffix in {".parquet", ".svg", ".pdf", ".csv", ".json"} and path.is_file():
            content = path.read_bytes()
            assert str(quick.tree.parent).encode() not in content, path
            assert machine.encode() not in content or path.name == "provenance.json"


def test_a_second_run_does_nothing_even_when_every_file_was_touched(quick, snakemake):
    for name in files(quick.tree):
        if not name.startswith(".snakemake"):
            os.utime(quick.tree / name)
    done = snakemake(quick.tree, "--dry-run")  # and MNIST_DIR is not set any more
    assert done.returncode == 0, done.stdout
    assert NOTHING in done.stdout


def test_a_run_with_nothing_to_do_imports_no_pandas(quick, snakemake):
    """Else Snakemake looks whether a parameter is a table."""
    done = snakemake(quick.tree, "--dry-run", "--quiet", "all", PYTHONPROFILEIMPORTTIME=1)
    assert done.returncode == 0, done.stdout
    modules = [line.rsplit("|")[-1].strip() for line in done.stdout.splitlines() if "|" in line]
    assert "snakemake" in modules and "pandas" not in modules


@contextlib.contextmanager
def edited(path):
    """Append a comment to a file, for a while."""
    text = path.read_text()
    try:
        path.write_text(f"{text}\n# Edited.\n")
        yield
    finally:
        path.write_text(text)


@pytest.mark.parametrize(
    "module",
    [
        "src/cnntheory/du2018/starts.py",
        "workflow/studies/du2018/closeness.py",
        "workflow/studies/style.py",
    ],
)
def test_an_edited_module_reruns_exactly_what_imports_it(quick, snakemake, module):
    with edited(quick.tree / module):
        done = snakemake(quick.tree, "--dry-run", "--printshellcmds")
    assert done.returncode == 0, done.stdout
    jobs = re.findall(
        r"^Reason: (.+)\nShell command: PYTHONPATH=\S+ python workflow/launch.py \S+ (\S+)",
        done.stdout,
        re.M,
    )
    assert len(jobs) == len(re.findall(r"^Shell command: (?!None)", done.stdout, re.M))
    again = {step for reason, step in jobs if f"Updated input files: {module}" in reason}
    assert again == {path for path in scripts() if module in {path, *imports(path)}}
    assert again
    # Everything else runs because of these, and only because of these.
    others = [reason for reason, step in jobs if step not in again]
    assert all(reason.startswith("Input files updated by another job:") for reason in others)


# Equal bytes


SYNTHETIC = ["gradients", "schedules", "starts", "stream", "stream_curves"]


def test_the_same_seed_gives_the_same_bytes_elsewhere_and_on_one_core(quick, one_core):
    made = {
        name
        for name in files(one_core.results)
        if Path(name).suffix in {".parquet", ".npy", ".svg", ".pdf", ".csv"} or "source" in name
    }
    assert {f"du2018/{table}.parquet" for table in SYNTHETIC} <= made
    assert {"du2018/image_training_random.parquet", "figures/du2018/fig3c.pdf"} <= made
    for name in made:
        assert (one_core.results / name).read_bytes() == (quick.results / name).read_bytes(), name


def test_another_seed_gives_other_tables(quick, other_seed):
    for name in SYNTHETIC:
        path = f"du2018/{name}.parquet"
        one, other = (pd.read_parquet(run.results / path) for run in (quick, other_seed))
        assert one.columns.tolist() == other.columns.tolist() and len(one) == len(other)
        assert not one.equals(other), name


# The part of MNIST that stands in for it


def test_without_mnist_a_part_of_it_stands_in_and_everything_says_so(other_seed):
    said = " ".join(other_seed.output.split())
    assert "NOTE: the results of this run are about a part of MNIST." in said
    assert "no mirror of MNIST answered" in said
    assert "NOTE: these results are about 5 000 images of MNIST" in said
    assert said.count("Fashion-MNIST: not at hand and no mirror answers") == 1
    source = json.loads((other_seed.results / "data/source.json").read_text())
    assert (source["data"], source["train"]) == (images.SMALL, 4500)
    for name in ("teachers", "image_training_random"):
        table = pd.read_parquet(other_seed.results / f"du2018/{name}.parquet")
        assert set(table["data"]) == {images.SMALL}
    assert set(pd.read_parquet(other_seed.results / "du2018/starts.parquet")["data"]) == {
        "synthetic"
    }
    label = f"<!-- Measured on {images.SMALL} -->"
    assert label in (other_seed.figures / "du2018/fig3c.svg").read_text()


def test_with_mnist_nothing_is_said_about_a_part(one_core):
    assert ("NOTE:" in one_core.output) == (one_core.data == images.SMALL)


@pytest.fixture
def complete(tmp_path):
    """A folder with files named as those of MNIST; their contents are not looked at here."""
    folder = tmp_path / "complete"
    folder.mkdir()
    for name, _ in images.FILES.values():
        (folder / f"{name}.gz").touch()
    return folder


def test_once_mnist_is_at_hand_its_part_is_replaced(other_seed, snakemake, complete):
    target, seed = "results/quick/du2018/teachers.parquet", {"seed": 1}
    done = snakemake(other_seed.tree, "-n", target, config=seed, MNIST_DIR=complete)
    assert done.returncode == 0, done.stdout
    jobs = re.findall(r"^(\w+) +1$", done.stdout.split("Job stats:")[1], re.M)
    assert sorted(jobs) == ["draw_teacher", "extract_patches", "fetch_mnist"]


def test_the_part_of_the_last_run_does_not_hide_a_wrong_mnist_dir(
    other_seed, monkeypatch, tmp_path
):
    config = {"mnist": {"path": None, "cache": None}, "dataset": "auto"}
    source = other_seed.results / "data/source.json"
    monkeypatch.setenv("MNIST_DIR", str(tmp_path / "none"))
    # Another word than that of the last run: the folder is looked into again, and refused.
    assert request(config, source) != json.loads(source.read_text())["request"]


def test_a_wrong_mnist_dir_is_refused_and_leaves_nothing(fresh, snakemake, tmp_path):
    target = "results/quick/data/patches.npy"
    done = snakemake(fresh, "--cores", 1, target, MNIST_DIR=tmp_path / "none")
    assert done.returncode == 1
    assert f"error: MNIST_DIR: {tmp_path}/none: expected the 4 files of MNIST" in done.stdout
    assert "name the folder that holds them all" in done.stdout
    assert "Traceback" not in done.stdout
    assert not (fresh / "results/quick/data").exists() or not files(fresh / "results/quick/data")


# What the documentation promises


def test_a_network_of_ones_own_is_examined(fresh, snakemake, tmp_path):
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(6, 4, bias=False), nn.ReLU(), nn.Linear(4, 1, bias=False))
    save_model(model, tmp_path / "model.pt")
    np.save(tmp_path / "x.npy", rng.standard_normal((20, 6)))
    np.save(tmp_path / "y.npy", rng.standard_normal(20))
    named = {"model": "model.pt", "images": "x.npy", "labels": "y.npy"}
    asked = {key: str(tmp_path / name) for key, name in named.items()}
    done = snakemake(fresh, "--cores", 1, "examine", config={"examine": asked})
    assert done.returncode == 0, done.stdout
    folder = fresh / "results/quick/examination"
    page = (folder / "page.txt").read_text()
    assert all(paper in page for paper in ("du2018", "zhong2017", "ergen2021", "allenzhu2019"))
    assert (folder / "page.svg").stat().st_size and (folder / "hypotheses.csv").stat().st_size
    again = snakemake(fresh, "--cores", 1, "examine", config={"examine": asked})
    assert "Nothing to be done" in again.stdout
    nothing = snakemake(fresh, "--cores", 1, "examine")
    assert nothing.returncode and "name a model and images" in nothing.stdout


def test_the_commands_of_the_readme_work(tmp_path, mnist_folder):
    readme = (ROOT / "README.md").read_text()
    (command,) = re.findall(r"^    (PYTHONPATH=src:\. python (?:.*\\\n)*.+)$", readme, re.M)
    command = command.replace("starts.parquet", f"{tmp_path}/starts.parquet")
    env = {"PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]), "HOME": str(tmp_path)}
    subprocess.run(["bash", "-ec", command], cwd=ROOT, env=env, check=True)
    assert pd.read_parquet(tmp_path / "starts.parquet").dimension.tolist() == [2, 2, 10, 10]
    names = {}
    load = f"images.load({str(mnist_folder)!r})" if mnist_folder else "images.small_mnist()"
    assert 'images.load("mnist")' in readme
    for code in re.findall(r"```python\n(.+?)```", readme, re.S):
        exec(code.replace('images.load("mnist")', load), names)
    assert names["solution"].gap < 1e-7
    assert names["recovery_error"](names["start"].filters, names["teacher"]).largest < 0.15
