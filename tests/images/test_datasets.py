import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnntheory import images

NAMES = {key: name for key, (name, _) in images.FILES.items()}


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_load_reads_the_four_files(tmp_path, suffix, write, files, assert_same):
    assert_same(images.load(write(tmp_path, suffix), files))


def test_load_refuses_other_content_than_mnist(tmp_path, write, files):
    with pytest.raises(ValueError) as error:
        images.load(write(tmp_path))
    message = str(error.value)
    assert f"{NAMES['train_images']}.gz: expected content of SHA-256 ba89" in message
    assert f"6 x 28 x 28 of {files['train_images'][1]}" in message


def test_load_names_the_files_that_are_missing(tmp_path, write, files):
    write(tmp_path, train_labels=None, test_images=None)
    with pytest.raises(ValueError) as error:
        images.load(tmp_path, files)
    message = str(error.value)
    assert f"no {NAMES['train_labels']}, {NAMES['test_images']};" in message


def test_genuine_mnist(mnist_dir):
    found = images.load(mnist_dir)
    assert {key: array.shape for key, array in found.items()} == {
        "train_images": (60000, 28, 28),
        "train_labels": (60000,),
        "test_images": (10000, 28, 28),
        "test_labels": (10000,),
    }
    assert found["train_labels"][:5].tolist() == [5, 0, 4, 1, 9]
    assert images.at_hand(mnist_dir)


def test_genuine_mnist_is_recognised_as_an_array(mnist_dir, tmp_path, files):
    pictures = images.read_idx(images.find(mnist_dir)["train_images"])
    np.save(tmp_path / "mine.npy", pictures)
    assert images.own(tmp_path / "mine.npy")[0] == images.MNIST
    np.save(tmp_path / "mine.npy", pictures[:-1])
    assert images.own(tmp_path / "mine.npy")[0] == "own (mine.npy)"


# Where the files are


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_all_four_files_are_at_hand_or_none_is(tmp_path, suffix, write):
    assert images.at_hand(write(tmp_path / "whole", suffix))
    assert not images.at_hand(write(tmp_path / "part", suffix, test_labels=None))
    assert not images.at_hand(tmp_path / "nowhere")


