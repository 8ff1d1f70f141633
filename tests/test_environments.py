"""The environments of pip and of conda agree, and hold what the code imports."""

import ast
import functools
import importlib.metadata
import itertools
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from workflow.closure import imports

ROOT = Path(__file__).resolve().parents[1]
OURS = {"cnntheory", "workflow"}
# Name on the Python package index of a conda package, where the two differ.
PIP_NAMES = {"pytorch-cpu": "torch"}
# Name on the Python package index of what is imported, where the two differ.
PACKAGES = {
    "fontTools": "fonttools",
    "pydantic_core": "pydantic",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


def lock(name="requirements"):
    """Package to version in requirements.txt, which the workflow runs with."""
    lines = (ROOT / f"{name}.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {name.lower().replace("_", "-"): version for name, version in pins}


def everything():
    """Package to version where the tests run."""
    return lock() | lock("requirements-test")


def extras():
    """Extra of the library, or "" for what it always needs, to requirements."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = {"": project["dependencies"]} | project["optional-dependencies"]
    return {extra: [Requirement(line) for line in asked] for extra, asked in lines.items()}


def environment(name):
    return yaml.safe_load((ROOT / f"envs/{name}.yaml").read_text())


def packages(name):
    """Package, as named by pip, to what is asked of its version."""
    asked = dict(line.split(" ", 1) for line in environment(name)["dependencies"])
    return {PIP_NAMES.get(package, package): version for package, version in asked.items()}


@functools.cache
def third_party(path):
    """Packages, as named by pip, that a file imports itself, in any block."""
    modules = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            modules |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules.add(node.module.split(".")[0])
    modules -= OURS | sys.stdlib_module_names
    return {PACKAGES.get(module, module) for module in modules}


def steps(pattern):
    """The files that a rule's ``input.step`` with wildcards stands for."""
    return [
        path.relative_to(ROOT).as_posix() for path in ROOT.glob(re.sub(r"\{\w+\}", "*", pattern))
    ]


@pytest.mark.parametrize("name", ["requirements", "requirements-test"])
def test_every_line_of_a_lock_pins_one_version(name):
    for line in (ROOT / f"{name}.txt").read_text().splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9a-z.]*", line), line
    assert len(lock(name)) > 20


@pytest.mark.parametrize("name", ["requirements", "requirements-test"])
def test_every_file_that_is_installed_has_a_known_hash(name):
    # torch has a build for every kind of accelerator: its version is pinned, its files are not
    lines = (ROOT / f"{name}.lock").read_text().replace("\\\n", " ").splitlines()
    entries = [line.split() for line in lines if not line.lstrip().startswith("#")]
    found = {}
    for pin, *hashes in entries:
        package, version = pin.split("==")
        found[package.lower().replace("_", "-")] = version
        assert hashes, pin
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", part) for part in hashes), pin
    assert found == {k: v for k, v in lock(name).items() if k != "torch"}, "run make pins"


def test_the_licence_of_every_package_is_listed():
    lines = (ROOT / "docs/licences.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in lines if "|" in line]
    listed = {
        name.lower().replace("_", "-"): version.split("+")[0] for name, version, _ in rows[2:]
    }
    assert listed == everything(), "run make pins"
    for name, _, licence in rows[2:]:
        # what Snakemake's own interfaces say only in their repositories
        assert licence != "UNKNOWN" or name.startswith(("snakemake-interface", "conda-inject")), (
            name
        )


def test_no_package_is_pinned_twice():
    assert not set(lock()) & set(lock("requirements-test"))


def test_the_workflow_runs_without_what_tests_it():
    tools = {"clarabel", "cvxpy", "hypothesis", "pytest", "ruff", "scs", "snakefmt"}
    assert tools <= set(lock("requirements-test"))
    for folder in ("src", "workflow"):
        for path in (ROOT / folder).rglob("*.py"):
            assert third_party(path) <= set(lock()), path


def test_the_locks_hold_what_the_tests_import():
    here = {"tests", "playwright", "axe-playwright-python"}  # the browser's test has its own pins
    for path in (ROOT / "tests").rglob("*.py"):
        assert third_party(path) - here <= set(everything()), path


def test_what_runs_asks_for_no_package_of_the_tests():
    for package in lock():
        for line in importlib.metadata.requires(package) or []:
            asked = Requirement(line)
            if not asked.marker or asked.marker.evaluate({"extra": ""}):
                name = asked.name.lower().replace("_", "-")
                assert name not in lock("requirements-test"), (package, line)


def test_the_locks_answer_what_the_library_asks_for():
    for asked in itertools.chain(*extras().values()):
        if asked.name != "cnntheory":
            assert asked.specifier.contains(everything()[asked.name]), asked


@pytest.mark.parametrize("name", ["compute", "examine", "studies"])
def test_conda_environments_have_the_versions_of_the_lock(name):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for package, version in packages(name).items():
        wanted = project["requires-python"] if package == "python" else f"={lock()[package]}"
        assert version == wanted, package


def test_the_environment_of_snakemake_admits_the_locked_version():
    asked = packages("snakemake")["snakemake-minimal"]
    assert SpecifierSet(asked).contains(lock()["snakemake"])
    needed = re.search(r'min_version\("(.+)"\)', (ROOT / "Snakefile").read_text())[1]
    assert f">={needed}" in asked


def test_channels():
    assert sorted(path.stem for path in (ROOT / "envs").glob("*.yaml")) == [
        "compute",
        "examine",
        "snakemake",
        "studies",
    ]
    for name in ("compute", "examine", "studies"):
        assert environment(name)["channels"] == ["conda-forge", "nodefaults"]
    assert environment("snakemake")["channels"] == ["conda-forge", "bioconda", "nodefaults"]


def test_every_rule_with_a_command_has_an_environment_that_provides_its_imports(rules, declared):
    for rule, text in rules.items():
        if "\nshell:" not in text:
            continue
        name = re.search(r'^conda:\n +"\.\./\.\./envs/(\w+)\.yaml"', text, re.M)[1]
        if rule == 'step["rule"]':
            files = [f"workflow/scripts/{step['paper']}/{step['name']}.py" for step in declared]
        else:
            files = steps(re.search(r'step="(.+)"', text)[1])
        assert files, rule
        for path in files:
            needed = set().union(*map(third_party, [path, *imports(path)]))
            assert needed <= set(packages(name)), (rule, path)


def test_studies_load_no_torch():
    assert "torch" not in packages("studies")


def test_the_library_imports_only_its_dependencies_and_extras():
    asked = extras()
    del asked["dev"]
    declared = {requirement.name for requirement in itertools.chain(*asked.values())}
    for path in (ROOT / "src/cnntheory").rglob("*.py"):
        assert third_party(path.relative_to(ROOT)) <= declared, path


def test_the_targets_that_the_readme_names_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M)) | {".venv/.installed"}
    assert "ENVIRONMENT := .venv/.installed\n" in makefile and "\n$(ENVIRONMENT): " in makefile
    readme = (ROOT / "README.md").read_text()
    # In code only: "make" is a word of English too.
    code = re.findall(r"^    (.+)|`([^`\n]+)`", readme, re.M)
    words = re.findall(r"\bmake (?:[A-Z]+=\S+ )*([a-z./]+)", "\n".join(map("".join, code)))
    assert {"figures", "test", "quick"} <= set(words) <= targets
    phony = re.search(r"^\.PHONY: (.+)", makefile, re.M)[1].split()
    assert set(phony) == targets - {".venv/.installed"}


def test_the_figures_need_no_packages_of_the_tests():
    makefile = (ROOT / "Makefile").read_text()
    needs = dict(re.findall(r"^([a-z-]+|\$\(\w+\)): ([^#\n]*)", makefile, re.M))
    assert needs["figures"].split() == needs["quick"].split() == ["$(ENVIRONMENT)"]
    assert "requirements-test.lock" not in needs["$(ENVIRONMENT)"]
    assert needs["$(TESTING)"].split() == ["requirements-test.lock", "$(ENVIRONMENT)"]
    tests = ("test", "test-library", "test-pipeline", "test-workflow")
    for target in (*tests, "lint", "bench", "browser", "pins"):
        assert needs[target].split() == ["$(TESTING)"], target


def test_ci_runs_make_test():
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    assert "make test" in script.read_text().splitlines()
