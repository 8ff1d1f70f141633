"""Images: MNIST and Fashion-MNIST found, fetched and verified; your own; and their patches.

`idx` reads the files, `datasets` says what lies where, `download` asks the mirrors, `patches` cuts.
"""

# A workflow asks `place` and `at_hand` each time it is parsed, which costs nothing: numpy, scipy,
# scikit-learn, pooch and requests are imported where they are used, and `patches` when asked for.
from .datasets import (
    FASHION,
    FASHION_FILES,
    FILES,
    KNOWN,
    MNIST,
    SMALL,
    at_hand,
    default_cache,
    find,
    load,
    open_images,
    own,
    place,
    small_mnist,
)
from .download import MIRRORS, fetch, reachable
from .idx import content_hash, read_idx, times

__all__ = [
    "FASHION",
    "FASHION_FILES",
    "FILES",
    "KNOWN",
    "MIRRORS",
    "MNIST",
    "SMALL",
    "at_hand",
    "content_hash",
    "default_cache",
    "extract_patches",
    "fetch",
    "find",
    "load",
    "open_images",
    "own",
    "patch_count",
    "place",
    "reachable",
    "read_idx",
    "small_mnist",
    "times",
    "write_patches",
]


def __getattr__(name: str):
    """The functions of `patches` when they are asked for: numpy is most of the start-up else."""
    if name in ("extract_patches", "patch_count", "write_patches"):
        from . import patches

        return getattr(patches, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
