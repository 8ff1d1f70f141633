import gzip
import hashlib
import http.server
import io
import logging
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.datasets import load_digits
from tqdm import tqdm

from cnntheory import mnist

NAMES = {key: name for key, (name, _) in mnist.FILES.items()}
ARRAYS = {
    "train_images": (np.arange(6 * 28 * 28) % 251).astype(np.uint8).reshape(6, 28, 28),
    "train_labels": np.array([3, 1, 4, 1, 5, 9], np.uint8),
    "test_images": (np.arange(2 * 28 * 28) % 241).astype(np.uint8).reshape(2, 28, 28),
    "test_labels": np.array([2, 7], np.uint8),
}


def idx(array):
    """The bytes of the IDX file of a uint8 array."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


# A data set of six images, and the table that takes it for MNIST.
CONTENTS = {NAMES[key]: idx(array) for key, array in ARRAYS.items()}
FILES = {key: (name, hashlib.sha256(CONTENTS[name]).hexdigest()) for key, name in NAMES.items()}


def write(folder, suffix=".gz", **changes):
    """Write the six images to a folder; `changes` replaces contents (None: leaves out) by key."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, name in NAMES.items():
        content = changes.get(key, CONTENTS[name])
        if content is not None:
            packed = gzip.compress(content) if suffix else content
            (folder / (name + suffix)).write_bytes(packed)
    return folder


def assert_same(found, expected=ARRAYS):
    assert list(found) == list(expected)
    for key, array in expected.items():
        assert found[key].dtype == np.uint8
        np.testing.assert_array_equal(found[key], array)


# Reading and verifying


@given(arrays(np.uint8, array_shapes(max_dims=3)), st.booleans())
def test_idx_is_read_plain_and_gzipped(tmp_path_factory, array, packed):
    path = tmp_path_factory.getbasetemp() / "array.idx"
    path.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    np.testing.assert_array_equal(mnist.read_idx(path), array)
    assert mnist.content_hash(array) == hashlib.sha256(idx(array)).hexdigest()


def test_content_hash_depends_on_values_shapes_and_order_but_not_on_memory_layout():
    image, labels = ARRAYS["test_images"], ARRAYS["test_labels"]
    base = mnist.content_hash(image, labels)
    assert base == mnist.content_hash(np.asfortranarray(image), labels)
    assert base == hashlib.sha256(idx(image) + idx(labels)).hexdigest()
    others = [(image.swapaxes(1, 2), labels), (image.reshape(2, 14, 56), labels), (labels, image)]
    hashes = {mnist.content_hash(*other) for other in others}
    assert len(hashes | {base}) == 4


PACKED = gzip.compress(CONTENTS[NAMES["train_images"]])


@pytest.mark.parametrize(
    ("content", "expected", "found"),
    [
        (b"", "magic number", "an empty file"),
        (b"\0\0", "magic number", "00 00"),
        (b"\x89PNG\r\n", "magic number", "89 50 4e 47"),
        (b"\0\0\x0d\3" + bytes(20), "unsigned bytes", "00 00 0d 03"),
        (b"\0\0\x08\0", "magic number", "00 00 08 00"),
        (b"\0\0\x08\3" + bytes(8), "a header of 16 bytes", "12 bytes"),
        (CONTENTS[NAMES["train_images"]][:-1], "4720 bytes for an array of 6 x 28 x 28", "4719"),
        (CONTENTS[NAMES["train_images"]] + b"\0", "4720 bytes", "4721"),
        (PACKED[:-100], "a whole gzip file", "truncated"),
        (PACKED[:200] + bytes([PACKED[200] ^ 255]) + PACKED[201:], "a whole gzip file", "damaged"),
    ],
)
def test_a_defect_names_file_expected_found_and_mend(tmp_path, content, expected, found):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        mnist.read_idx(path)
    message = str(error.value)
    assert message.startswith(f"{path}: expected ")
    assert expected in message.split("found")[0] and found in message.split("found", 1)[1]
    assert message.endswith("; replace it by an intact copy")


@pytest.mark.parametrize("name", ["absent", "."])
def test_what_is_no_file_is_a_value_error(tmp_path, name):
    with pytest.raises(ValueError, match=r"expected an IDX file, found: (No such|Is a dir)"):
        mnist.read_idx(tmp_path / name)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_load_reads_the_four_files(tmp_path, suffix):
    assert_same(mnist.load(write(tmp_path, suffix), FILES))


def test_load_refuses_other_content_than_mnist(tmp_path):
    with pytest.raises(ValueError) as error:
        mnist.load(write(tmp_path))
    message = str(error.value)
    assert f"{NAMES['train_images']}.gz: expected content of SHA-256 ba89" in message
    assert f"6 x 28 x 28 of {FILES['train_images'][1]}" in message


