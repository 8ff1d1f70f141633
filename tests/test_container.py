"""The Containerfile: what it copies is there, and so is the target that it makes."""

import re
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

INSTRUCTIONS = ("FROM", "RUN", "WORKDIR", "COPY", "CMD")


def lines():
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text(), flags=re.M)
    return re.sub(r"\\\n", "", text).strip().splitlines()


def test_the_containerfile_copies_what_there_is_and_makes_a_target_that_there_is():
    makefile = (ROOT / "Makefile").read_text()
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ".venv" in ignored and "results" in ignored
    for line in lines():
        instruction, rest = line.split(maxsplit=1)
        assert instruction in INSTRUCTIONS, line
        if instruction == "COPY":
            *sources, _ = rest.split()
            assert all((ROOT / source).exists() for source in sources), line
        for target in re.findall(r'make ([\w./-]+)|"make", "([\w-]+)"', rest):
            name = "".join(target)
            known = f"\n{name}:" in makefile or name == ".venv/.installed"
            assert known or name == "", line


def engine():
    """A container engine that answers."""
    for name in ("podman", "docker"):
        if shutil.which(name):
            asked = subprocess.run([name, "info"], capture_output=True)
            if asked.returncode == 0:
                return name
    return None


@pytest.mark.container
def test_the_container_is_built():
    name = engine()
    if name is None:
        pytest.skip("needs podman or docker")
    command = [name, "build", "--file", "Containerfile", "--tag", "cnntheory-test", "."]
    subprocess.run(command, cwd=ROOT, check=True)
