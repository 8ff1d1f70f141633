"""What the papers' packages offer: few names, typed, documented, loaded when they are used."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

PAPERS = ("du2018", "zhong2017", "ergen2021", "allenzhu2019")


@pytest.mark.parametrize("paper", PAPERS)
def test_every_name_is_there_documented_and_known_to_type_checkers(paper):
    package = importlib.import_module(f"cnntheory.{paper}")
    for name in package.__all__:
        assert getattr(package, name).__doc__, name
    assert dir(package) == sorted(package.__all__)
    stub = ast.parse(Path(package.__file__).with_suffix(".pyi").read_text())
    typed = {
        f"{node.module or ''}.{alias.name}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    homes = {f"{package._HOME.get(name, '')}.{name}" for name in package.__all__}
    assert typed == homes
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        package.nothing  # noqa: B018


@pytest.mark.parametrize("paper", PAPERS)
def test_a_package_loads_its_parts_when_they_are_used(paper):
    code = f"import sys, cnntheory.{paper}; print({{'numpy', 'scipy', 'torch'}} & {{*sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
