"""IDX files, the format of MNIST: read, verified and hashed."""

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path


def read_idx(path, expected=None):
    """Read an IDX file of unsigned bytes, plain or gzipped (told by its first bytes).

    Parameters
    ----------
    path : path
    expected : str, optional
        SHA-256 that the decompressed content must have.

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
        return parse_idx(Path(path).read_bytes(), expected)
    except OSError as error:
        defect = f"expected an IDX file, found: {error.strerror}"
    except ValueError as error:
        defect = error
    raise ValueError(f"{path}: {defect}; replace it by an intact copy")


def parse_idx(content, expected=None):
    """The array in the bytes of an IDX file, plain or gzipped.

    Parameters
    ----------
    content : bytes
    expected : str, optional
        As for `read_idx`.

    Returns
    -------
    uint8 ndarray
        Read-only, of the shape that the bytes state.

    Raises
    ------
    ValueError
        Says what was expected and what was found.
    """
    import numpy as np

    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(
                f"expected a whole gzip file, found a truncated or damaged one ({error})"
            ) from error
    # Two zero bytes, 8 for unsigned bytes, the number of axes; then the length of each axis.
    axes = content[3] if len(content) > 3 else 0
    if content[:3] != b"\0\0\x08" or not axes:
        raise ValueError(
            "expected the magic number of an IDX file of unsigned bytes (00 00 08, then the number "
            f"of axes), found {content[:4].hex(' ') or 'an empty file'}"
        )
    header = 4 * (1 + axes)
    if len(content) < header:
        raise ValueError(f"expected a header of {header} bytes, found {len(content)} bytes in all")
    shape = struct.unpack(f">{axes}I", content[4:header])
    size = header + math.prod(shape)
    if len(content) != size:
        raise ValueError(
            f"expected {size} bytes for an array of {times(shape)}, found {len(content)}"
        )
    array = np.frombuffer(content, np.uint8, offset=header).reshape(shape)
    if expected is not None and (found := hashlib.sha256(content).hexdigest()) != expected:
        raise ValueError(
            f"expected content of SHA-256 {expected}, found an array of {times(shape)} of {found}"
        )
    return array


def content_hash(*arrays):
    """SHA-256 over the contents of the IDX files that would hold `arrays`.

    Of one array, it is the hash of its file, and so comparable with those in `FILES`.

    Parameters
    ----------
    *arrays : uint8 ndarray
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape))
        digest.update(array if array.flags.c_contiguous else array.tobytes())
    return digest.hexdigest()


def times(shape):
    """A shape in words: ``(60000, 28, 28)`` is "60000 x 28 x 28"."""
    return " x ".join(str(length) for length in shape)
