import gzip
import http.server
import io
import logging
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
import requests
import urllib3
from tqdm import tqdm

from cnntheory import images

NAMES = {key: name for key, (name, _) in images.FILES.items()}


class Mirror:
    """A mirror on this machine: sends `contents` (by name) and counts what it is asked for.

    `break_off` downloads stop half-way; `status` other than 200 refuses every request.
    """

    def __init__(self, contents, break_off=0, status=200):
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
def mirror(monkeypatch, contents):
    """``mirror(changes=None, ...)`` starts one with the six images; no proxy is asked for it."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    started = []

    def start(changes=None, contents=contents, **behaviour):
        started.append(Mirror(contents | (changes or {}), **behaviour))
        return started[-1]

    yield start
    for each in started:
        each.close()


SILENT = "http://127.0.0.1:9/"  # the discard port: nobody listens
WRONG = {NAMES["train_images"]: b"\0\0\x08\1\0\0\0\1\7"}  # a whole file of something else
ALL_GZ = sorted(f"{name}.gz" for name in NAMES.values())


@pytest.fixture
def fetch(files):
    """``fetch(cache, mirror or address, ...)`` takes the six images for MNIST."""

    def fetch(cache, *mirrors, patience=2, **options):
        urls = [getattr(each, "url", each) for each in mirrors]
        return images.fetch(cache, urls, files, patience=patience, **options)

    return fetch


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_fetch_fills_the_cache_and_then_asks_nobody(tmp_path, mirror, fetch, assert_same, files):
    good = mirror()
    assert_same(fetch(tmp_path / "new/cache", good))
    assert names(tmp_path / "new/cache") == ALL_GZ == sorted(good.downloads)
    assert_same(fetch(tmp_path / "new/cache"))
    assert_same(images.load(tmp_path / "new/cache", files))


@pytest.mark.parametrize("behaviour", [{"status": 503}, {"contents": {}}, {"changes": WRONG}])
def test_the_next_mirror_is_asked(tmp_path, mirror, behaviour, fetch, assert_same):
    bad, good = mirror(**behaviour), mirror()
    assert_same(fetch(tmp_path, bad, good))
    assert names(tmp_path) == ALL_GZ == sorted(good.downloads)


def test_the_next_mirror_is_asked_when_nobody_answers(tmp_path, mirror, fetch, assert_same):
    assert_same(fetch(tmp_path, SILENT, mirror()))


def test_a_mirror_that_answered_is_asked_first_for_the_next_file(tmp_path, mirror, fetch):
    first, second = mirror(WRONG), mirror()
    fetch(tmp_path, first, second)
    assert first.downloads == [f"{NAMES['train_images']}.gz"]


def test_a_download_that_breaks_off_is_tried_again(tmp_path, mirror, fetch, assert_same):
    flaky = mirror(break_off=2)
    assert_same(fetch(tmp_path, flaky))
    assert flaky.downloads[:3] == [f"{NAMES['train_images']}.gz"] * 3
    assert names(tmp_path) == ALL_GZ


def test_downloads_that_always_break_off_are_no_silence(tmp_path, mirror, fetch):
    with pytest.raises(OSError, match=r"broke off.*; try again later") as error:
        fetch(tmp_path, mirror(break_off=100))
    assert not isinstance(error.value, ConnectionError)
    assert names(tmp_path) == []


def test_wrong_content_everywhere_is_no_silence(tmp_path, mirror, fetch):
    wrong = mirror(WRONG)
    with pytest.raises(OSError, match="expected content of SHA-256") as error:
        fetch(tmp_path, wrong, SILENT)
    assert not isinstance(error.value, ConnectionError)
    assert wrong.url in str(error.value) and SILENT in str(error.value)
    assert names(tmp_path) == []
    assert len(wrong.downloads) == 1


def test_a_page_instead_of_the_file_is_wrong_content(tmp_path, mirror, fetch):
    pages = mirror()
    pages.contents = dict.fromkeys(pages.contents, b"<!DOCTYPE html>")
    with pytest.raises(OSError, match=r"expected the magic number .* found 3c 21 44 4f"):
        fetch(tmp_path, pages)


@pytest.mark.parametrize("refusing", [[], [SILENT], ["no address"]])
def test_silence_is_a_connection_error(tmp_path, refusing, fetch):
    with pytest.raises(
        ConnectionError, match=r"no mirror of MNIST answered within 0\.2 s"
    ) as error:
        fetch(tmp_path, *refusing, patience=0.2)
    assert all(each in str(error.value) for each in refusing)
    assert names(tmp_path) == []


def test_a_mirror_that_refuses_counts_as_silent_and_says_why(tmp_path, mirror, fetch):
    with pytest.raises(ConnectionError, match="HTTP status 503"):
        fetch(tmp_path, mirror(status=503))


def test_waiting_for_an_answer_is_bounded_over_all_mirrors(tmp_path, monkeypatch, fetch):
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


def test_a_corrupt_file_in_the_cache_is_fetched_again(
    tmp_path, mirror, caplog, fetch, assert_same, write
):
    write(tmp_path, suffix="", train_labels=b"\0\0\x08\1 torn")
    good = mirror()
    assert_same(fetch(tmp_path, good))
    torn = NAMES["train_labels"]
    assert good.downloads == [f"{torn}.gz"]
    assert not (tmp_path / torn).exists() and (tmp_path / f"{torn}.gz").exists()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert str(tmp_path / torn) in record.message and "fetching one now" in record.message


def test_a_corrupt_file_in_the_cache_stays_when_nobody_answers(tmp_path, fetch, write):
    write(tmp_path, train_labels=b"torn")
    before = names(tmp_path)
    with pytest.raises(ConnectionError):
        fetch(tmp_path, SILENT, patience=0.1)
    assert names(tmp_path) == before


@pytest.mark.parametrize("below", ["", "cache"])
def test_a_cache_that_cannot_be_written_is_named(tmp_path, mirror, below, fetch):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    with pytest.raises(OSError, match=r"blocked.*expected a cache that can be written, found") as e:
        fetch(blocked / below, mirror())
    assert not isinstance(e.value, ConnectionError)
    assert names(tmp_path) == ["blocked"]


def test_a_full_cache_is_named_and_left_clean(tmp_path, mirror, monkeypatch, fetch, assert_same):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", full)
    good = mirror()
    with pytest.raises(OSError, match="found: No space left on device; free some space"):
        fetch(tmp_path, good)
    assert names(tmp_path) == []
    monkeypatch.undo()
    assert_same(fetch(tmp_path, good))


def test_an_interrupted_download_leaves_nothing(tmp_path, mirror, monkeypatch, fetch):
    def interrupted(self, url, output_file, pooch, check_only=False):
        output_file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("pooch.HTTPDownloader.__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, mirror())
    assert names(tmp_path) == []


def test_two_that_fill_one_cache_at_once_do_not_meet(tmp_path, mirror, fetch, assert_same):
    good, found = mirror(), []
    both = [threading.Thread(target=lambda: found.append(fetch(tmp_path, good))) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert_same(found[0]), assert_same(found[1])
    assert names(tmp_path) == ALL_GZ


def test_a_download_that_was_killed_is_tidied_up_after(tmp_path, mirror, fetch, assert_same):
    good = mirror()
    script = (
        "import os, sys; import pooch; from cnntheory import images\n"
        "def killed(self, url, file, pooch):\n"
        "    file.write(b'half'); os.kill(os.getpid(), 9)\n"
        "pooch.HTTPDownloader.__call__ = killed\n"
        "images.fetch(sys.argv[1], [sys.argv[2]])"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script, tmp_path, good.url], env=env)
    assert done.returncode == -signal.SIGKILL and len(names(tmp_path)) == 1
    assert_same(fetch(tmp_path, good))
    assert names(tmp_path) == ALL_GZ


def test_a_file_that_unpacks_to_more_than_mnist_is_not_unpacked(tmp_path, mirror, fetch):
    labels = struct.pack(">4BI", 0, 0, 8, 1, 60_001) + bytes(60_001)
    with pytest.raises(OSError, match="expected at most 60008 bytes, found an array of 60001"):
        fetch(tmp_path, mirror({NAMES["train_labels"]: labels}))
    # A cache holds it no better than a mirror.
    with pytest.raises(ConnectionError):
        fetch(tmp_path, SILENT, patience=0.1)
    assert f"{NAMES['train_labels']}.gz" not in names(tmp_path)


def test_zeros_without_end_fill_neither_disk_nor_memory(tmp_path, mirror, fetch, idx):
    zeros = mirror()
    packed = gzip.compress(idx(np.array([3, 1, 4], np.uint8)) + bytes(50_000_000))
    zeros.contents[f"{NAMES['train_labels']}.gz"] = packed
    assert len(packed) < 60_000
    tracemalloc.start()
    with pytest.raises(OSError, match="expected 11 bytes for an array of 3, found at least 12"):
        fetch(tmp_path, zeros)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


def test_a_download_without_end_is_broken_off(tmp_path, mirror, fetch, monkeypatch):
    long = mirror()
    long.contents[f"{NAMES['test_labels']}.gz"] = os.urandom(200_000)
    with pytest.raises(OSError, match="expected a file of at most 11042 bytes, found a larger one"):
        fetch(tmp_path, long)
    assert f"{NAMES['test_labels']}.gz" not in names(tmp_path)


@pytest.mark.parametrize(
    ("end", "answer"),
    [("http://other/", "refuse"), ("//other/", "follow"), ("https://other/", "follow")],
)
def test_redirects_from_https_to_http_are_refused(
    tmp_path, monkeypatch, fetch, contents, end, answer, assert_same
):
    asked = []

    def send(self, request, **_):
        asked.append(request.url)
        response = requests.Response()
        response.request, response.url = request, request.url
        name = request.url.rsplit("/", 1)[1].removesuffix(".gz")
        if "//first/" in request.url:
            response.status_code = 302
            response.headers["location"] = f"{end}{name}.gz"
        else:
            response.status_code = 200
        response.raw = urllib3.HTTPResponse(
            io.BytesIO(gzip.compress(contents[name])), preload_content=False
        )
        return response

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    if answer == "follow":
        assert_same(fetch(tmp_path, "https://first/"))
        assert all(url.startswith("https://") for url in asked)
        return
    with pytest.raises(ConnectionError, match="a redirect from https to http is refused"):
        fetch(tmp_path, "https://first/", patience=0.1)
    assert asked and not any(url.startswith("http://") for url in asked)
    # From http to http nothing is lost.
    assert_same(fetch(tmp_path, "http://first/"))


def test_progress_reaches_the_length_of_each_file(tmp_path, mirror, fetch):
    bars = []

    def progress(label):
        bars.append(tqdm(total=1, desc=label, file=io.StringIO()))
        return bars[-1]

    good = mirror()
    fetch(tmp_path, good, progress=progress)
    assert {bar.desc: bar.n for bar in bars} == {
        name: len(content) for name, content in good.contents.items()
    }
