"""Four theories on one network: what does each say of yours?

`examine` holds a torch module and its data against the theorems of all four papers; `save_model`
and `load_model` keep a chain of layers in a file without code, for ``python -m cnntheory examine``.
"""

from .._lazy import lazy

_HOME = {
    "examine": "examination",
    "Report": "report",
    "Theory": "report",
    "Hypothesis": "report",
    "save_model": "files",
    "load_model": "files",
}

__getattr__, __dir__, __all__ = lazy(__name__, _HOME)
