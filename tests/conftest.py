"""What the tests of the workflow share: copies of the project, Snakemake, and one quick run."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from cnntheory import images
from workflow import configuration

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
# Neither part of the project nor needed to run it.
LEFT_OUT = (
    ".*",
    "__pycache__",
    "*.egg-info",
    "results",
    "docs",
    "tests",
    "*.svg",
    "*.pdf",
    "*.csv",
)


class Run(NamedTuple):
    """A run of the pipeline in a copy of the project."""

    tree: Path
    before: dict  # path to content of the files of the copy before the run
    output: str
    data: str  # label that its images must have

    @property
    def results(self):
        return self.tree / "results/quick"

    @property
    def figures(self):
        return self.results / "figures"


def contents(folder):
    """Relative path to content of every file below `folder`."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="session")
def config():
    """The configuration of the standard scale."""
    return yaml.safe_load((ROOT / "config/config.yaml").read_text())


@pytest.fixture(scope="session")
def rules():
    """Name to text of every rule; rules made in a loop are named by what names them."""
    files = [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
    found = {}
    for path in files:
        blocks = r"^( *)rule(?: (\w+))?:\n((?:\1 +.*\n|\n)+)"
        for _, name, text in re.findall(blocks, path.read_text(), re.M):
            name = name or re.search(r"name:\s+(.+)", text)[1]
            assert name not in found, name
            found[name] = textwrap.dedent(text)
    return found


@pytest.fixture(scope="session")
def declared(config):
    """What the papers' rule files declare: a dict of the words of `declare`, one a step."""
    return [step for paper in config["papers"] for step in configuration.declared(config, paper)]


@pytest.fixture(scope="session")
def mnist_folder():
    """Folder with the genuine files of MNIST, None where there is none."""
    folder = Path(os.environ.get("MNIST_DIR") or ROOT.parent / "shared/data/mnist").absolute()
    return folder if images.at_hand(folder) else None


@pytest.fixture(scope="session")
def mnist_dir(mnist_folder):
    """Folder with the genuine files of MNIST."""
    if mnist_folder is None:
        pytest.skip("the files of MNIST are not at hand")
    return mnist_folder


@pytest.fixture(scope="session")
def fashion_folder():
    """Folder with the genuine files of Fashion-MNIST, None where there is none."""
    beside = ROOT.parent / "shared/data/fashion-mnist"
    folder = Path(os.environ.get("FASHION_MNIST_DIR") or beside).absolute()
    return folder if images.at_hand(folder) else None


@pytest.fixture(scope="session")
def known(mnist_folder, fashion_folder):
    """What the environment says of the data sets that are at hand."""
    folders = {"MNIST_DIR": mnist_folder, "FASHION_MNIST_DIR": fashion_folder}
    return {name: folder for name, folder in folders.items() if folder}


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """``program(folder, *words, **env)`` runs one beside this Python; stdout and stderr are one.

    Home and cache are empty folders, and proxies and MNIST of the user are not seen.
    """
    home = tmp_path_factory.mktemp("home")
    clean = {
        "PATH": os.pathsep.join([str(BIN), *os.get_exec_path()]),
        "HOME": str(home),
        "CNNTHEORY_CACHE": str(home / "mnist"),
        # Compiled once, and not in the trees, whose files are compared.
        "PYTHONPYCACHEPREFIX": str(home / "pycache"),
        "no_proxy": "127.0.0.1",
    }

    def run(folder, *words, **env):
        return subprocess.run(
            [BIN / words[0], *map(str, words[1:])],
            cwd=folder,
            env=clean | {name: str(value) for name, value in env.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return run


@pytest.fixture(scope="session")
def snakemake(program, tmp_path_factory):
    """``snakemake(tree, *words, config={}, **env)`` at the quick scale, away from the network.

    ``scale=None`` stands for the standard scale, any other word for a file of config/.
    """
    folder = tmp_path_factory.mktemp("config")
    nowhere = {"mirrors": ["http://127.0.0.1:9/"]}
    silent = {"mnist": nowhere, "fashion_mnist": nowhere}

    def run(tree, *words, scale="quick", config=None, **env):
        extra = folder / "extra.yaml"
        extra.write_text(json.dumps(silent | (config or {})))
        files = [f"config/{scale}.yaml"] if scale else []
        return program(tree, "snakemake", *words, "--configfile", *files, extra, **env)

    return run


@pytest.fixture(scope="session")
def copy(tmp_path_factory):
    """``copy(name)`` copies the project, without results, to a folder of its own."""
    original = tmp_path_factory.mktemp("original") / "cnntheory"
    # Once: an edit while the tests run shall not tell the copies apart.
    shutil.copytree(ROOT, original, ignore=shutil.ignore_patterns(*LEFT_OUT))

    def copy(name):
        return shutil.copytree(original, tmp_path_factory.mktemp(name) / "cnntheory")

    return copy


@pytest.fixture(scope="session")
def fresh(copy):
    """A copy in which nothing has been made."""
    return copy("fresh")


@pytest.fixture(scope="session")
def quick(copy, snakemake, mnist_folder, known):
    """The quick run of everything on two cores, on the data sets that are at hand."""
    tree = copy("quick")
    before = contents(tree)
    done = snakemake(tree, "--cores", 2, **known)
    assert done.returncode == 0, done.stdout
    return Run(tree, before, done.stdout, images.MNIST if mnist_folder else images.SMALL)


# Tables of every kind of step and one figure, enough to compare runs with.
TARGETS = [
    f"results/quick/{target}"
    for target in (
        "du2018/gradients.parquet",
        "du2018/schedules.parquet",
        "du2018/starts.parquet",
        "du2018/stream.parquet",
        "figures/du2018/fig3c.svg",
    )
]


@pytest.fixture(scope="session")
def one_core(copy, snakemake, mnist_folder, known):
    """A part of the quick run once more, elsewhere and on one core."""
    tree = copy("one_core")
    done = snakemake(tree, "--cores", 1, *TARGETS, **known)
    assert done.returncode == 0, done.stdout
    return Run(tree, {}, done.stdout, images.MNIST if mnist_folder else images.SMALL)


@pytest.fixture(scope="session")
def other_seed(copy, snakemake):
    """The same part with another seed, and without MNIST."""
    tree = copy("other_seed")
    done = snakemake(tree, "--cores", 2, *TARGETS, config={"seed": 1})
    assert done.returncode == 0, done.stdout
    return Run(tree, {}, done.stdout, images.SMALL)
