"""Patches of images: what a convolutional filter sees."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

# Patches that are in memory at once, in bytes.
BLOCK = 1 << 23


def extract_patches(images, size, stride=1):
    """Cut images into square patches.

    Parameters
    ----------
    images : (n, height, width) array
    size : int
        Side of a patch in pixels.
    stride : int
        Distance between neighbouring patches in pixels, down and across.

    Returns
    -------
    (n, k, size * size) ndarray
        The k patches of an image in row-major order, the pixels of each in row-major order:
        ``k = ((height - size) // stride + 1) * ((width - size) // stride + 1)``. Pixels that the
        last stride does not reach belong to no patch.

    Raises
    ------
    ValueError
        `images` has not three axes, the patch does not fit, or the stride is below 1.
    """
    count = patch_count(images.shape, size, stride)
    windows = sliding_window_view(images, (size, size), axis=(1, 2))[:, ::stride, ::stride]
    return windows.reshape(len(images), count, size * size)


def patch_count(shape, size, stride=1):
    """Number k of patches that `extract_patches` cuts from each image.

    Parameters
    ----------
    shape : tuple
        ``(n, height, width)``.
    size, stride : int
        As for `extract_patches`.
    """
    if len(shape) != 3:
        raise ValueError(f"images: expected shape (n, height, width), found {tuple(shape)}")
    _, height, width = shape
    if not 1 <= size <= min(height, width):
        raise ValueError(
            f"patch size: expected 1 to {min(height, width)} for images of {height} x {width}, "
            f"found {size}"
        )
    if stride < 1:
        raise ValueError(f"stride: expected at least 1, found {stride}")
    return ((height - size) // stride + 1) * ((width - size) // stride + 1)


def write_patches(path, images, size, stride=1, count=None, progress=iter):
    """Write the patches of the first images to an ``.npy``, block by block.

    Parameters
    ----------
    path : path
        The file to write; its name is taken as it is.
    images : (n, height, width) uint8 array
        May be memory-mapped: a block of images is read at a time, and 8 MB of patches (or those
        of one image) are held.
    size, stride : int
        As for `extract_patches`.
    count : int, optional
        Number of images, the first of them; all by default.
    progress : callable, optional
        Wraps the iterable of blocks, as tqdm does.

    Raises
    ------
    ValueError
        As `extract_patches`, or `images` are not uint8, or fewer than `count`.
    OSError
        The file cannot be written; it is then incomplete.

    Notes
    -----
    The file is written, not memory-mapped: a full disk is an error here, and would be a fatal
    signal there.
    """
    count = len(images) if count is None else count
    per_image = patch_count(images.shape, size, stride)
    if images.dtype != np.uint8:
        raise ValueError(f"images: expected uint8, found {images.dtype}")
    if not 1 <= count <= len(images):
        raise ValueError(f"number of images: expected 1 to {len(images)}, found {count}")
    shape = (count, per_image, size * size)
    step = max(1, BLOCK // (per_image * size * size))
    with open(path, "wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for begin in progress(range(0, count, step)):
            block = images[begin : min(begin + step, count)]
            file.write(extract_patches(block, size, stride).data)
