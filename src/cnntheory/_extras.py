"""Packages that only parts of the library need, and the extras that install them."""

import contextlib


@contextlib.contextmanager
def extra(name):
    """Name the extra that installs what cannot be imported in the block.

    Parameters
    ----------
    name : str
        An extra of ``pyproject.toml``.

    Raises
    ------
    ImportError
        A package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{error.name} is not installed; pip install 'cnntheory[{name}]' brings it",
            name=error.name,
        ) from error
