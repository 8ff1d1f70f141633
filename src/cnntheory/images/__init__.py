"""Images: MNIST found, fetched and verified; its stand-in; your own; and their patches.

`idx` reads the files, `datasets` says what lies where, `download` asks the mirrors, `patches` cuts.
"""

# A workflow asks `place` and `at_hand` each time it is parsed, which costs nothing: numpy, scipy,
# scikit-learn, pooch and requests are imported where they are used, and `patches` when asked for.
from .datasets import (
    DIGITS,
    FILES,
    MNIST,
    at_hand,
    default_cache,
    digits,
    find,
    load,
    open_images,
    own,
    place,
)
from .download import MIRRORS, fetch
from .idx import content_hash, read_idx, times

__all__ = [
    "DIGITS",
    "FILES",
    "MIRRORS",
    "MNIST",
    "at_hand",
    "content_hash",
    "default_cache",
    "digits",
    "extract_patches",
    "fetch",
    "find",
    "load",
    "open_images",
    "own",
    "patch_count",
    "place",
    "read_idx",
    "times",
    "write_patches",
]


def __getattr__(name):
    """The functions of `patches` when they are asked for: numpy is most of the start-up else."""
    if name in ("extract_patches", "patch_count", "write_patches"):
        from . import patches

        return getattr(patches, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
