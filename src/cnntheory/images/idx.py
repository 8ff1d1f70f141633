"""IDX files, the format of MNIST: read, verified and hashed."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy is most of the start-up
    from numpy.typing import NDArray


def read_idx(
    path: str | os.PathLike, expected: str | None = None, largest: int | None = None
) -> NDArray:
    """Read an IDX file of unsigned bytes, plain or gzipped (told by its first bytes).

    No more is read, or decompressed, than the array that the header states and one byte.

    Parameters
    ----------
    path : path
    expected : str, optional
        SHA-256 that the decompressed content must have.
    largest : int, optional
        Bytes that the decompressed content may have at most.

    Returns
    -------
    uint8 ndarray
        Read-only, of the shape that the file states.

    Raises
    ------
    ValueError
        Unreadable, truncated, damaged or of another format or content: names the file, what was
        expected, what was found and the mend.
    """
    try:
        return parse_idx(path, expected, largest)
    except OSError as error:
        defect = f"expected an IDX file, found: {error.strerror}"
    except ValueError as error:
        defect = str(error)
    raise ValueError(f"{path}: {defect}; replace it by an intact copy")


def parse_idx(path, expected=None, largest=None):
    """As `read_idx`, with errors that do not name the file.

    Raises
    ------
    ValueError
        Says what was expected and what was found.
    OSError
        The file cannot be read.
    """
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not packed:
            return _parse(file, expected, largest)
        try:
            with gzip.open(file) as content:
                return _parse(content, expected, largest)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(
                f"expected a whole gzip file, found a truncated or damaged one ({error})"
            ) from error


def _parse(file, expected, largest):
    """The array in an open IDX file."""
    import numpy as np

    # Two zero bytes, 8 for unsigned bytes, the number of axes; then the length of each axis.
    head = file.read(4)
    axes = head[3] if len(head) > 3 else 0
    if head[:3] != b"\0\0\x08" or not axes:
        raise ValueError(
            "expected the magic number of an IDX file of unsigned bytes (00 00 08, then the number "
            f"of axes), found {head.hex(' ') or 'an empty file'}"
        )
    head += file.read(4 * axes)
    if len(head) < 4 * (1 + axes):
        raise ValueError(
            f"expected a header of {4 * (1 + axes)} bytes, found {len(head)} bytes in all"
        )
    shape = struct.unpack_from(f">{axes}I", head, 4)
    size = len(head) + math.prod(shape)
    if largest is not None and size > largest:
        raise ValueError(f"expected at most {largest} bytes, found an array of {times(shape)}")
    content = bytearray(head)
    # Block by block: what the header states may be far more than what there is.
    while block := file.read(min(1 << 20, size + 1 - len(content))):
        content += block
    if len(content) != size:
        found = f"at least {len(content)}" if len(content) > size else len(content)
        raise ValueError(f"expected {size} bytes for an array of {times(shape)}, found {found}")
    array = np.frombuffer(content, np.uint8, offset=len(head)).reshape(shape)
    array.flags.writeable = False
    if expected is not None and (found := hashlib.sha256(content).hexdigest()) != expected:
        raise ValueError(
            f"expected content of SHA-256 {expected}, found an array of {times(shape)} of {found}"
        )
    return array


def content_hash(*arrays: NDArray) -> str:
    """SHA-256 over the contents of the IDX files that would hold `arrays`.

    Of one array, it is the hash of its file, and so comparable with those in `FILES`.

    Parameters
    ----------
    *arrays : uint8 ndarray
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape))
        digest.update(array.data if array.flags.c_contiguous else array.tobytes())
    return digest.hexdigest()


def times(shape: Iterable[int]) -> str:
    """A shape in words: ``(60000, 28, 28)`` is "60000 x 28 x 28"."""
    return " x ".join(str(length) for length in shape)