def test_load_names_the_files_that_are_missing(tmp_path):
    write(tmp_path, train_labels=None, test_images=None)
    with pytest.raises(ValueError) as error:
        mnist.load(tmp_path, FILES)
    message = str(error.value)
    assert f"no {NAMES['train_labels']}, {NAMES['test_images']};" in message


def test_genuine_mnist(mnist_dir):
    found = mnist.load(mnist_dir)
    assert {key: array.shape for key, array in found.items()} == {
        "train_images": (60000, 28, 28),
        "train_labels": (60000,),
        "test_images": (10000, 28, 28),
        "test_labels": (10000,),
    }
    assert found["train_labels"][:5].tolist() == [5, 0, 4, 1, 9]
    assert mnist.at_hand(mnist_dir)


def test_genuine_mnist_is_recognised_as_an_array(mnist_dir, tmp_path):
    images = mnist.read_idx(mnist.find(mnist_dir)["train_images"])
    np.save(tmp_path / "mine.npy", images)
    assert mnist.own(tmp_path / "mine.npy")[0] == mnist.MNIST
    np.save(tmp_path / "mine.npy", images[:-1])
    assert mnist.own(tmp_path / "mine.npy")[0] == "own (mine.npy)"


# At hand


def test_at_hand_asks_for_all_four_files_in_the_first_folder_that_is_given(tmp_path):
    whole, part = write(tmp_path / "whole"), write(tmp_path / "part", test_labels=None)
    assert mnist.at_hand(path=whole) and not mnist.at_hand(path=part)
    assert mnist.at_hand(None, whole, part) and not mnist.at_hand(None, part, whole)
    assert mnist.at_hand("", "", write(tmp_path / "plain", ""))
    assert not mnist.at_hand(tmp_path / "nowhere", whole, whole)


