"""MNIST or Fashion-MNIST from a cache, and from mirrors into it: downloaded, verified, kept."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from .._extras import extra
from ..files import replacing
from .datasets import FILES, MNIST, SIZES, find
from .idx import parse_idx, read_idx

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


def reachable(
    mirrors: Sequence[str], files: Mapping[str, tuple[str, str]] = FILES, wait: float = 3.0
) -> bool:
    """Whether some mirror offers the first of the files within `wait` seconds."""
    with extra("images"):
        import requests

    (name, _), *_ = files.values()
    for mirror in mirrors:
        with contextlib.suppress(requests.RequestException):
            _expect_answer(f"{mirror.rstrip('/')}/{name}.gz", wait / len(mirrors))
            return True
    return False


def fetch(
    cache: str | os.PathLike,
    mirrors: Sequence[str] = MIRRORS,
    files: Mapping[str, tuple[str, str]] = FILES,
    patience: float = 30.0,
    attempts: int = 3,
    progress: Callable | None = None,
    name: str = MNIST,
) -> dict[str, NDArray]:
    """Read MNIST, or Fashion-MNIST, from `cache`; download what is missing or damaged there.

    The mirrors are asked in turn. One that does not answer, breaks off or sends other content
    is left for the next one; a file enters the cache when it has been verified, not before.

    Parameters
    ----------
    cache : path
        Folder of the files, made when needed.
    mirrors : sequence of str
        Addresses of folders that hold the gzipped files.
    files : mapping, optional
        As `FILES`; `FASHION_FILES` for Fashion-MNIST.
    patience : float
        Seconds until some mirror answers, over all mirrors and attempts; also until the next
        bytes of a download.
    attempts : int
        How often a mirror is asked for a file.
    progress : callable, optional
        ``progress(label)`` makes a progress bar that pooch accepts, such as tqdm's.
    name : str
        What an error calls the data set.

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
    with extra("images"):
        import requests

    found = find(cache, files)
    arrays = {}
    for key, path in found.items():
        try:
            arrays[key] = read_idx(path, files[key][1], SIZES[key])
        except ValueError as error:
            log.warning("cache: %s (fetching one now)", error)
    mirrors = list(mirrors)
    wait = patience / max(1, attempts * len(mirrors))
    answered = False
    for key in [key for key in files if key not in arrays]:
        file, expected = files[key]
        defects = []
        with _writable(cache), replacing(Path(cache, f"{file}.gz")) as part:
            for mirror in mirrors:
                url = f"{mirror.rstrip('/')}/{file}.gz"
                bounds = (expected, SIZES[key], attempts, wait, patience)
                try:
                    arrays[key] = _download(url, part, *bounds, progress)
                except requests.RequestException as error:
                    defects.append(f"{url}: {_reason(error)}")
                except ValueError as error:
                    defects.append(f"{url}: {error}")
                    answered = True
                else:
                    # What has just worked is asked first for the next file.
                    mirrors.sort(key=mirror.__ne__)
                    answered = True
                    break
            else:
                said = ", ".join(defects) or "the list of mirrors is empty"
                if not answered:
                    raise ConnectionError(
                        f"no mirror of {name} answered within {patience:g} s ({said})"
                    )
                raise OSError(
                    f"{file}: expected it from a mirror, found none that sent it whole ({said}); "
                    f"try again later, or put the {len(files)} files into {cache}"
                )
        if key in found and found[key].name == file:  # the damaged one, found before the new one
            with _writable(cache):
                found[key].unlink()
    return {key: arrays[key] for key in files}


@contextlib.contextmanager
def _writable(cache):
    """Make the folder `cache`, and say so where the system lets nothing be written there."""
    try:
        Path(cache).mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        if error.errno is None:  # one of our own
            raise
        raise OSError(
            f"{cache}: expected a cache that can be written, found: {error.strerror or error}; "
            "free some space, make it writable or name another folder"
        ) from error


def _download(url, path, expected, largest, attempts, wait, patience, progress):
    """Download `url` to `path` and read it.

    Raises `requests.RequestException` where nobody answered, ValueError where the answer was cut
    short or is not the expected content.
    """
    import requests

    with extra("images"):
        import pooch

    for attempt in range(attempts):
        begin = time.monotonic()
        try:
            _expect_answer(url, wait)
        except requests.RequestException as error:
            failure = error
        else:
            bar = progress(Path(url).name) if progress else None
            download = pooch.HTTPDownloader(
                progressbar=bar, chunk_size=1 << 16, timeout=patience, hooks={"response": _stay}
            )
            try:
                with open(path, "wb") as file:
                    download(url, _Bounded(file, largest), None)
                return parse_idx(path, expected, largest)
            except requests.RequestException as error:
                failure = ValueError(f"the download broke off ({_reason(error)})")
            finally:
                if bar is not None:
                    bar.close()
        if attempt < attempts - 1:
            time.sleep(max(0, min(1, begin + wait - time.monotonic())))
    raise failure


class _Bounded:
    """A file for pooch that takes no more than a gzipped file of `largest` bytes can have."""

    def __init__(self, file, largest):
        self.file, self.flush = file, file.flush
        # What cannot be compressed grows by less than a thousandth; a header holds a name.
        self.most = self.left = largest + largest // 1000 + 1024

    def write(self, chunk):
        self.left -= len(chunk)
        if self.left < 0:
            raise ValueError(f"expected a file of at most {self.most} bytes, found a larger one")
        return self.file.write(chunk)


def _stay(response, *_, **__):
    """Refuse to be sent from https to http, where anybody on the way could answer."""
    import requests

    url = requests.Session().get_redirect_target(response)
    if url and urlsplit(response.url).scheme == "https":
        if urlsplit(urljoin(response.url, url)).scheme != "https":
            raise requests.exceptions.InvalidSchema("a redirect from https to http is refused")


def _expect_answer(url, wait):
    """Raise `requests.RequestException` unless `url` is offered within `wait` seconds.

    The question is put in a thread: looking up a name has no time limit, and connecting to it has
    one for each of its addresses.
    """
    import requests

    outcome = queue.SimpleQueue()

    def ask():
        try:
            answer = requests.head(
                url, timeout=wait, allow_redirects=True, hooks={"response": _stay}
            )
            answer.raise_for_status()
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
    if isinstance(error, requests.exceptions.InvalidSchema):
        return str(error)
    # The reason that urllib3 names is the one a reader can use, e.g. NameResolutionError.
    cause = error.args[0] if error.args else error
    return f"cannot be reached ({type(getattr(cause, 'reason', error)).__name__})"
