"""From the configuration and the studies' room signs to command lines and tables."""

import json
import os
import shlex
import sys
from pathlib import Path

import yaml

from cnntheory import images
from workflow.closure import ROOT

SMALL_REMINDER = (
    "NOTE: these results are about 5 000 images of MNIST; claims that need more are undecided. "
    "Set MNIST_DIR to a folder with the four files of MNIST and run again."
)


def studies():
    """``{paper: {study: sign}}`` of every ``workflow/studies/<paper>/<study>.yaml``."""
    found = {}
    for path in sorted((ROOT / "workflow/studies").glob("*/*.yaml")):
        sign = yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        found.setdefault(path.parent.name, {})[path.stem] = sign
    return found


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


def reads(files):
    """Command-line options that name the files a step reads: one path or several for each."""
    words = []
    for name, paths in files.items():
        paths = [paths] if isinstance(paths, str) else paths
        words += [f"--{name.replace('_', '-')}", *paths]
    return shlex.join(words)


def dataset_files(dataset):
    """The files of an own data set, so that a change of them runs the pipeline again."""
    if dataset in ("auto", *images.KNOWN):
        return []
    path = Path(dataset).expanduser()
    if not path.exists():
        sys.exit(
            f"config: dataset: {path} does not exist; give auto, mnist, fashion-mnist or an "
            "existing path"
        )
    return sorted(map(str, path.iterdir())) if path.is_dir() else [str(path)]


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
    place, folder = whereabouts(config, dataset if dataset in images.KNOWN else "mnist")
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