def test_at_hand_looks_into_the_default_cache_at_last(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    cache = mnist.default_cache()
    assert cache.is_relative_to(tmp_path) and cache.parts[-2:] == ("cnntheory", "mnist")
    assert not mnist.at_hand()
    write(cache)
    assert mnist.at_hand()


def test_at_hand_costs_no_heavy_import(tmp_path):
    script = (
        "import sys; from cnntheory.mnist import at_hand; at_hand('.');"
        "print(*{'numpy', 'scipy', 'sklearn', 'pooch', 'requests'} & set(sys.modules))"
    )
    source = str(Path(mnist.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": source},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


# Fetching


class Mirror:
    """A mirror on this machine: sends `contents` (by name) and counts what it is asked for.

    `break_off` downloads stop half-way; `status` other than 200 refuses every request.
    """

    def __init__(self, contents=CONTENTS, break_off=0, status=200):
        self.contents = {f"{name}.gz": gzip.compress(data) for name, data in contents.items()}
        self.break_off, self.status = break_off, status
        self.downloads = []
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.send_response(mirror.status if self.name() in mirror.contents else 404)
                self.send_header("Content-Length", len(mirror.contents.get(self.name(), b"")))
                self.end_headers()

            def do_GET(self):
                mirror.downloads.append(self.name())
                self.do_HEAD()
                content = mirror.contents[self.name()]
                if mirror.break_off:
                    mirror.break_off -= 1
                    content = content[: len(content) // 2]
                self.wfile.write(content)

            def name(self):
                return self.path.removeprefix("/")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def mirror(monkeypatch):
    """Start mirrors; proxies of the environment are not asked for them."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    started = []

    def start(**behaviour):
        started.append(Mirror(**behaviour))
        return started[-1]

    yield start
    for each in started:
        each.close()


SILENT = "http://127.0.0.1:9/"  # the discard port: nobody listens
WRONG = {**CONTENTS, NAMES["train_images"]: idx(np.zeros((6, 28, 28), np.uint8))}
ALL_GZ = sorted(f"{name}.gz" for name in CONTENTS)


def fetch(cache, *mirrors, patience=2, **options):
    urls = [getattr(each, "url", each) for each in mirrors]
    return mnist.fetch(cache, urls, FILES, patience=patience, **options)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_fetch_fills_the_cache_and_then_asks_nobody(tmp_path, mirror):
    good = mirror()
    assert_same(fetch(tmp_path / "new/cache", good))
    assert names(tmp_path / "new/cache") == ALL_GZ == sorted(good.downloads)
    assert_same(fetch(tmp_path / "new/cache"))
    assert_same(mnist.load(tmp_path / "new/cache", FILES))


@pytest.mark.parametrize("behaviour", [{"status": 503}, {"contents": {}}, {"contents": WRONG}])
def test_the_next_mirror_is_asked(tmp_path, mirror, behaviour):
    bad, good = mirror(**behaviour), mirror()
    assert_same(fetch(tmp_path, bad, good))
    assert names(tmp_path) == ALL_GZ == sorted(good.downloads)


def test_the_next_mirror_is_asked_when_nobody_answers(tmp_path, mirror):
    assert_same(fetch(tmp_path, SILENT, mirror()))


def test_a_mirror_that_answered_is_asked_first_for_the_next_file(tmp_path, mirror):
    first, second = mirror(contents=WRONG), mirror()
    fetch(tmp_path, first, second)
    assert first.downloads == [f"{NAMES['train_images']}.gz"]


def test_a_download_that_breaks_off_is_tried_again(tmp_path, mirror):
    flaky = mirror(break_off=2)
    assert_same(fetch(tmp_path, flaky))
    assert flaky.downloads[:3] == [f"{NAMES['train_images']}.gz"] * 3
    assert names(tmp_path) == ALL_GZ


def test_downloads_that_always_break_off_are_no_silence(tmp_path, mirror):
    with pytest.raises(OSError, match=r"broke off.*; try again later") as error:
        fetch(tmp_path, mirror(break_off=100))
    assert not isinstance(error.value, ConnectionError)
    assert names(tmp_path) == []


def test_wrong_content_everywhere_is_no_silence(tmp_path, mirror):
    wrong = mirror(contents=WRONG)
    with pytest.raises(OSError, match="expected content of SHA-256") as error:
        fetch(tmp_path, wrong, SILENT)
    assert not isinstance(error.value, ConnectionError)
    assert wrong.url in str(error.value) and SILENT in str(error.value)
    assert names(tmp_path) == []
    assert len(wrong.downloads) == 1


def test_a_page_instead_of_the_file_is_wrong_content(tmp_path, mirror):
    pages = mirror()
    pages.contents = dict.fromkeys(pages.contents, b"<!DOCTYPE html>")
    with pytest.raises(OSError, match=r"expected the magic number .* found 3c 21 44 4f"):
        fetch(tmp_path, pages)


@pytest.mark.parametrize("refusing", [[], [SILENT], ["no address"]])
def test_silence_is_a_connection_error(tmp_path, refusing):
    with pytest.raises(
        ConnectionError, match=r"no mirror of MNIST answered within 0\.2 s"
    ) as error:
        fetch(tmp_path, *refusing, patience=0.2)
    assert all(each in str(error.value) for each in refusing)
    assert names(tmp_path) == []


def test_a_mirror_that_refuses_counts_as_silent_and_says_why(tmp_path, mirror):
    with pytest.raises(ConnectionError, match="HTTP status 503"):
        fetch(tmp_path, mirror(status=503))


def test_waiting_for_an_answer_is_bounded_over_all_mirrors(tmp_path, monkeypatch):
    # Looking up a name takes no time limit: stand in for it with a request that hangs.
    released = threading.Event()

    def hang(*_, **__):
        released.wait()
        raise requests.ConnectionError

    monkeypatch.setattr("requests.head", hang)
    begin = time.monotonic()
    with pytest.raises(ConnectionError, match="no answer in time"):
        fetch(tmp_path, SILENT, "http://127.0.0.1:10/", patience=0.6)
    elapsed = time.monotonic() - begin
    released.set()
    assert 0.5 < elapsed < 3


def test_a_corrupt_file_in_the_cache_is_fetched_again(tmp_path, mirror, caplog):
    write(tmp_path, suffix="", train_labels=b"\0\0\x08\1 torn")
    good = mirror()
    assert_same(fetch(tmp_path, good))
    torn = NAMES["train_labels"]
    assert good.downloads == [f"{torn}.gz"]
    assert not (tmp_path / torn).exists() and (tmp_path / f"{torn}.gz").exists()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert str(tmp_path / torn) in record.message and "fetching one now" in record.message


def test_a_corrupt_file_in_the_cache_stays_when_nobody_answers(tmp_path):
    write(tmp_path, train_labels=b"torn")
    before = names(tmp_path)
    with pytest.raises(ConnectionError):
        fetch(tmp_path, SILENT, patience=0.1)
    assert names(tmp_path) == before


@pytest.mark.parametrize("below", ["", "cache"])
def test_a_cache_that_cannot_be_written_is_named(tmp_path, mirror, below):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    with pytest.raises(OSError, match=r"blocked.*expected a cache that can be written, found") as e:
        fetch(blocked / below, mirror())
    assert not isinstance(e.value, ConnectionError)
    assert names(tmp_path) == ["blocked"]


def test_a_full_cache_is_named_and_left_clean(tmp_path, mirror, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", full)
    good = mirror()
    with pytest.raises(OSError, match="found: No space left on device; free some space"):
        fetch(tmp_path, good)
    assert names(tmp_path) == []
    monkeypatch.undo()
    assert_same(fetch(tmp_path, good))


def test_an_interrupted_download_leaves_nothing(tmp_path, mirror, monkeypatch):
    def interrupted(self, url, output_file, pooch, check_only=False):
        Path(output_file).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, mirror())
    assert names(tmp_path) == []


def test_progress_reaches_the_length_of_each_file(tmp_path, mirror):
    bars = []

    def progress(label):
        bars.append(tqdm(total=1, desc=label, file=io.StringIO()))
        return bars[-1]

    good = mirror()
    fetch(tmp_path, good, progress=progress)
    assert {bar.desc: bar.n for bar in bars} == {
        name: len(content) for name, content in good.contents.items()
    }


# The digits that stand in


def test_digits():
    found = mnist.digits()
    bunch = load_digits()
    assert [len(array) for array in found.values()] == [1500, 1500, 297, 297]
    assert {array.dtype for array in found.values()} == {np.dtype(np.uint8)}
    labels = np.concatenate([found["train_labels"], found["test_labels"]])
    np.testing.assert_array_equal(labels, bunch.target)
    images = np.concatenate([found["train_images"], found["test_images"]])
    assert images.shape == (1797, 28, 28) and (images.min(), images.max()) == (0, 255)
    # Seen again at the centres of the 8 x 8 pixels, each is the digit it was made from.
    centres = np.rint((np.arange(8) + 0.5) * 28 / 8 - 0.5).astype(int)
    seen = images[:, centres[:, None], centres] * (16 / 255)
    correlations = [
        np.corrcoef(one.ravel(), other.ravel())[0, 1]
        for one, other in zip(seen, bunch.images, strict=True)
    ]
    assert min(correlations) > 0.95
    assert mnist.content_hash(*found.values()) == mnist.content_hash(*mnist.digits().values())


# Your own images


def test_own_folder_may_leave_out_labels_and_test_set(tmp_path):
    faces = write(tmp_path / "faces", train_labels=None, test_images=None, test_labels=None)
    name, found = mnist.own(faces)
    assert name == "own (faces)"
    empty = np.empty(0, np.uint8)
    expected = {
        "train_images": ARRAYS["train_images"],
        "train_labels": empty,
        "test_images": np.empty((0, 28, 28), np.uint8),
        "test_labels": empty,
    }
    assert_same(found, expected)


def test_own_folder_with_the_content_of_mnist_is_mnist(tmp_path):
    for changes in ({}, {"test_images": None, "test_labels": None}):
        assert mnist.own(write(tmp_path / str(len(changes)), **changes), FILES)[0] == mnist.MNIST
    changed = idx(ARRAYS["test_labels"][::-1])
    assert mnist.own(write(tmp_path / "x", test_labels=changed), FILES)[0] == "own (x)"


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, ">u2", np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_own_array_becomes_uint8(tmp_path, dtype, order):
    values = np.arange(3 * 4 * 5).reshape(3, 4, 5) * 4
    scale = 255 if np.dtype(dtype).kind == "f" else 1
    np.save(tmp_path / "a.npy", np.asarray(values / scale, dtype, order=order))
    name, found = mnist.own(tmp_path / "a.npy")
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
        mnist.own(tmp_path / "a.npy")
    assert str(error.value).startswith(f"{tmp_path / 'a.npy'}: expected")


@pytest.mark.parametrize("keep", [0, 5, 200])
def test_own_array_that_is_cut_short_is_refused(tmp_path, keep):
    np.save(tmp_path / "whole.npy", np.zeros((2, 9, 9), np.uint8))
    (tmp_path / "a.npy").write_bytes((tmp_path / "whole.npy").read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"a\.npy: expected a whole \.npy of images, found"):
        mnist.own(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": None}, "expected a file train-images-idx3-ubyte"),
        ({"train_images": idx(np.zeros((0, 28, 28), np.uint8))}, r"found \(0, 28, 28\)"),
        ({"train_images": idx(np.zeros(9, np.uint8))}, r"expected train images of shape"),
        ({"train_labels": idx(np.zeros(5, np.uint8))}, "expected 6 train labels.*an array of 5"),
        ({"test_labels": idx(np.zeros((2, 1), np.uint8))}, "expected 2 test labels.*2 x 1"),
        ({"test_images": None}, "expected 0 test labels"),
        ({"test_images": idx(np.zeros((2, 8, 9), np.uint8))}, "test images of 28 x 28.*8 x 9"),
        ({"test_images": b"torn"}, "t10k-images-idx3-ubyte.gz: expected the magic number"),
    ],
)
def test_own_folder_is_checked(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        mnist.own(write(tmp_path, **changes))


def test_own_data_that_are_nowhere_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"dataset .*minst: expected auto, mnist, a folder"):
        mnist.own(tmp_path / "minst")
