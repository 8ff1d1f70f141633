"""Six images that are taken for MNIST, and the folders that hold them."""

import gzip
import hashlib
import struct

import numpy as np
import pytest

from cnntheory import images

NAMES = {key: name for key, (name, _) in images.FILES.items()}


@pytest.fixture(scope="session")
def six():
    """A data set of six training and two test images."""
    return {
        "train_images": (np.arange(6 * 28 * 28) % 251).astype(np.uint8).reshape(6, 28, 28),
        "train_labels": np.array([3, 1, 4, 1, 5, 9], np.uint8),
        "test_images": (np.arange(2 * 28 * 28) % 241).astype(np.uint8).reshape(2, 28, 28),
        "test_labels": np.array([2, 7], np.uint8),
    }


@pytest.fixture(scope="session")
def idx():
    """``idx(array)``: the bytes of the IDX file of a uint8 array."""

    def idx(array):
        header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        return header + array.tobytes()

    return idx


@pytest.fixture(scope="session")
def contents(six, idx):
    """Name to bytes of the IDX files of the six images."""
    return {NAMES[key]: idx(array) for key, array in six.items()}


@pytest.fixture(scope="session")
def files(contents):
    """The table that takes the six images for MNIST."""
    return {key: (name, hashlib.sha256(contents[name]).hexdigest()) for key, name in NAMES.items()}


@pytest.fixture(scope="session")
def write(contents, idx):
    """``write(folder, suffix=".gz", **changes)`` writes the six images to a folder.

    `changes` replaces by key what a file holds: an array, bytes, or None for no file.
    """

    def write(folder, suffix=".gz", **changes):
        folder.mkdir(parents=True, exist_ok=True)
        for key, name in NAMES.items():
            content = changes.get(key, contents[name])
            if isinstance(content, np.ndarray):
                content = idx(content)
            if content is not None:
                packed = gzip.compress(content) if suffix else content
                (folder / (name + suffix)).write_bytes(packed)
        return folder

    return write


@pytest.fixture(scope="session")
def assert_same(six):
    """``assert_same(found)``: these are the six images (or what is `expected`)."""

    def assert_same(found, expected=six):
        assert list(found) == list(expected)
        for key, array in expected.items():
            assert found[key].dtype == np.uint8
            np.testing.assert_array_equal(found[key], array)

    return assert_same
