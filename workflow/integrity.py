"""Results that a crash, a full disk or a hand has damaged: found by their ends and made again."""

import contextlib
import sys
from pathlib import Path

# How a whole file of ours begins and ends.
ENDS = {
    ".parquet": (b"PAR1", b"PAR1"),
    ".npy": (b"\x93NUMPY", b""),
    ".json": ((b"{", b"["), (b"}\n", b"]\n")),
}


def damaged(path):
    """Whether a file is empty, cut short or something else: by its first and last bytes alone."""
    begin, end = ENDS[Path(path).suffix]
    with open(path, "rb") as file:
        first = file.read(8)
        file.seek(max(0, file.seek(0, 2) - 8))
        return not (first.startswith(begin) and file.read().endswith(end))


def remove_damaged(paths):
    """Remove what is damaged and say so: Snakemake then makes it again, or lets it be.

    To be read, it would cost the figures made from it: Snakemake removes them before it tries.

    Parameters
    ----------
    paths : iterable of str
        Files that rules write; those that are not there are passed over.
    """
    for path in paths:
        with contextlib.suppress(OSError):
            if damaged(path):
                Path(path).unlink()
                print(f"{path} was damaged: removed, to be made again", file=sys.stderr)
