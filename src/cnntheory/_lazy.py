"""Modules and names of a package that load when they are asked for (SPEC 1)."""

from __future__ import annotations

from contextlib import nullcontext
from importlib import import_module

from ._extras import extra


def lazy(package, homes, modules=(), needs=None):
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : dict of str
        Names that it offers, and the module of each.
    modules : iterable of str, optional
        Modules that it offers as such.
    needs : str, optional
        The extra without which nothing of it can be imported.
    """
    names = [*modules, *homes]

    def __getattr__(name):
        with extra(needs) if needs else nullcontext():
            if name in modules:
                return import_module(f"{package}.{name}")
            if name in homes:
                return getattr(import_module(f"{package}.{homes[name]}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return __getattr__, lambda: names, names
