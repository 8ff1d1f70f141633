"""From the configuration and the studies' room signs to command lines and tables."""

import difflib
import functools
import json
import math
import os
import re
import reprlib
import shlex
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import yaml

from cnntheory import images
from workflow.closure import ROOT

SMALL_REMINDER = (
    "NOTE: these results are about 5 000 images of MNIST; claims that need more are undecided. "
    "Set MNIST_DIR to a folder with the four files of MNIST and run again."
)


SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
DEEPEST, MOST = 12, 100_000  # mappings and lists within each other, and values in all
KINDS = {
    "integer": "an integer",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a section",
    "null": "null",
}
BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
    "minLength": "of length at least",
    "minItems": "of length at least",
    "maxItems": "of length at most",
}
# Where results would be lost among, or overwrite, something else.
OURS = {"benchmarks", "config", "docs", "envs", "profiles", "src", "tests", "workflow"}
SYSTEM = {"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "run", "sbin", "sys", "usr"} | {
    "Applications",
    "Library",
    "System",
}


def read_yaml(path):
    """What a YAML file of the project says."""
    return yaml.load(Path(path).read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def studies():
    """``{paper: {study: sign}}`` of every ``workflow/studies/<paper>/<study>.yaml``."""
    found = {}
    for path in sorted((ROOT / "workflow/studies").glob("*/*.yaml")):
        found.setdefault(path.parent.name, {})[path.stem] = read_yaml(path)
    return found


def declared(config, paper):
    """What a paper's rule file declares: a dict of the words of `declare`, one a step."""
    from snakemake.io import expand

    found = []

    def declare(paper, name, message, output, **more):
        output = {"table": output} if isinstance(output, str) else output
        found.append({"paper": paper, "name": name, "message": message, "output": output} | more)

    source = (ROOT / f"workflow/rules/{paper}.smk").read_text()
    words = {"declare": declare, "config": config, "expand": expand, "SPLITS": list(images.FILES)}
    exec(compile(source, f"{paper}.smk", "exec"), words)
    return found


# What a configuration may say


def check(config):
    """End the run, in at most three lines, where the configuration says what it may not.

    A line names a key, what was found there and what is allowed.
    """
    faults = list(dict.fromkeys(_strange(config) or _forbidden(config) or _misplaced(config)))
    if len(faults) > 3:
        faults[2:] = [f"and {len(faults) - 2} more"]
    if faults:
        sys.exit("\n".join(f"config: {fault}" for fault in faults))


def _strange(config):
    """The first fault, if any, that is one whatever key it stands at."""
    parts = [((), config)]
    for where, value in parts:  # what is inside is added behind, so that nothing recurses
        inside = ()
        if isinstance(value, dict):
            inside = value.items()
            for key in value:
                if not isinstance(key, str):
                    return [f"{_name((*where, str(key)))}: expected a name, found {_said(key)}"]
        elif isinstance(value, list):
            inside = enumerate(value)
        elif isinstance(value, str) and not (value.isprintable() and not set(value) & set("{}")):
            return [f"{_name(where)}: expected one line without braces, found {_said(value)}"]
        parts += [((*where, key), part) for key, part in inside]
        if len(where) > DEEPEST or len(parts) > MOST:
            return [f"{_name(where[:3])}: expected at most {MOST} values, nested {DEEPEST} deep"]
    return []


def _forbidden(config):
    """Faults by the schema, which is made from the options of the steps."""
    return [line for error in _validator().iter_errors(config) for line in _lines(error)]


@functools.cache
def _validator():
    import jsonschema

    basis = jsonschema.Draft202012Validator
    # JSON knows neither NaN nor the difference between 2 and 2.0.
    strict = {
        "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
        "number": lambda checker, value: (
            checker.is_type(value, "integer") or (isinstance(value, float) and value == value)
        ),
    }
    types = basis.TYPE_CHECKER.redefine_many(strict)
    return jsonschema.validators.extend(basis, type_checker=types)(read_yaml(SCHEMA))


def _lines(error):
    """What one error of jsonschema says, a line for each key."""
    where, found, schema = tuple(error.absolute_path), error.instance, error.schema
    if error.validator == "required":
        return [
            f"{_name((*where, key))}: missing" for key in schema["required"] if key not in found
        ]
    if error.validator == "additionalProperties":
        cases = re.findall(r"\w+", "".join(schema.get("patternProperties", [])))
        known = [*schema.get("properties", []), *cases]
        unknown = [key for key in found if key not in known]
        return [f"{_name((*where, key))}: unknown; {_instead(key, known)}" for key in unknown]
    return [f"{_name(where)}: expected {allowed(schema)}, found {_said(found)}"]


def _instead(key, known):
    """What may have been meant by an unknown key."""
    close = difflib.get_close_matches(key, known, 1)
    if close:
        return f"did you mean {close[0]}?"
    return textwrap.shorten(f"known here: {', '.join(known)}", 150, placeholder=" ...")


def allowed(schema):
    """What a schema allows, in words."""
    if "anyOf" in schema:
        return " or ".join(map(allowed, schema["anyOf"]))
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        one_of = "one of " if len(values) > 1 else ""
        return one_of + ", ".join(map(_said, values))
    if "$comment" in schema:
        return schema["$comment"]
    words = [KINDS[schema.get("type", "number")]]
    words += [f"{word} {schema[bound]}" for bound, word in BOUNDS.items() if bound in schema]
    if schema.get("uniqueItems"):
        words.append("no two of them equal")
    for part in (schema, *schema.get("allOf", [])):
        if "contains" in part:
            words.append(f"with {allowed(part['contains'])} among them")
    if "items" in schema:
        words.append(f"each {allowed(schema['items'])}")
    return ", ".join(words)


def _said(value):
    """A value as YAML would have it, in a few words."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: ".inf", -math.inf: "-.inf"}.get(value, ".nan")
    return reprlib.repr(value)


def _name(where):
    """``du2018.stream.steps[0]`` for a path of keys and positions."""
    parts = (f"[{key}]" if isinstance(key, int) else f".{_short(key)}" for key in where)
    return "".join(parts).lstrip(".") or "the file"


def _short(key):
    return key if key.isidentifier() and len(key) <= 40 else reprlib.repr(key)


def _misplaced(config):
    """Faults of paths that cannot be looked at, and of folders where no results should go."""
    faults = []
    given = {"dataset": config["dataset"]}
    for known in images.KNOWN.values():
        for key in ("path", "cache"):
            given[f"{known.section}.{key}"] = config[known.section][key]
    for key, path in given.items():
        if path and (reason := _unreadable(path)):
            faults.append(f"{key}: expected a path that can be read, found {_said(path)}: {reason}")
    for name in ("results", "figures"):
        folder, scale = config.get("pathvars", {}).get(name, name), config["scale"]
        key = f"pathvars.{name}: expected a folder"
        if reason := _unreadable(folder) or _taken(folder):
            faults.append(f"{key} for {name} alone, found {_said(folder)}: {reason}")
        elif scale != "standard" and _real(folder) == _real(name):
            other = f"results/{scale}" + ("/figures" if name == "figures" else "")
            faults.append(f"{key} of its own for scale {scale}, such as {other}, found {folder!r}")
    return faults


def _unreadable(path):
    """Why a path cannot be looked at, if so."""
    try:
        Path(path).expanduser().exists()
    except (OSError, RuntimeError) as error:
        return getattr(error, "strerror", None) or str(error)


def _real(folder):
    return Path(os.path.realpath(ROOT / folder))


def _taken(folder):
    """Why a folder is no place for results, if so."""
    real, root = _real(folder), _real(".")
    if folder != os.path.normpath(folder):
        return f"write it as {os.path.normpath(folder)}"
    if real.exists() and not real.is_dir():
        return "it is a file"
    if real in (root, *root.parents) or (
        real.is_relative_to(root)
        and (real.relative_to(root).parts[0] in OURS or real.relative_to(root).parts[0][0] == ".")
    ):
        return "it holds the project itself"
    if not real.is_relative_to(root) and (
        len(real.parts) < 3 or real.parts[1] in SYSTEM or real == _real(os.path.expanduser("~"))
    ):
        return "it holds other things"


# From sections to command lines


def tables_of(sign, keys=("tables", "timings")):
    """Names of all tables that a study reads, those with seconds included."""
    return [
        table
        for key in keys
        for entry in sign.get(key, [])
        for table in (next(iter(entry.values())) if isinstance(entry, dict) else [entry])
    ]


def section(config, paper, step, case=None):
    """Options of a step as the configuration gives them, for one of its cases if it has cases."""
    found = config[paper].get(step, {})
    return dict(found) if case is None else found.get("common", {}) | found[case]


def flags(**values):
    """Command-line options of a step from a section of the configuration.

    ``flags(trials=20, patch_sigmas=[0.1, 1])`` is ``--trials=20 '--patch-sigmas=[0.1, 1]'``. Values
    that are None are left out.
    """
    words = []
    for name, value in values.items():
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            # With "=" a negative number is not taken for an option.
            words.append(f"--{name.replace('_', '-')}={text}")
    return shlex.join(words)


class Examination(NamedTuple):
    """What ``snakemake examine`` reads, and its command line; none where no network is named."""

    files: list
    command: str | None


def examination(config):
    """The network of one's own that the configuration names."""
    asked = {key: value for key, value in config.get("examine", {}).items() if value is not None}
    if not {"model", "images"} <= set(asked):
        return Examination([], None)
    files = []
    for key in [name for name in ("model", "images", "labels", "before") if name in asked]:
        path = Path(asked[key]).expanduser()
        if not path.exists():
            sys.exit(f"config: examine.{key}: {path} does not exist")
        asked[key] = str(path)
        files += sorted(map(str, images.find(path).values())) if path.is_dir() else [str(path)]
    words = [asked.pop("model")]
    if classes := asked.pop("classes", None):
        words += ["--classes", *map(str, classes)]
    command = f"{shlex.join(words)} {flags(**asked, seed=config['seed'])}"
    return Examination(sorted(files), command)


def examined(found):
    """The files of an examination, or an error that says how to name them."""
    if found.command is None:
        raise ValueError("name a model and images: config/README.md, examine")
    return found.files


def reads(files):
    """Command-line options that name the files a step reads: one path or several for each."""
    words = []
    for name, paths in files.items():
        paths = [paths] if isinstance(paths, str) else paths
        words += [f"--{name.replace('_', '-')}", *paths]
    return shlex.join(words)


def dataset_files(dataset):
    """The files of an own data set that are read, so that a change of them runs all again."""
    if dataset in ("auto", *images.KNOWN):
        return []
    path = Path(dataset).expanduser()
    if not path.exists():
        sys.exit(
            f"config: dataset: {path} does not exist; give auto, mnist, fashion-mnist or an "
            "existing path"
        )
    return sorted(map(str, images.find(path).values())) if path.is_dir() else [str(path)]


def whereabouts(config, dataset):
    """Where the files of a known data set are looked for: name and folder."""
    given = config[images.KNOWN[dataset].section]
    return images.place(given["path"], given["cache"], dataset)


def request(config, source, dataset="mnist"):
    """A word that changes when the images ought to be obtained again.

    Where MNIST lies may change between two runs without any effect on the results, so the word that
    the last run stored is kept; only its part is given up once MNIST is at hand elsewhere.

    Parameters
    ----------
    config : dict
    source : path
        The ``source.json`` of the last run, which need not exist.
    dataset : str
        As in the configuration.
    """
    if dataset != "auto" and dataset not in images.KNOWN:
        return "dataset"  # the key that names the images, not where they lie
    place, folder = whereabouts(config, "mnist" if dataset == "auto" else dataset)
    # A folder that is given is read, or refused when it is not MNIST; the cache only when it is.
    now = place if place != "cache" or images.at_hand(folder) else "mirror"
    if not Path(source).exists():
        return now
    last = json.loads(Path(source).read_text())
    return now if last["data"] == images.SMALL and now != "mirror" else last["request"]


def stand_in(source):
    """Whether the last run's images are a part of MNIST in its place."""
    path = Path(source)
    return path.exists() and json.loads(path.read_text())["data"] == images.SMALL


def replicas(config, results):
    """Further data sets on which this run judges again: those asked for that can be had.

    They are at hand, or an earlier run has left their images in the folder `results`. Whether they
    can be had is found out once and told to the processes that a run starts: all of them have to
    see the same rules.
    """
    variable = "CNNTHEORY_REPLICAS"
    if variable not in os.environ:
        found, main = [], config["dataset"]
        for dataset in config["replicate"]:
            place, folder = whereabouts(config, dataset)
            known = images.KNOWN[dataset]
            if dataset == main:
                continue
            at_hand = place != "cache" or images.at_hand(folder)
            at_hand = at_hand or Path(results, dataset, "data/source.json").exists()
            if at_hand or images.reachable(config[known.section]["mirrors"], known.files):
                found.append(dataset)
            else:
                print(
                    f"{known.label}: not at hand and no mirror answers, so nothing is replicated "
                    f"on it; set {known.variable} to a folder with its four files",
                    file=sys.stderr,
                )
        os.environ[variable] = json.dumps(found)
    return json.loads(os.environ[variable])
