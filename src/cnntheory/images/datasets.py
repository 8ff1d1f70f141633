"""Data sets of images: MNIST found and verified, the digits that stand in for it, your own.

A data set is a dictionary with the keys of `FILES`: images are ``(n, height, width)``, labels
``(n,)``, all of type uint8. Labels and test images that do not exist are arrays of length 0.
"""

import os
from pathlib import Path

from .idx import content_hash, read_idx, times

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
# What the column `data` of tables, figures and verdicts reads.
MNIST = "MNIST"
DIGITS = "digits (scikit-learn)"


def default_cache():
    """Folder in the user's cache where the files are kept unless told otherwise."""
    import pooch

    return pooch.os_cache("cnntheory") / "mnist"


def place(path=None, cache=None):
    """Where the files of MNIST are looked for: ``(name, folder)``.

    A folder that is given is the only one that counts: where it does not hold MNIST, that is an
    error and no reason to look further.

    Parameters
    ----------
    path, cache : path or None
        `mnist.path` and `mnist.cache` of the configuration.

    Returns
    -------
    name : {"mnist.path", "MNIST_DIR", "cache"}
        What names the folder: the path, else the environment variable, else the cache.
    folder : pathlib.Path
    """
    for name, folder in (("mnist.path", path), ("MNIST_DIR", os.environ.get("MNIST_DIR"))):
        if folder:
            return name, Path(folder).expanduser()
    folder = cache or os.environ.get("CNNTHEORY_CACHE") or default_cache()
    return "cache", Path(folder).expanduser()


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


def at_hand(folder):
    """Whether the four files of MNIST exist in `folder`; contents unread."""
    return len(find(folder)) == len(FILES)


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
