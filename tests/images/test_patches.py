import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnntheory.images import extract_patches, patch_count, patches, write_patches


def images_of(n, height, width):
    """Pixels that are all different as long as there are 256 of them."""
    return (np.arange(n * height * width) % 251).astype(np.uint8).reshape(n, height, width)


def by_double_loop(images, size, stride):
    n, height, width = images.shape
    cut = [
        images[:, row : row + size, column : column + size].reshape(n, size * size)
        for row in range(0, height - size + 1, stride)
        for column in range(0, width - size + 1, stride)
    ]
    return np.stack(cut, axis=1)


@st.composite
def cuts(draw):
    n, height, width = (draw(st.integers(1, top)) for top in (3, 9, 9))
    size = draw(st.integers(1, min(height, width)))
    return images_of(n, height, width), size, draw(st.integers(1, 10))


@given(cuts())
def test_patches_are_those_of_a_double_loop(cut):
    expected = by_double_loop(*cut)
    np.testing.assert_array_equal(extract_patches(*cut), expected)
    images, size, stride = cut
    assert patch_count(images.shape, size, stride) == expected.shape[1]


def test_mnist_has_144_patches_of_5_by_5_at_stride_2():
    assert extract_patches(images_of(2, 28, 28), 5, 2).shape == (2, 144, 25)


def test_no_images_give_no_patches():
    assert extract_patches(images_of(0, 28, 28), 5, 2).shape == (0, 144, 25)


@pytest.mark.parametrize(
    ("shape", "size", "stride", "message"),
    [
        ((2, 6, 9), 7, 1, r"patch size: expected 1 to 6 for images of 6 x 9, found 7"),
        ((2, 9, 6), 7, 1, r"patch size: expected 1 to 6 for images of 9 x 6, found 7"),
        ((2, 6, 6), 0, 1, r"patch size: .* found 0"),
        ((2, 6, 6), 3, 0, r"stride: expected at least 1, found 0"),
        ((6, 6), 3, 1, r"expected shape \(n, height, width\), found \(6, 6\)"),
    ],
)
def test_what_cannot_be_cut_is_refused(shape, size, stride, message):
    with pytest.raises(ValueError, match=message):
        extract_patches(np.zeros(shape, np.uint8), size, stride)


@pytest.mark.parametrize("block", [1, 1000, 1 << 23])
@pytest.mark.parametrize("count", [1, 6, 7])
def test_written_blocks_are_the_patches(tmp_path, monkeypatch, block, count):
    monkeypatch.setattr(patches, "BLOCK", block)
    images = images_of(7, 8, 9)
    write_patches(tmp_path / "p.npy", images, 3, 2, count)
    written = np.load(tmp_path / "p.npy", mmap_mode="r")
    assert written.dtype == np.uint8
    np.testing.assert_array_equal(written, extract_patches(images[:count], 3, 2))


def test_all_images_are_written_unless_told_otherwise(tmp_path):
    write_patches(tmp_path / "p.npy", images_of(7, 8, 9), 3)
    assert len(np.load(tmp_path / "p.npy")) == 7


def test_the_name_of_the_file_is_taken_as_it_is(tmp_path):
    write_patches(tmp_path / ".p.npy.part", images_of(1, 8, 9), 3)
    assert [path.name for path in tmp_path.iterdir()] == [".p.npy.part"]


def test_memory_is_that_of_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(patches, "BLOCK", 1 << 18)
    np.save(tmp_path / "images.npy", np.zeros((3000, 28, 28), np.uint8))
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    tracemalloc.start()
    write_patches(tmp_path / "p.npy", images, 5, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "p.npy").stat().st_size > 40 * patches.BLOCK
    assert peak < 3 * patches.BLOCK


@pytest.mark.parametrize("count", [0, 8])
def test_a_number_of_images_that_there_is_not_is_refused(tmp_path, count):
    with pytest.raises(ValueError, match=f"number of images: expected 1 to 7, found {count}"):
        write_patches(tmp_path / "p.npy", images_of(7, 8, 9), 3, 2, count)
    assert not list(tmp_path.iterdir())


def test_other_types_than_uint8_are_refused(tmp_path):
    with pytest.raises(ValueError, match="expected uint8, found float64"):
        write_patches(tmp_path / "p.npy", np.zeros((2, 8, 8)), 3)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_an_error_and_not_a_signal():
    script = (
        "import numpy as np; from cnntheory.images import write_patches\n"
        "try: write_patches('/dev/full', np.zeros((9, 28, 28), np.uint8), 5)\n"
        "except OSError as error: print(error.strerror)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(Path(patches.__file__).parents[2])},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "No space left on device")
