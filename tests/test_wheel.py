"""What `pip install cnntheory` brings: built, installed and used away from the repository."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import cnntheory

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Generated from docstrings; typed in, and made, by tests of their own.
NO_PROGRAMS = ("library.md", "extending.md", "examine.md")
SNIPPET = re.compile(r"^```python\n(.*?)^```", re.M | re.S)
SNIPPETS = [
    pytest.param(code, id=f"{page.stem}-{number}")
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    if page.name not in NO_PROGRAMS
    for number, code in enumerate(SNIPPET.findall(page.read_text()))
]
# Nothing but the standard library, numpy and scipy can be imported.
BARE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        ours = top in {"cnntheory", "numpy", "scipy"} | sys.stdlib_module_names
        if not ours and not top.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"No module named {top!r}", name=top)

sys.meta_path.insert(0, Missing())
"""
# What becomes of every public module: "" or its error.
IMPORTED = """
import importlib, json, pkgutil
import cnntheory

said = {}
found = pkgutil.walk_packages(cnntheory.__path__, "cnntheory.", lambda name: None)
for name in [module.name for module in found]:
    if "._" not in name:
        try:
            importlib.import_module(name)
            said[name] = ""
        except ImportError as error:
            said[name] = str(error)
print(json.dumps(said))
"""


def pip(*words):
    done = subprocess.run(
        [sys.executable, "-m", "pip", *map(str, words)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, made of a copy of what it is made of."""
    tree = tmp_path_factory.mktemp("wheel") / "cnntheory"
    left_out = shutil.ignore_patterns("*.egg-info", "__pycache__")
    shutil.copytree(ROOT / "src", tree / "src", ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    alone = ("--no-deps", "--no-index", "--no-build-isolation")
    pip("wheel", "--quiet", *alone, "--wheel-dir", tree.parent, tree)
    (made,) = tree.parent.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """A folder in which the wheel is installed."""
    folder = tmp_path_factory.mktemp("site")
    pip("install", "--quiet", "--no-deps", "--no-index", "--target", folder, wheel)
    return folder


@pytest.fixture
def outside(site, tmp_path):
    """``outside(code)`` runs it in an empty folder, where only the installed wheel is found."""

    def run(code):
        env = {"PATH": os.defpath, "PYTHONPATH": str(site), "HOME": str(tmp_path)}
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=env | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )

    return run


def said(done):
    """What a program printed as JSON."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_holds_the_library_its_types_and_its_licence_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (about,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        meta = Parser().parsestr(archive.read(about).decode())
    info = about.removesuffix("METADATA")
    library = {
        path.relative_to(ROOT / "src").as_posix()
        for path in ROOT.glob("src/cnntheory/**/*")
        if path.suffix in (".py", ".pyi", ".typed")
    }
    assert {name for name in names if not name.startswith(info)} == library
    assert {"cnntheory/py.typed", f"{info}licenses/LICENSE"} <= names
    assert meta["Version"] == cnntheory.__version__ and meta["License-Expression"] == "BSD-3-Clause"
    asked = map(Requirement, meta.get_all("Requires-Dist"))
    assert {asked.name for asked in asked if asked.marker is None} == {"numpy", "scipy"}
    assert set(meta.get_all("Provides-Extra")) == set(PROJECT["optional-dependencies"])


def test_it_is_what_is_imported(outside, site):
    found = said(outside("import cnntheory, json; print(json.dumps(cnntheory.__file__))"))
    assert Path(found).is_relative_to(site)


def test_every_public_module_can_be_imported(outside):
    found = said(outside(IMPORTED))
    assert {name for name in found if name.count(".") == 1} == {
        f"cnntheory.{name}" for name in cnntheory.__all__
    }
    assert not any(found.values()) and len(found) > 30


def test_without_torch_and_the_like_modules_work_or_name_the_extra(outside):
    found = {name: error for name, error in said(outside(BARE + IMPORTED)).items() if error}
    assert found.pop("cnntheory.ergen2021.estimator").endswith("'cnntheory[sklearn]' brings it")
    # Modules that are torch throughout; what the packages offer of them names the extra, see below.
    networks = (
        "cnntheory.allenzhu2019.",
        "cnntheory.ergen2021.module",
        "cnntheory.ergen2021.torch",
        "cnntheory.shallow",
        "cnntheory.together.",
    )
    assert found and all(name.startswith(networks) for name in found)
    assert all("torch" in error for error in found.values())


@pytest.mark.parametrize(
    ("call", "package", "extra"),
    [
        ("allenzhu2019.tangent_report", "torch", "torch"),
        ("ergen2021.ConvexCNNRegressor", "sklearn", "sklearn"),
        ("ergen2021.certify_torch", "torch", "torch"),
        ("examine", "torch", "torch"),
        ("search.worst_case(sum, [0.0, 1.0], rng=0)", "cma", "search"),
        ("images.default_cache()", "pooch", "images"),
        ("images.reachable(images.MIRRORS)", "requests", "images"),
        ("images.fetch('nowhere')", "requests", "images"),
    ],
)
def test_what_needs_more_says_so_when_it_is_used(outside, call, package, extra):
    code = f"import cnntheory\nfrom cnntheory import images\ncnntheory.{call}\n"
    error = outside(BARE + code).stderr.splitlines()[-1]
    said = f"ImportError: {package} is not installed; pip install 'cnntheory[{extra}]' brings it"
    assert error == said


def test_parts_load_when_they_are_used(outside):
    code = """
import cnntheory, json, sys
before = [name for name in ("numpy", "scipy", "torch") if name in sys.modules]
cnntheory.ergen2021.train_convex, cnntheory.zhong2017.tensor_initialise, cnntheory.stats.wilson
after = [name for name in ("torch", "sklearn", "pandas") if name in sys.modules]
print(json.dumps([before, after, sorted(set(cnntheory.__all__) - set(dir(cnntheory)))]))
"""
    assert said(outside(code)) == [[], [], []]
    error = outside("import cnntheory; cnntheory.mnist").stderr.splitlines()[-1]
    assert error == "AttributeError: module 'cnntheory' has no attribute 'mnist'"


@pytest.mark.parametrize("code", SNIPPETS)
def test_every_snippet_runs_by_itself(outside, tmp_path, request, code):
    if "images.load(" in code:
        (tmp_path / "mnist").symlink_to(request.getfixturevalue("mnist_dir"))
    more = re.search(r"torch|allenzhu2019|ConvexCNN|sklearn", code)
    done = outside(code if more else BARE + code)
    assert done.returncode == 0, done.stderr
