"""Four theories on one network: what does each say of yours?

`examine` holds a torch module and its data against the theorems of all four papers; `save_model`
and `load_model` keep a chain of layers in a file without code, for ``python -m cnntheory examine``.
"""

from importlib import import_module

_HOME = {
    "examine": "examination",
    "Report": "report",
    "Theory": "report",
    "Hypothesis": "report",
    "save_model": "files",
    "load_model": "files",
}

__all__ = list(_HOME)


def __getattr__(name):
    """A name, when it is asked for: torch is most of the start-up otherwise."""
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
