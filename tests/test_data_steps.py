"""The steps that obtain images and cut patches, run as a person or a rule runs them."""

import functools
import gzip
import hashlib
import http.server
import json
import os
import re
import resource
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from cnntheory import images
from cnntheory.images import extract_patches

ROOT = Path(__file__).resolve().parents[1]
STEPS = ROOT / "workflow/scripts/data"
NAMES = {key: name for key, (name, _) in images.FILES.items()}
ARRAYS = {
    "train_images": (np.arange(6 * 28 * 28) % 251).astype(np.uint8).reshape(6, 28, 28),
    "train_labels": np.array([3, 1, 4, 1, 5, 9], np.uint8),
    "test_images": (np.arange(2 * 28 * 28) % 241).astype(np.uint8).reshape(2, 28, 28),
    "test_labels": np.array([2, 7], np.uint8),
}
CONTENTS = {
    key: struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()
    for key, array in ARRAYS.items()
}
# Runs a step with six images taken for MNIST, so that the tests do not need the genuine ones.
TABLE = {key: (NAMES[key], hashlib.sha256(data).hexdigest()) for key, data in CONTENTS.items()}
AS_MNIST = f"""
import runpy, sys
from cnntheory import images
images.FILES.update({TABLE})
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
SILENT = ("--mirrors", '["http://127.0.0.1:9/"]', "--patience", "0.3")


def write(folder, **changes):
    """Write the six images as gzipped IDX files; `changes` replaces contents by key."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, content in {**CONTENTS, **changes}.items():
        (folder / f"{NAMES[key]}.gz").write_bytes(gzip.compress(content))
    return folder


def run(tmp_path, step, *words, env=None, as_mnist=True, largest_file=None):
    """Run a step away from the user's cache and the network."""

    def limit():
        if largest_file:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "no_proxy": "127.0.0.1"}
    # A limit on file sizes would leave truncated byte code behind, which breaks every later run.
    clean["PYTHONDONTWRITEBYTECODE"] = "1"
    start = ["-c", AS_MNIST] if as_mnist else []
    return subprocess.run(
        [sys.executable, *start, str(STEPS / step), *map(str, words)],
        cwd=ROOT,
        env={**clean, "PYTHONPATH": "src:.", "CNNTHEORY_CACHE": str(tmp_path / "cache")}
        | (env or {}),
        capture_output=True,
        text=True,
        preexec_fn=limit,
    )


def fetch(tmp_path, *words, **options):
    """Run `fetch_mnist` into ``tmp_path/out``."""
    out = tmp_path / "out"
    outputs = [*(out / f"{key}.npy" for key in NAMES), out / "source.json"]
    if "--mirrors" not in words:
        words += SILENT
    return run(tmp_path, "fetch_mnist.py", *outputs, *words, **options)


def cut(tmp_path, count, size=5, **options):
    """Run `extract_patches` on what `fetch` left."""
    out = tmp_path / "out"
    words = {"train-images": out / "train_images.npy", "source": out / "source.json"}
    words |= {"size": size, "stride": 2, "images": count}
    flags = [word for name, value in words.items() for word in (f"--{name}", value)]
    return run(tmp_path, "extract_patches.py", out / "patches.npy", *flags, **options)


def source(tmp_path):
    return json.loads((tmp_path / "out/source.json").read_text())


def outputs(tmp_path):
    return sorted(path.name for path in tmp_path.glob("out/*"))


def refusal(done):
    """The one line with which a step failed."""
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    assert len(lines) == 1 and lines[0].startswith("error: ")
    assert "Traceback" not in done.stderr
    return lines[0]


