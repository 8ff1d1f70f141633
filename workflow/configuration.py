"""From the configuration and the studies' room signs to command lines and tables."""

import json
import shlex
import sys
from pathlib import Path

import yaml

from cnntheory import images
from workflow.closure import ROOT

DIGITS_REMINDER = (
    "NOTE: these results are about the digits of scikit-learn, not about MNIST, and verdicts about "
    "MNIST are inconclusive. Set MNIST_DIR to a folder with the four files of MNIST and run again."
)


def studies():
    """``{paper: {study: sign}}`` of every ``workflow/studies/<paper>/<study>.yaml``."""
    found = {}
    for path in sorted((ROOT / "workflow/studies").glob("*/*.yaml")):
        sign = yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        found.setdefault(path.parent.name, {})[path.stem] = sign
    return found


def tables_of(sign):
    """Names of all tables that a study reads, those with seconds included."""
    return [
        table
        for entry in [*sign["tables"], *sign.get("timings", [])]
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


def dataset_files(config):
    """The files of an own data set, so that a change of them runs the pipeline again."""
    if config["dataset"] in ("auto", "mnist"):
        return []
    path = Path(config["dataset"]).expanduser()
    if not path.exists():
        sys.exit(f"config: dataset: {path} does not exist; give auto, mnist or an existing path")
    return sorted(map(str, path.iterdir())) if path.is_dir() else [str(path)]


def request(config, source):
    """A word that changes when the images ought to be obtained again.

    Where MNIST lies may change between two runs without any effect on the results, so the word that
    the last run stored is kept; only stand-in digits are given up once MNIST is at hand elsewhere.

    Parameters
    ----------
    config : dict
    source : path
        The ``source.json`` of the last run, which need not exist.
    """
    place, folder = images.place(config["mnist"]["path"], config["mnist"]["cache"])
    # A folder that is given is read, or refused when it is not MNIST; the cache only when it is.
    now = place if place != "cache" or images.at_hand(folder) else "mirror"
    if not Path(source).exists():
        return now
    last = json.loads(Path(source).read_text())
    return now if last["data"] == images.DIGITS and now != "mirror" else last["request"]


def stand_in(source):
    """Whether the last run's images are the stand-in digits."""
    path = Path(source)
    return path.exists() and json.loads(path.read_text())["data"] == images.DIGITS