def test_a_plain_file_is_found_before_its_gzipped_copy(tmp_path, write):
    write(tmp_path), write(tmp_path, "", test_labels=None)
    found = {key: path.name for key, path in images.find(tmp_path).items()}
    assert found == NAMES | {"test_labels": f"{NAMES['test_labels']}.gz"}


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """A user without MNIST, whose home is the folder returned."""
    for name in ("MNIST_DIR", "FASHION_MNIST_DIR", "CNNTHEORY_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_path_comes_before_the_environment_and_both_before_any_cache(nowhere, monkeypatch):
    assert images.place() == images.place("", "") == ("cache", images.default_cache())
    monkeypatch.setenv("CNNTHEORY_CACHE", "~/kept")
    assert images.place() == ("cache", nowhere / "kept")
    assert images.place(cache="~/mine") == ("cache", nowhere / "mine")
    monkeypatch.setenv("MNIST_DIR", "~/here")
    assert images.place(cache="mine") == ("MNIST_DIR", nowhere / "here")
    assert images.place("there", "mine") == ("mnist.path", Path("there"))


def test_fashion_mnist_has_places_of_its_own(nowhere, monkeypatch):
    monkeypatch.setenv("MNIST_DIR", "~/here")
    cache = images.default_cache("fashion-mnist")
    assert images.place(dataset="fashion-mnist") == ("cache", cache)
    monkeypatch.setenv("CNNTHEORY_CACHE", "~/kept")
    kept = nowhere / "kept/fashion-mnist"
    assert images.place(dataset="fashion-mnist") == ("cache", kept)
    monkeypatch.setenv("FASHION_MNIST_DIR", "~/there")
    assert images.place(dataset="fashion-mnist") == ("FASHION_MNIST_DIR", nowhere / "there")
    assert images.place("x", dataset="fashion-mnist") == ("fashion_mnist.path", Path("x"))


def test_the_default_cache_is_in_that_of_the_user(nowhere):
    cache = images.default_cache()
    assert cache.is_relative_to(nowhere) and cache.parts[-2:] == ("cnntheory", "mnist")


def test_asking_where_mnist_is_costs_no_heavy_import(tmp_path):
    script = (
        "import sys; from cnntheory import images;"
        "_, folder = images.place('here'); images.at_hand(folder);"
        "print(*{'numpy', 'scipy', 'sklearn', 'pooch', 'requests'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(Path(images.__file__).parents[2])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


def test_all_that_is_public_is_there():
    assert all(hasattr(images, name) for name in images.__all__)
    assert not hasattr(images, "unknown")


# The part of MNIST that a package carries


def test_the_part_is_of_mnist_with_all_classes_in_turn(mnist_dir):
    found, whole = images.small_mnist(), images.load(mnist_dir)
    assert [len(array) for array in found.values()] == [4500, 4500, 500, 500]
    assert found["train_labels"][:12].tolist() == [*range(10), 0, 1]
    # Each image, with its label, is one of the first 5 848 of the training set; none comes twice.
    known = {
        image.tobytes(): label
        for image, label in zip(
            whole["train_images"][:5848], whole["train_labels"][:5848], strict=True
        )
    }
    seen = set()
    for split in ("train", "test"):
        for image, label in zip(found[f"{split}_images"], found[f"{split}_labels"], strict=True):
            assert known[image.tobytes()] == label
            seen.add(image.tobytes())
    assert len(seen) == 5000


def test_another_content_than_the_part_is_refused(tmp_path):
    path = tmp_path / "mnist_5k.csv.gz"
    path.write_bytes(gzip.compress(b"1,2,3"))
    with pytest.raises(ValueError, match="expected content of SHA-256 167b"):
        images.small_mnist(path)
    path.write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"mnist_5k.csv.gz: expected 5 000 images of MNIST, found"):
        images.small_mnist(path)


def test_genuine_fashion_mnist(fashion_folder):
    if fashion_folder is None:
        pytest.skip("the files of Fashion-MNIST are not at hand")
    found = images.load(fashion_folder, images.FASHION_FILES, images.FASHION)
    assert found["train_images"].shape == (60000, 28, 28)
    assert found["train_labels"][:5].tolist() == [9, 0, 0, 3, 0]
    with pytest.raises(ValueError, match="expected content of SHA-256 ba89"):
        images.load(fashion_folder)


# Your own images


def test_own_folder_may_leave_out_labels_and_test_set(tmp_path, write, six, assert_same):
    faces = write(tmp_path / "faces", train_labels=None, test_images=None, test_labels=None)
    name, found = images.own(faces)
    assert name == "own (faces)"
    empty = np.empty(0, np.uint8)
    expected = {
        "train_images": six["train_images"],
        "train_labels": empty,
        "test_images": np.empty((0, 28, 28), np.uint8),
        "test_labels": empty,
    }
    assert_same(found, expected)


def test_own_folder_with_the_content_of_mnist_is_mnist(tmp_path, write, files, six):
    for changes in ({}, {"test_images": None, "test_labels": None}):
        assert images.own(write(tmp_path / str(len(changes)), **changes), files)[0] == images.MNIST
    changed = six["test_labels"][::-1]
    assert images.own(write(tmp_path / "x", test_labels=changed), files)[0] == "own (x)"


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, ">u2", np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_own_array_becomes_uint8(tmp_path, dtype, order):
    values = np.arange(3 * 4 * 5).reshape(3, 4, 5) * 4
    scale = 255 if np.dtype(dtype).kind == "f" else 1
    np.save(tmp_path / "a.npy", np.asarray(values / scale, dtype, order=order))
    name, found = images.own(tmp_path / "a.npy")
    assert name == "own (a.npy)"
    assert found["train_images"].dtype == np.uint8
    assert found["train_images"].flags.c_contiguous
    np.testing.assert_array_equal(found["train_images"], values)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 5)), r"expected images of shape \(n, height, width\).*found \(4, 5\)"),
        (np.zeros((0, 4, 5)), r"found \(0, 4, 5\)|whole .npy"),
        (np.full((2, 3, 3), 256), r"integers in 0 \.\. 255, found int64 from 256 to 256"),
        (np.full((2, 3, 3), -1), r"integers in 0 \.\. 255, found int64 from -1"),
        (np.full((2, 3, 3), 1.5), r"floats in \[0, 1\], found float64 from 1.5"),
        (np.full((2, 3, 3), np.nan), r"floats in \[0, 1\], found float64 from nan"),
        (np.zeros((2, 3, 3), bool), "expected integers or floats, found bool"),
        (np.full((2, 3, 3), None), "expected a whole .npy"),
    ],
)
def test_own_array_is_checked(tmp_path, array, message):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=message) as error:
        images.own(tmp_path / "a.npy")
    assert str(error.value).startswith(f"{tmp_path / 'a.npy'}: expected")


