"""The images: MNIST found, fetched and verified; the digits that stand in for it; your own.

A data set is a dictionary with the keys of `FILES`: images are ``(n, height, width)``, labels
``(n,)``, all of type uint8. Labels and test images that do not exist are arrays of length 0.
"""

import contextlib
import gzip
import hashlib
import logging
import math
import queue
import struct
import tempfile
import threading
import time
import zlib
from pathlib import Path

# numpy, scipy, scikit-learn, requests and pooch are imported where they are used: a workflow asks
# `at_hand` each time it is parsed, which then costs nothing.

log = logging.getLogger(__name__)

# Key: name of the IDX file, SHA-256 of its decompressed content.
FILES = {
    "train_images": (
        "train-images-idx3-ubyte",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train_labels": (
        "train-labels-idx1-ubyte",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "test_images": (
        "t10k-images-idx3-ubyte",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "test_labels": (
        "t10k-labels-idx1-ubyte",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}
MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# What the column `data` of tables, figures and verdicts reads.
MNIST = "MNIST"
DIGITS = "digits (scikit-learn)"


def default_cache():
    """Folder in the user's cache where the files are kept unless told otherwise."""
    import pooch

    return pooch.os_cache("cnntheory") / "mnist"


def find(folder, files=FILES):
    """Paths of those `files` that exist in `folder`, plain or with ``.gz``; contents unread.

    Parameters
    ----------
    folder : path
    files : mapping, optional
        As `FILES`.

    Returns
    -------
    dict
        Key to `pathlib.Path`; the plain file where both exist.
    """
    found = {}
    for key, (name, _) in files.items():
        for path in (Path(folder, name), Path(folder, f"{name}.gz")):
            if path.is_file():
                found.setdefault(key, path)
    return found


def at_hand(path=None, mnist_dir=None, cache=None):
    """Whether the four files of MNIST exist in the folder that would be looked into.

    Parameters
    ----------
    path, mnist_dir, cache : path or None
        The first that is given decides, `default_cache` where none is. Contents are unread.
    """
    folder = Path(path or mnist_dir or cache or default_cache()).expanduser()
    return len(find(folder)) == len(FILES)


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
        return _parse(Path(path).read_bytes(), expected)
    except OSError as error:
        defect = f"expected an IDX file, found: {error.strerror}"
    except ValueError as error:
        defect = error
    raise ValueError(f"{path}: {defect}; replace it by an intact copy")


def _parse(content, expected=None):
    """The array in the bytes of an IDX file; a ValueError says what was expected and found."""
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


def times(shape):
    """A shape in words: ``(60000, 28, 28)`` is "60000 x 28 x 28"."""
    return " x ".join(str(length) for length in shape)


def load(folder, files=FILES):
    """Read the four files of MNIST from `folder` and verify them.

    Parameters
    ----------
    folder : path
    files : mapping, optional
        As `FILES`.

    Returns
    -------
    dict
        Key to uint8 array.

    Raises
    ------
    ValueError
        A file is missing, damaged or of another content.
    """
    found = find(folder, files)
    missing = [name for key, (name, _) in files.items() if key not in found]
    if missing:
        raise ValueError(
            f"{folder}: expected the {len(files)} files of MNIST, plain or with .gz, found no "
            f"{', '.join(missing)}; name the folder that holds them all"
        )
    return {key: read_idx(found[key], expected) for key, (_, expected) in files.items()}


def fetch(cache, mirrors=MIRRORS, files=FILES, patience=30.0, attempts=3, progress=None):
    """Read MNIST from `cache`; download what is missing or damaged there.

    The mirrors are asked in turn. One that does not answer, breaks off or sends other content
    is left for the next one; a file enters the cache when it has been verified, not before.

    Parameters
    ----------
    cache : path
        Folder of the files, made when needed.
    mirrors : sequence of str
        Addresses of folders that hold the gzipped files.
    files : mapping, optional
        As `FILES`.
    patience : float
        Seconds until some mirror answers, over all mirrors and attempts; also until the next
        bytes of a download.
    attempts : int
        How often a mirror is asked for a file.
    progress : callable, optional
        ``progress(label)`` makes a progress bar that pooch accepts, such as tqdm's.

    Returns
    -------
    dict
        Key to uint8 array.

    Raises
    ------
    ConnectionError
        No mirror answered.
    OSError
        The cache cannot be written, or mirrors answered but none sent the right content.
    """
    import requests

    found = find(cache, files)
    arrays = {}
    for key, path in found.items():
        try:
            arrays[key] = read_idx(path, files[key][1])
        except ValueError as error:
            log.warning("cache: %s (fetching one now)", error)
    mirrors = list(mirrors)
    wait = patience / max(1, attempts * len(mirrors))
    answered = False
    for key in [key for key in files if key not in arrays]:
        name, expected = files[key]
        defects = []
        with _scratch(cache) as folder:
            part = folder / f"{name}.gz"
            for mirror in mirrors:
                url = f"{mirror.rstrip('/')}/{part.name}"
                try:
                    arrays[key] = _download(url, part, expected, attempts, wait, patience, progress)
                except requests.RequestException as error:
                    defects.append(f"{url}: {_reason(error)}")
                except ValueError as error:
                    defects.append(f"{url}: {error}")
                    answered = True
                else:
                    part.replace(Path(cache, part.name))
                    if key in found and found[key].name != part.name:
                        found[key].unlink()
                    # What has just worked is asked first for the next file.
                    mirrors.sort(key=lambda other, good=mirror: other != good)
                    answered = True
                    break
        if key not in arrays:
            said = ", ".join(defects) or "the list of mirrors is empty"
            if not answered:
                raise ConnectionError(f"no mirror of MNIST answered within {patience:g} s ({said})")
            raise OSError(
                f"{name}: expected it from a mirror, found none that sent it whole ({said}); try "
                f"again later, or put the {len(files)} files into {cache}"
            )
    return {key: arrays[key] for key in files}


@contextlib.contextmanager
def _scratch(cache):
    """A folder inside the cache for what is not verified yet; it leaves nothing behind."""
    try:
        Path(cache).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=cache) as folder:
            yield Path(folder)
    except OSError as error:
        raise OSError(
            f"{cache}: expected a cache that can be written, found: {error.strerror or error}; "
            "free some space, make it writable or name another folder"
        ) from error


def _download(url, path, expected, attempts, wait, patience, progress):
    """Download `url` to `path` and read it.

    Raises `requests.RequestException` where nobody answered, ValueError where the answer was cut
    short or is not the expected content.
    """
    import pooch
    import requests

    for attempt in range(attempts):
        begin = time.monotonic()
        try:
            _expect_answer(url, wait)
        except requests.RequestException as error:
            failure = error
        else:
            bar = progress(path.name) if progress else None
            download = pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 16, timeout=patience)
            try:
                download(url, path, None)
                return _parse(path.read_bytes(), expected)
            except requests.RequestException as error:
                failure = ValueError(f"the download broke off ({_reason(error)})")
            finally:
                if bar is not None:
                    bar.close()
        if attempt < attempts - 1:
            time.sleep(max(0, min(1, begin + wait - time.monotonic())))
    raise failure


def _expect_answer(url, wait):
    """Raise `requests.RequestException` unless `url` is offered within `wait` seconds.

    The question is put in a thread: looking up a name has no time limit, and connecting to it has
    one for each of its addresses.
    """
    import requests

    outcome = queue.SimpleQueue()

    def ask():
        try:
            requests.head(url, timeout=wait, allow_redirects=True).raise_for_status()
            outcome.put(None)
        except requests.RequestException as error:
            outcome.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        error = outcome.get(timeout=wait)
    except queue.Empty:
        error = requests.Timeout()
    if error:
        raise error


def _reason(error):
    """A few words for a `requests.RequestException`, whose own text is a page."""
    import requests

    if isinstance(error, requests.HTTPError):
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    # The reason that urllib3 names is the one a reader can use, e.g. NameResolutionError.
    cause = error.args[0] if error.args else error
    return f"cannot be reached ({type(getattr(cause, 'reason', error)).__name__})"


def digits():
    """The 1797 handwritten digits that ship with scikit-learn, enlarged to 28 x 28.

    They stand in for MNIST where it cannot be had. The originals are 8 x 8 counts from 0 to 16,
    interpolated linearly here and scaled to 0 .. 255. The last 297 are the test set, by other
    writers than the first 1500.

    Returns
    -------
    dict
        Key to uint8 array.
    """
    import numpy as np
    from scipy import ndimage
    from sklearn.datasets import load_digits

    bunch = load_digits()
    factor = (1, 28 / 8, 28 / 8)
    images = ndimage.zoom(bunch.images, factor, order=1, mode="nearest", grid_mode=True)
    images = np.rint(images * (255 / 16)).astype(np.uint8)
    labels = bunch.target.astype(np.uint8)
    return {
        "train_images": images[:1500],
        "train_labels": labels[:1500],
        "test_images": images[1500:],
        "test_labels": labels[1500:],
    }


def own(path, files=FILES):
    """Read images of your own: a folder of IDX files, or an ``.npy`` of images.

    Parameters
    ----------
    path : path
        The folder holds IDX files under the names of MNIST's; labels and the test set may be
        absent. The array is ``(n, height, width)``, integers in 0 .. 255 or floats in [0, 1].
    files : mapping, optional
        As `FILES`.

    Returns
    -------
    name : str
        `MNIST` where the content is MNIST's, wherever it came from, else ``"own (<name>)"``.
    arrays : dict
        Key to uint8 array.

    Raises
    ------
    ValueError
        No such data, or of another shape, type or range.
    """
    import numpy as np

    path = Path(path)
    if path.is_dir():
        arrays = {key: read_idx(file) for key, file in find(path, files).items()}
    elif path.is_file():
        arrays = {"train_images": _to_uint8(open_images(path), path)}
    else:
        raise ValueError(
            f"dataset {path}: expected auto, mnist, a folder of IDX files or an .npy of images, "
            "found no such file or folder; correct the path"
        )
    if "train_images" not in arrays:
        raise ValueError(
            f"{path}: expected a file {files['train_images'][0]}, plain or with .gz, found none; "
            "name the images so"
        )
    empty = np.empty((0, *arrays["train_images"].shape[1:]), np.uint8)
    arrays.setdefault("test_images", empty)
    for split in ("train", "test"):
        arrays.setdefault(f"{split}_labels", np.empty(0, np.uint8))
        _check(arrays, split, path)
    genuine = all(
        content_hash(arrays[key]) == expected
        for key, (_, expected) in files.items()
        if len(arrays[key])
    )
    name = MNIST if genuine else f"own ({path.resolve().name})"
    return name, {key: arrays[key] for key in files}


def _check(arrays, split, path):
    """Refuse a split of a data set whose shapes do not fit."""
    images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
    height_width = arrays["train_images"].shape[1:]
    if images.ndim != 3 or (split == "train" and not images.size):
        raise ValueError(
            f"{path}: expected {split} images of shape (n, height, width), none of them 0, found "
            f"{images.shape}; reshape them"
        )
    if images.shape[1:] != height_width:
        raise ValueError(
            f"{path}: expected {split} images of {times(height_width)} like the training images, "
            f"found {times(images.shape[1:])}; resize them"
        )
    if labels.ndim != 1 or (len(labels) and len(labels) != len(images)):
        raise ValueError(
            f"{path}: expected {len(images)} {split} labels, one for each image, found an array of "
            f"{times(labels.shape)}; mend or leave out the file of labels"
        )


def open_images(path):
    """Open an ``.npy`` of images without loading it.

    Parameters
    ----------
    path : path

    Returns
    -------
    (n, height, width) ndarray
        Memory-mapped, read-only.

    Raises
    ------
    ValueError
        Not an ``.npy``, truncated, or not of three axes with something on each.
    """
    import numpy as np

    try:
        images = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(
            f"{path}: expected a whole .npy of images, found: {reason}; replace it by what "
            "numpy.save writes"
        ) from error
    if images.ndim != 3 or not images.size:
        raise ValueError(
            f"{path}: expected images of shape (n, height, width), none of them 0, found "
            f"{images.shape}; reshape them"
        )
    return images


def _to_uint8(images, path):
    """Integers in 0 .. 255, or floats in [0, 1] (scaled), as uint8; block by block."""
    import numpy as np

    kind = images.dtype.kind
    top = {"u": 255, "i": 255, "f": 1}.get(kind)
    if top is None:
        raise ValueError(
            f"{path}: expected integers or floats, found {images.dtype}; convert the images"
        )
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= top):  # written so that NaN is refused
        raise ValueError(
            f"{path}: expected {'floats in [0, 1]' if kind == 'f' else 'integers in 0 .. 255'}, "
            f"found {images.dtype} from {low} to {high}; rescale the images"
        )
    if images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    out = np.empty(images.shape, np.uint8)
    for begin in range(0, len(images), 1024):
        block = images[begin : begin + 1024]
        out[begin : begin + 1024] = np.rint(block * (255 // top))
    return out
