"""From the configuration to the command lines of the steps."""

import json
import os
import shlex
import sys
from pathlib import Path

from cnntheory import mnist

STAND_IN = (
    "NOTE: these results are about the digits of scikit-learn, not about MNIST, and verdicts about "
    "MNIST are inconclusive. Set MNIST_DIR to a folder with the four files of MNIST and run again."
)


def flags(**values):
    """Command-line options of a step from a section of the configuration.

    ``flags(seeds=20, patch_sigmas=[0.1, 1])`` is ``--seeds=20 '--patch-sigmas=[0.1, 1]'``. Values
    that are None are left out.
    """
    words = []
    for name, value in values.items():
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            # With "=" a negative number is not taken for an option.
            words.append(f"--{name.replace('_', '-')}={text}")
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
    places = {
        "mnist.path": config["mnist"]["path"],
        "MNIST_DIR": os.environ.get("MNIST_DIR"),
        "cache": config["mnist"]["cache"]
        or os.environ.get("CNNTHEORY_CACHE")
        or mnist.default_cache(),
    }
    place, folder = next((place, folder) for place, folder in places.items() if folder)
    # A folder that is given is read, or refused when it is not MNIST; the cache only when it is.
    now = place if place != "cache" or mnist.at_hand(folder) else "mirror"
    if not Path(source).exists():
        return now
    last = json.loads(Path(source).read_text())
    return now if last["data"] == mnist.DIGITS and now != "mirror" else last["request"]


def stand_in(source):
    """Whether the last run's images are the stand-in digits."""
    path = Path(source)
    return path.exists() and json.loads(path.read_text())["data"] == mnist.DIGITS