@pytest.mark.parametrize("keep", [0, 5, 200])
def test_own_array_that_is_cut_short_is_refused(tmp_path, keep):
    np.save(tmp_path / "whole.npy", np.zeros((2, 9, 9), np.uint8))
    (tmp_path / "a.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"a\.npy: expected a whole \.npy of images, found"):
        images.own(tmp_path / "a.npy")


HUGE = 99999999999999999999


@pytest.mark.parametrize(
    "shape",
    [
        (True, 28, 28),
        (2, True, 28),
        (-1, 28, 28),
        (HUGE, 28, 28),
        (0, HUGE, 1),
        (2**32, 2**32, 2**32),
        (2**63 - 1, 1, 1),
        (2.0, 28, 28),
        "((((",
        "'" * 3,
        "(" * 3000,
    ],
)
def test_own_array_with_an_impossible_header_is_refused(tmp_path, shape):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    content = b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + bytes(2000)
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.npy: expected a whole \.npy of images, found: .+;"):
        images.own(tmp_path / "a.npy")


def test_a_folder_that_unpacks_to_more_than_mnist_is_not_mnist(tmp_path, write, files):
    write(tmp_path, test_labels=np.zeros(10_001, np.uint8))
    message = "t10k-labels.*: expected at most 10008 bytes, found an array of 10001; replace"
    with pytest.raises(ValueError, match=message):
        images.load(tmp_path, files)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": None}, "expected a file train-images-idx3-ubyte"),
        ({"train_images": np.zeros((0, 28, 28), np.uint8)}, r"found \(0, 28, 28\)"),
        ({"train_images": np.zeros(9, np.uint8)}, r"expected train images of shape"),
        ({"train_labels": np.zeros(5, np.uint8)}, "expected 6 train labels.*an array of 5"),
        ({"test_labels": np.zeros((2, 1), np.uint8)}, "expected 2 test labels.*2 x 1"),
        ({"test_images": None}, "expected 0 test labels"),
        ({"test_images": np.zeros((2, 8, 9), np.uint8)}, "test images of 28 x 28.*8 x 9"),
        ({"test_images": b"torn"}, "t10k-images-idx3-ubyte.gz: expected the magic number"),
    ],
)
def test_own_folder_is_checked(tmp_path, changes, message, write):
    with pytest.raises(ValueError, match=message):
        images.own(write(tmp_path, **changes))


def test_own_data_that_are_nowhere_are_refused(tmp_path):
    with pytest.raises(
        ValueError, match=r"dataset .*minst: expected auto, mnist, fashion-mnist, a folder"
    ):
        images.own(tmp_path / "minst")
