"""Which project modules a Python file imports: what a rule lists as its code."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Where a project module's file may lie; both are on PYTHONPATH when a step runs.
ROOTS = ("src", ".")
PACKAGES = ("cnntheory", "workflow")


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


@functools.cache
def _direct(path):
    """Project files that the file at `path` imports itself, in any block."""
    inside = Path(path).relative_to("src") if path.startswith("src/") else Path(path)
    package = inside.parent.parts
    files = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(), path)):
        if isinstance(node, ast.Import):
            modules = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *filter(None, [node.module])))
            modules = [module, *(f"{module}.{name.name}" for name in node.names)]
        else:
            continue
        for module in modules:
            if module.split(".")[0] in PACKAGES:
                files.update(_files(module))
    return files


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