@pytest.fixture
def mirror():
    """Serve folders over HTTP from this machine."""
    servers = []

    def serve(folder):
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Folder of a run that had to fall back, and what it said."""
    folder = tmp_path_factory.mktemp("small")
    done = fetch(folder, "--dataset", "auto", "--request", "auto")
    assert done.returncode == 0, done.stderr
    return folder, done.stderr


def test_auto_falls_back_to_a_labelled_part_of_mnist(small):
    folder, said = small
    found = source(folder)
    assert {key: found[key] for key in found if key != "sha256"} == {
        "data": "MNIST (5 000)",
        "request": "auto",
        "shape": [28, 28],
        "test": 500,
        "train": 4500,
    }
    arrays = [np.load(folder / f"out/{key}.npy") for key in NAMES]
    assert [array.shape for array in arrays] == [(4500, 28, 28), (4500,), (500, 28, 28), (500,)]
    assert {array.dtype for array in arrays} == {np.dtype(np.uint8)}
    assert found["sha256"] == images.content_hash(*arrays)
    block = " ".join(said.split())
    for phrase in (
        "NOTE: the results of this run are about a part of MNIST.",
        "no mirror of MNIST answered within 0.3 s (http://127.0.0.1:9/",
        "claims that need more images stay undecided",
        "set MNIST_DIR (or mnist.path in the config)",
    ):
        assert phrase in block


def test_source_is_the_same_in_another_place(small, tmp_path):
    folder, _ = small
    fetch(tmp_path, "--dataset", "auto", "--request", "auto")
    text = (folder / "out/source.json").read_text()
    assert text == (tmp_path / "out/source.json").read_text()
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_mnist_without_a_source_is_refused(tmp_path):
    message = refusal(fetch(tmp_path, "--dataset", "mnist"))
    assert "no mirror of MNIST answered" in message and "set MNIST_DIR" in message
    assert outputs(tmp_path) == []


@pytest.mark.parametrize("dataset", ["auto", "mnist"])
def test_the_search_order_is_path_environment_cache_mirrors(tmp_path, mirror, dataset):
    torn = {key: b"torn" for key in NAMES}
    good, bad = write(tmp_path / "good"), write(tmp_path / "bad", **torn)
    for words, env in [
        (["--path", good, "--cache", bad], {"MNIST_DIR": str(bad)}),
        (["--cache", bad], {"MNIST_DIR": str(good)}),
        (["--cache", good, "--path", ""], {"CNNTHEORY_CACHE": str(bad), "MNIST_DIR": ""}),
        ([], {"CNNTHEORY_CACHE": str(good)}),
    ]:
        done = fetch(tmp_path, "--dataset", dataset, *words, env=env)
        assert done.returncode == 0, done.stderr
        assert source(tmp_path)["data"] == "MNIST"
    assert "MNIST: 6 training and 2 test images of 28 x 28" in done.stderr
    done = fetch(tmp_path, "--dataset", dataset, "--mirrors", json.dumps([mirror(good)]))
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("cache/*.gz"))) == 4
    for key, array in ARRAYS.items():
        np.testing.assert_array_equal(np.load(tmp_path / f"out/{key}.npy"), array)


@pytest.mark.parametrize("origin", ["mnist.path", "MNIST_DIR"])
@pytest.mark.parametrize("defect", ["missing", "torn", "other"])
def test_a_folder_that_is_given_is_never_passed_over(tmp_path, origin, defect):
    given = tmp_path / "given"
    if defect != "missing":
        other = CONTENTS["train_images"][:-1] + b"\0"
        write(given, train_images=CONTENTS["train_images"][:-9] if defect == "torn" else other)
    write(tmp_path / "cache")
    words = ["--path", given] if origin == "mnist.path" else []
    env = {"MNIST_DIR": str(given)} if origin == "MNIST_DIR" else {}
    message = refusal(fetch(tmp_path, "--dataset", "auto", *words, env=env))
    assert message.startswith(f"error: {origin}: {given}")
    assert {"missing": "found no train-images", "torn": "found 4711", "other": "SHA-256"}[
        defect
    ] in message
    assert outputs(tmp_path) == []
    write(given)
    assert fetch(tmp_path, "--dataset", "auto", *words, env=env).returncode == 0


def test_wrong_content_from_every_mirror_is_no_reason_to_fall_back(tmp_path, mirror):
    url = mirror(write(tmp_path / "wrong", train_images=CONTENTS["test_images"]))
    message = refusal(fetch(tmp_path, "--dataset", "auto", "--mirrors", json.dumps([url])))
    assert f"{url}train-images-idx3-ubyte.gz: expected content of SHA-256" in message
    assert outputs(tmp_path) == [] and not list(tmp_path.glob("cache/*"))


def test_a_corrupt_cache_is_mended_from_a_mirror(tmp_path, mirror):
    write(tmp_path / "cache", test_labels=b"torn")
    url = mirror(write(tmp_path / "good"))
    done = fetch(tmp_path, "--dataset", "mnist", "--mirrors", json.dumps([url]))
    assert done.returncode == 0, done.stderr
    assert re.search(r"cache: .*t10k-labels.*found 74 6f 72 6e.*fetching one now", done.stderr)
    assert source(tmp_path)["data"] == "MNIST"


def test_a_corrupt_cache_without_a_network_is_an_empty_one(tmp_path):
    write(tmp_path / "cache", test_labels=b"torn")
    assert "no mirror" in refusal(fetch(tmp_path, "--dataset", "mnist"))
    assert fetch(tmp_path, "--dataset", "auto").returncode == 0
    assert source(tmp_path)["data"] == "MNIST (5 000)"


def test_own_data_are_labelled_as_such(tmp_path):
    write(tmp_path / "letters")
    changed = ARRAYS["train_images"][:, :20, :24]
    np.save(tmp_path / "letters.npy", changed / 255)
    for path, label, shape in [
        (tmp_path / "letters", "own (letters)", [28, 28]),
        (tmp_path / "letters.npy", "own (letters.npy)", [20, 24]),
    ]:
        done = fetch(tmp_path, "--dataset", path, as_mnist=False)
        assert done.returncode == 0, done.stderr
        found = source(tmp_path)
        assert (found["data"], found["shape"], found["train"]) == (label, shape, 6)
        assert str(tmp_path) not in (tmp_path / "out/source.json").read_text()
    np.testing.assert_array_equal(np.load(tmp_path / "out/train_images.npy"), changed)
    assert np.load(tmp_path / "out/train_labels.npy").shape == (0,)
    assert np.load(tmp_path / "out/test_images.npy").shape == (0, 20, 24)


def test_mnist_in_a_folder_of_your_own_is_recognised(tmp_path):
    fetch(tmp_path, "--dataset", write(tmp_path / "letters"))
    assert source(tmp_path)["data"] == "MNIST"


def test_a_dataset_that_is_nowhere_is_refused(tmp_path):
    message = refusal(fetch(tmp_path, "--dataset", "minst"))
    assert message.startswith("error: dataset minst: expected auto, mnist, fashion-mnist, a folder")


def test_options_that_are_missing_or_wrong_are_named_at_once(tmp_path):
    done = fetch(tmp_path, "--mirrors", '["ftp://127.0.0.1/"]', "--patience", "0")
    assert done.returncode == 2
    for name in ("--dataset", "--mirrors 0", "--patience"):
        assert f"{name}: " in done.stderr
    assert outputs(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    message = refusal(fetch(tmp_path, "--dataset", "auto"))
    assert message.startswith(f"error: {tmp_path / 'cache'}: expected a cache that can be written")


def test_outputs_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "out").write_text("a file where the folder should be")
    message = refusal(fetch(tmp_path, "--dataset", "mnist", "--path", write(tmp_path / "good")))
    assert message.startswith(f"error: cannot write {tmp_path / 'out/train_images.npy'}: ")


def test_a_full_disk_leaves_no_part_and_the_next_run_works(tmp_path):
    words = ["--dataset", "mnist", "--path", write(tmp_path / "good")]
    message = refusal(fetch(tmp_path, *words, largest_file=3000))
    assert message.startswith(f"error: cannot write {tmp_path / 'out/train_images.npy'}: ")
    assert "free some space" in message
    assert not list(tmp_path.glob("out/.*")) and not outputs(tmp_path)
    assert fetch(tmp_path, *words).returncode == 0
    message = refusal(cut(tmp_path, 6, largest_file=3000))
    assert message.startswith(f"error: cannot write {tmp_path / 'out/patches.npy'}: File too large")
    assert not list(tmp_path.glob("out/.*")) and "patches.npy" not in outputs(tmp_path)
    assert cut(tmp_path, 6).returncode == 0


def test_patches_of_the_first_images(tmp_path):
    fetch(tmp_path, "--dataset", "mnist", "--path", write(tmp_path / "good"))
    assert cut(tmp_path, 4).returncode == 0
    patches = np.load(tmp_path / "out/patches.npy")
    assert patches.shape == (4, 144, 25) and patches.dtype == np.uint8
    np.testing.assert_array_equal(patches, extract_patches(ARRAYS["train_images"][:4], 5, 2))


def test_where_there_are_fewer_images_all_are_cut_and_one_line_says_so(tmp_path, small):
    np.save(tmp_path / "mine.npy", ARRAYS["train_images"])
    fetch(tmp_path, "--dataset", tmp_path / "mine.npy", as_mnist=False)
    for folder, label, count in (
        (tmp_path, "own (mine.npy)", 6),
        (small[0], "MNIST (5 000)", 4500),
    ):
        done = cut(folder, 20000)
        assert done.returncode == 0, done.stderr
        (line,) = (line for line in done.stderr.splitlines() if line.startswith("NOTE: "))
        assert line.startswith(f"NOTE: {label} has {count} training images")
        assert line.endswith("not 20000 (patches.images)")
        assert len(np.load(folder / "out/patches.npy", mmap_mode="r")) == count
    assert "NOTE" not in cut(tmp_path, 6).stderr


@pytest.mark.parametrize(
    ("count", "size", "message"),
    [
        (2, 29, "--size: Input should be less than or equal to 28, found 29"),
        (0, 5, "--images: Input should be greater than or equal to 1, found 0"),
    ],
)
def test_options_out_of_range_are_refused(tmp_path, count, size, message):
    done = cut(tmp_path, count, size)
    assert done.returncode == 2 and message in done.stderr


def test_patches_that_do_not_fit_are_refused(tmp_path):
    np.save(tmp_path / "small.npy", ARRAYS["train_images"][:, :20, :24])
    fetch(tmp_path, "--dataset", tmp_path / "small.npy")
    message = "error: patch size: expected 1 to 20 for images of 20 x 24, found 21"
    assert refusal(cut(tmp_path, 2, 21)) == message
    assert "patches.npy" not in outputs(tmp_path)


def test_images_that_are_cut_short_are_refused(tmp_path):
    fetch(tmp_path, "--dataset", "mnist", "--path", write(tmp_path / "good"))
    pictures = tmp_path / "out/train_images.npy"
    pictures.write_bytes(pictures.read_bytes()[:-1])
    assert refusal(cut(tmp_path, 2)).startswith(f"error: {pictures}: expected a whole .npy")


def test_fashion_mnist_is_recognised_and_needs_no_network(tmp_path, fashion_folder):
    if fashion_folder is None:
        pytest.skip("the files of Fashion-MNIST are not at hand")
    env = {"FASHION_MNIST_DIR": str(fashion_folder), "MNIST_DIR": str(tmp_path / "none")}
    for words in (["fashion-mnist"], [fashion_folder]):
        done = fetch(tmp_path, "--dataset", *words, env=env, as_mnist=False)
        assert done.returncode == 0, done.stderr
        assert (source(tmp_path)["data"], source(tmp_path)["train"]) == ("Fashion-MNIST", 60000)


def test_mnist_is_not_taken_for_fashion_mnist(tmp_path):
    env = {"FASHION_MNIST_DIR": str(write(tmp_path / "other"))}
    message = refusal(fetch(tmp_path, "--dataset", "fashion-mnist", env=env))
    assert message.startswith("error: FASHION_MNIST_DIR: ") and "SHA-256 c59f" in message
    message = refusal(fetch(tmp_path, "--dataset", "fashion-mnist"))
    assert "no mirror of Fashion-MNIST answered" in message
    assert "set FASHION_MNIST_DIR (or fashion_mnist.path" in message


def test_genuine_mnist_comes_from_a_mirror(tmp_path, mirror):
    beside = ROOT.parent / "shared/data/mnist"
    folder = Path(os.environ.get("MNIST_DIR") or beside)
    if not all((folder / f"{name}.gz").is_file() for name in NAMES.values()):
        pytest.skip("the gzipped files of MNIST are not at hand")
    mirrors = json.dumps(["http://127.0.0.1:9/", mirror(folder)])
    words = ["--dataset", "auto", "--mirrors", mirrors, "--patience", "3"]
    done = fetch(tmp_path, *words, as_mnist=False)
    assert done.returncode == 0, done.stderr
    found = source(tmp_path)
    assert (found["data"], found["train"], found["test"]) == ("MNIST", 60000, 10000)
    assert "train-images-idx3-ubyte.gz: 100%" in done.stderr
