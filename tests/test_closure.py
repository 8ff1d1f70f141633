import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workflow import closure
from workflow.closure import imports

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted(
    path.relative_to(ROOT).as_posix()
    for floor in ("scripts", "studies")
    for path in (ROOT / "workflow" / floor).glob("**/*.py")
)

LAZY = {
    "src/cnntheory/ergen2021/estimator.py",
    "src/cnntheory/ergen2021/module.py",
    "src/cnntheory/images/patches.py",
    "src/cnntheory/_layers.py",
}

# Imports each script afresh, as `python <script>` would, and prints the project files that are then
# in sys.modules. Other packages stay loaded: they import nothing of the project.
IMPORT_ALL = """
import importlib.util, json, sys
from pathlib import Path

root, found = Path.cwd(), {}
for script in sys.argv[1:]:
    for name in [n for n in sys.modules if n.split(".")[0] in ("cnntheory", "workflow")]:
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location("the_script", script)
    try:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    except Exception as error:
        found[script] = repr(error)
        continue
    files = [getattr(m, "__file__", None) for m in list(sys.modules.values())]
    # Thousands of others need not be resolved.
    paths = {Path(f).resolve() for f in files if f and ("cnntheory" in f or "workflow" in f)}
    found[script] = sorted(
        p.relative_to(root).as_posix()
        for p in paths
        if any(p.is_relative_to(root / d) for d in ("src", "workflow"))
    )
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def really_imported():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    answer = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *SCRIPTS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_closure_is_what_python_imports(really_imported, script):
    found, loaded = set(imports(script)), set(really_imported[script])
    assert loaded <= found
    # What a package loads when it is asked for counts: whether a script asks is not looked into.
    assert found - loaded <= LAZY


def test_there_are_steps_of_data_and_of_the_paper():
    folders = {str(Path(script).parent) for script in SCRIPTS}
    assert {"workflow/scripts/data", "workflow/scripts/du2018"} <= folders


def forget():
    """Let a changed file be read again."""
    for cached in (closure._modules, closure._direct, closure.pinned):
        cached.cache_clear()


@pytest.fixture
def project(tmp_path, monkeypatch):
    def write(**files):
        for name, text in files.items():
            path = tmp_path / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        forget()

    for package in ("src/cnntheory", "src/cnntheory/paper"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text("")
    monkeypatch.setattr(closure, "ROOT", tmp_path)
    yield write
    forget()


LIBRARY = dict(
    src__cnntheory__paper__laws="",
    src__cnntheory__paper__rates="from .laws import law\n",
    src__cnntheory__descent="import numpy\n",
    workflow__scripts__step="import cnntheory.descent\n",
)
PACKAGE = ["src/cnntheory/__init__.py"]
PAPER = [*PACKAGE, "src/cnntheory/paper/__init__.py"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import json, numpy as np\n", []),
        ("import cnntheory\n", PACKAGE),
        ("import cnntheory.descent as d\n", [*PACKAGE, "src/cnntheory/descent.py"]),
        ("from cnntheory import descent\n", [*PACKAGE, "src/cnntheory/descent.py"]),
        ("from cnntheory.descent import descend\n", [*PACKAGE, "src/cnntheory/descent.py"]),
        ("from cnntheory.paper.laws import law\n", [*PAPER, "src/cnntheory/paper/laws.py"]),
        (
            "from cnntheory.paper import rates\n",
            [*PAPER, "src/cnntheory/paper/laws.py", "src/cnntheory/paper/rates.py"],
        ),
        (
            "from workflow.scripts import step\n",
            [*PACKAGE, "src/cnntheory/descent.py", "workflow/scripts/step.py"],
        ),
        (
            "def later():\n    if True:\n        from cnntheory.paper import laws\n",
            [*PAPER, "src/cnntheory/paper/laws.py"],
        ),
        (
            "try:\n    from cnntheory.paper.laws import (  # the one\n        law,\n    )\n"
            "finally:\n    import os; import cnntheory.descent\n",
            [*PAPER, "src/cnntheory/descent.py", "src/cnntheory/paper/laws.py"],
        ),
        (
            '"""Words\nfrom which nothing is imported."""\nfrom cnntheory import \\\n    descent\n',
            [*PACKAGE, "src/cnntheory/descent.py"],
        ),
        ("try: import cnntheory.descent\nfinally: pass\n", [*PACKAGE, "src/cnntheory/descent.py"]),
        ("x = 1; from cnntheory import descent\n", [*PACKAGE, "src/cnntheory/descent.py"]),
        (
            "from cnntheory import \\\n    descent\n",
            [*PACKAGE, "src/cnntheory/descent.py"],
        ),
        ("import cnntheory_of_others, workflows\n", []),
    ],
)
def test_imports_of_every_form_are_found(project, source, expected):
    project(**LIBRARY, workflow__scripts__paper__a=source)
    assert imports("workflow/scripts/paper/a.py") == sorted(expected)


def test_relative_imports_climb(project):
    project(
        src__cnntheory__paper__a="from . import b\nfrom .. import c\nfrom ..d import e\n",
        src__cnntheory__paper__b="",
        src__cnntheory__c="",
        src__cnntheory__d="",
    )
    files = ["c.py", "d.py", "paper/b.py", "__init__.py", "paper/__init__.py"]
    assert imports("src/cnntheory/paper/a.py") == sorted(f"src/cnntheory/{f}" for f in files)


def test_modules_that_import_each_other_end(project):
    project(
        src__cnntheory__a="import cnntheory.b\n",
        src__cnntheory__b="import cnntheory.a\n",
    )
    assert imports("src/cnntheory/a.py") == ["src/cnntheory/__init__.py", "src/cnntheory/b.py"]


def test_packages_bring_what_their_init_imports(project, tmp_path):
    project(src__cnntheory__hidden="")
    (tmp_path / "src/cnntheory/paper/__init__.py").write_text("from cnntheory import hidden\n")
    project(src__cnntheory__paper__laws="", workflow__studies__a="import cnntheory.paper.laws\n")
    assert "src/cnntheory/hidden.py" in imports("workflow/studies/a.py")
