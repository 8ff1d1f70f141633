"""Convergence theory of convolutional networks, measured: the mathematics of four papers.

`cnntheory.du2018` learns one filter, `cnntheory.zhong2017` several kernels, `cnntheory.ergen2021`
trains by convex programs, `cnntheory.allenzhu2019` trains wide networks. `cnntheory.images`,
`cnntheory.descent`, `cnntheory.search`, `cnntheory.shallow` and `cnntheory.stats` are what the
papers share; `cnntheory.examine` holds all four against a network of one's own. Each loads when it
is used.
"""

import importlib

__version__ = "0.2.0"

__all__ = [
    "allenzhu2019",
    "descent",
    "du2018",
    "ergen2021",
    "files",
    "images",
    "search",
    "shallow",
    "stats",
    "together",
    "zhong2017",
]


def __getattr__(name):
    if name == "examine":
        return importlib.import_module(f"{__name__}.together.examination").examine
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return [*__all__, "examine", "__version__"]
