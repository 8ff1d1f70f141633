"""What a Python file imports: the project's modules, a rule's code, and the packages that compute.

An edit of the one and an upgrade of the other change results, so both make Snakemake run a rule
again.
"""

import ast
import functools
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
# Where a project module's file may lie; both are on PYTHONPATH when a step runs.
ROOTS = ("src", ".")
PACKAGES = ("cnntheory", "workflow")
# An import and what stands behind it, over several lines if its names are in brackets.
IMPORT = re.compile(r"(?:^|[:;])[ \t]*((?:import|from)\b[^\n(]*(?:\([^)]*\)[^\n]*)?)", re.M)
# Modules of packages that results depend on, to the packages' names in envs/ and those behind them.
NUMERICAL = {
    "cma": ("cma", "numpy"),
    "matplotlib": ("matplotlib",),
    "numpy": ("numpy",),
    "pandas": ("pandas", "numpy"),
    "pyarrow": ("pyarrow",),
    "scipy": ("scipy", "numpy"),
    "seaborn": ("seaborn", "matplotlib", "scipy"),
    "sklearn": ("scikit-learn", "scipy", "numpy"),
    "torch": ("pytorch-cpu",),
}


@functools.cache
def _files(module):
    """Files that importing `module` (dotted) runs: the packages' ``__init__`` and the module."""
    parts = module.split(".")
    found = []
    for end in range(1, len(parts) + 1):
        for root in ROOTS:
            base = Path(root, *parts[:end])
            for path in (base / "__init__.py", base.with_suffix(".py")):
                if (ROOT / path).is_file():
                    found.append(path.as_posix())
    return found


def _import_statements(path):
    """Imports in any block of a file. Of its text only they are parsed, which takes a tenth."""
    text = (ROOT / path).read_text()
    try:
        tree = ast.parse("\n".join(IMPORT.findall(text)))
    except SyntaxError:  # prose that begins a line like an import, or an import of another shape
        tree = ast.parse(text, path)
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


@functools.cache
def _modules(path):
    """Modules (dotted) that the file at `path` imports itself, in any block; of both readings."""
    inside = Path(path).relative_to("src") if path.startswith("src/") else Path(path)
    package = inside.parent.parts
    found = set()
    for node in _import_statements(path):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        else:
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            homes = _homes(module)
            for name in node.names:
                found.update([module, f"{module}.{homes.get(name.name, name.name)}"])
    return found


@functools.cache
def _homes(package):
    """Names that a package offers when they are asked for, and the module of each: its stub."""
    stub = ROOT / "src" / Path(*package.split(".")) / "__init__.pyi"
    if not stub.is_file():
        return {}
    nodes = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
    return {name.name: node.module for node in nodes if node.module for name in node.names}


@functools.cache
def _direct(path):
    """Project files that the file at `path` imports itself."""
    modules = [name for name in _modules(path) if name.split(".")[0] in PACKAGES]
    return {file for module in modules for file in _files(module)}


def imports(script):
    """Project files that `script` imports, directly or through others, sorted.

    Parameters
    ----------
    script : str
        Path of a Python file relative to the project's root.
    """
    seen, todo = set(), [str(script)]
    while todo:
        for path in _direct(todo.pop()) - seen:
            seen.add(path)
            todo.append(path)
    return sorted(seen - {str(script)})


@functools.cache
def pinned(environment):
    """Package to version in ``envs/<environment>.yaml``."""
    lines = yaml.safe_load((ROOT / f"envs/{environment}.yaml").read_text())["dependencies"]
    return dict(line.split(" ", 1) for line in lines)


def versions(script, environment="compute"):
    """Numerical packages that `script` imports, itself or through others, as they are pinned.

    The pins, not what is installed: they are the same with pip and with conda.

    Parameters
    ----------
    script : str
        Path of a Python file relative to the project's root.
    environment : str
        That of the rule that runs it, ``"compute"`` or ``"studies"``.

    Returns
    -------
    str
        ``"numpy =2.4.6, pandas =3.0.3"``, in alphabetic order; what the environment does not hold
        is not named.
    """
    modules = {name for path in (str(script), *imports(script)) for name in _modules(path)}
    tops = {name.split(".")[0] for name in modules}
    packages = {package for top in tops for package in NUMERICAL.get(top, ())}
    pins = pinned(environment)
    return ", ".join(f"{package} {pins[package]}" for package in sorted(packages & set(pins)))
