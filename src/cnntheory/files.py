"""Files that appear whole or not at all, whoever else writes them and however a writer ends."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside `path`, moved onto it only when the block succeeds.

    Several writers of one file do not meet: the last to succeed is found in the end. What writers
    that were killed have left of the same file is removed.

    Parameters
    ----------
    path : path
        Its folder must exist.

    Raises
    ------
    OSError
        The file cannot be written; what was there before is there still.
    """
    path = Path(path)
    for left in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 16}.part"):
        _remove_unless_written(left)
    part, file = _create(path)
    try:
        yield part
        # Its content first: after a power cut a name must not stand for a file that is not there.
        os.fsync(file)
        os.replace(part, path)
    finally:
        with contextlib.suppress(OSError):  # moved, or its folder is gone
            part.unlink()
        os.close(file)


def _create(path):
    """A temporary file beside `path`, locked as long as its writer lives: its path and number."""
    import fcntl  # there is none on Windows, where the rest of the library works

    while True:
        part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
        file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        # Where locks are unknown, nobody can tell that the writer is dead, and nothing is removed.
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink:  # else another writer took it for a dead one's before the lock
            return part, file
        os.close(file)


def _remove_unless_written(part):
    """Remove a temporary file whose writer is dead."""
    import fcntl

    with contextlib.suppress(OSError):
        file = os.open(part, os.O_RDWR)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()
        finally:
            os.close(file)
