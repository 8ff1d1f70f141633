"""Run a step's file, as a fork of an interpreter that has loaded its packages already.

    python workflow/launch.py USAGE STEP ...

does what ``python STEP ...`` does, and writes its seconds and its peak memory to USAGE, a line of
JSON. Most of what a small job takes is the import of numpy, pandas, matplotlib and torch. So a run
starts one server (`start`); a step is a fork of it. While nobody asks for one, the server loads
what nearly all steps need, and what else two steps have imported, for those that follow. The
project's own modules are never shared, so an edit holds from the next job on. Where there is no
server, by hand, on a cluster, in an environment of conda's, on a system other than Linux, the step
runs right here; ``CNNTHEORY_FORKS=no`` runs it here as well.
"""

import atexit
import collections
import contextlib
import gc
import importlib
import json
import os
import resource
import runpy
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Where a run's server listens, and the environment it has loaded; or "no".
FORKS = "CNNTHEORY_FORKS"
# All steps run on one thread. A library reads its number when it is loaded.
THREADS = ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "VECLIB_MAXIMUM", "NUMEXPR_NUM")
OURS = ("__main__", "cnntheory", "workflow")
# What nearly all steps need.
PACKAGES = ("pandas", "pyarrow.parquet", "scipy.stats", "seaborn", "fontTools.subset")
_FDS = 3  # stdin, stdout, stderr
_MIB = 1024**2 if sys.platform == "darwin" else 1024  # in the units of getrusage


def main(words):
    """Serve, or run the step that is named: in a fork of the server, if there is one."""
    if words[0] != "--serve":
        step = {"usage": words[0], "argv": words[1:]}
        _hand_over(step)
        _run(**step)
    elif forked := _serve(socket.socket(fileno=int(words[1])), Path(words[2]), words[3:]):
        step, imported = forked
        before = set(sys.modules)
        if (code := _outcome(step)) == 0:
            with contextlib.suppress(OSError):  # the step is done, be the next faster or not
                new = [name for name in sys.modules if name not in before]
                imported.write_text(json.dumps(new))
        # What ends an interpreter, but for taking it apart: that would copy much of what it shares
        # with the server, a quarter of a second for every step.
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _outcome(step):
    """Run a step; the exit code that an interpreter would have, after it has said why."""
    try:
        _run(**step)
    except SystemExit as ended:
        if isinstance(ended.code, int):
            return ended.code & 0xFF
        if ended.code is not None:
            print(ended.code, file=sys.stderr)
        return int(ended.code is not None)
    except Exception:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def _run(usage, argv):
    begun = time.monotonic()
    sys.argv = argv
    if not sys.flags.safe_path:
        sys.path[0] = str(Path(argv[0]).parent.absolute())
    runpy.run_path(argv[0], run_name="__main__")
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    found = {
        "s": round(time.monotonic() - begun, 3),
        "cpu_time": round(sum(used.ru_utime + used.ru_stime for used in spent), 3),
        "max_rss": round(max(used.ru_maxrss for used in spent) / _MIB, 1),
    }
    Path(usage).parent.mkdir(parents=True, exist_ok=True)
    Path(usage).write_text(json.dumps(found) + "\n")


def start(packages=PACKAGES):
    """Start the server of a run; it ends with this process, once the steps that run are done.

    Where it cannot be started the steps run by themselves.
    """
    if sys.platform != "linux" or os.environ.get(FORKS) == "no":
        return
    os.environ.pop(FORKS, None)
    with contextlib.ExitStack() as opened:
        try:
            os.close(os.pidfd_open(os.getpid()))  # not every Python and kernel has it
            folder = Path(tempfile.mkdtemp(prefix="cnntheory-"))
            opened.callback(shutil.rmtree, folder, ignore_errors=True)
            listener = opened.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(folder / "socket"))
            listener.listen(64)
            alive, end = os.pipe()  # `end` closes with this process, however it ends
            opened.callback(os.close, end)
            with open(alive) as stdin:
                subprocess.Popen(
                    [
                        sys.executable,
                        __file__,
                        "--serve",
                        str(listener.fileno()),
                        str(folder),
                        *packages,
                    ],
                    stdin=stdin,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[listener.fileno()],
                    cwd=ROOT,
                    env=os.environ
                    | {f"{library}_THREADS": "1" for library in THREADS}
                    | {"PYTHONPATH": os.pathsep.join(["src", "."])},
                )
        except (AttributeError, OSError):
            return
        opened.pop_all()
        listener.close()
    os.environ[FORKS] = os.pathsep.join([str(folder / "socket"), sys.prefix])


def _hand_over(step):
    """Let the server run a step and end as it did; return where there is none."""
    path, _, prefix = os.environ.get(FORKS, "no").rpartition(os.pathsep)
    if prefix != sys.prefix:
        return
    with socket.socket(socket.AF_UNIX) as server:
        asked = {"step": step, "cwd": os.getcwd(), "environ": dict(os.environ)}
        try:
            server.connect(path)
            socket.send_fds(server, [b"\n"], range(_FDS))
            server.sendall(json.dumps(asked).encode() + b"\n")
            said = server.makefile()
            begun = said.readline()
        except OSError:
            begun = ""
        if not begun:
            return
        with said, contextlib.suppress(OSError):
            code = ""
            code = said.readline()
    if not code:
        sys.exit("error: the process that runs the steps has been ended; run again")
    if int(code) < 0:  # by a signal: die of the same
        with contextlib.suppress(OSError):  # nobody handles SIGKILL
            signal.signal(-int(code), signal.SIG_DFL)
        os.kill(os.getpid(), -int(code))
    sys.exit(int(code))


def _serve(listener, folder, packages):
    """Fork for every step that is asked for: ``step, imported`` in the fork, None in the end."""
    # It is for Snakemake and the steps, which take it as they were to take it.
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    waiting = list(packages)  # to be loaded
    imported = collections.Counter()  # how many steps have imported a package
    running = {}  # pid to the connection to its client
    with selectors.DefaultSelector() as ready:
        ready.register(listener, selectors.EVENT_READ, ("asked", None))
        ready.register(sys.stdin, selectors.EVENT_READ, ("over", None))
        while running or listener.fileno() >= 0:
            events = ready.select(0 if waiting else None)
            if waiting and not events:
                _load(waiting.pop(0))
            for key, _ in events:
                event, pid = key.data
                if event == "asked" and listener.fileno() >= 0:
                    if not (received := _receive(listener)):
                        continue
                    client, fds, asked = received
                    pid, child = _fork()
                    if pid == 0:
                        signal.signal(signal.SIGINT, interrupted)
                        for other in (listener, client, *running.values()):
                            other.close()
                        _become(fds, **asked)
                        return asked["step"], folder / str(os.getpid())
                    for fd in fds:
                        os.close(fd)
                    if pid is None:  # the client runs the step by itself
                        client.close()
                        continue
                    running[pid] = client
                    ready.register(child, selectors.EVENT_READ, ("ended", pid))
                    ready.register(client, selectors.EVENT_READ, ("left", pid))
                    with contextlib.suppress(OSError):
                        client.sendall(b"begun\n")
                elif event == "over":  # the run, or Snakemake was killed
                    ready.unregister(listener)
                    ready.unregister(sys.stdin)
                    listener.close()
                    waiting.clear()
                elif event == "ended":
                    _, status = os.waitpid(pid, 0)
                    ready.unregister(key.fd)
                    os.close(key.fd)
                    with running.pop(pid) as client, contextlib.suppress(KeyError, OSError):
                        ready.unregister(client)
                        client.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
                    if listener.fileno() >= 0:  # nothing follows a run that is over
                        names = _imported(folder / str(pid))
                        # A step that asks meanwhile waits: not for what one step took, as torch.
                        imported.update(names)
                        waiting += [name for name in names if imported[name] == 2]
                elif event == "left" and pid in running:  # the client was ended: so is its step
                    ready.unregister(key.fileobj)
                    os.kill(pid, signal.SIGTERM)
    shutil.rmtree(folder, ignore_errors=True)
    return None


def _receive(listener):
    """A client, its file descriptors and what it asks; None where it left before it had asked."""
    fds = []
    try:
        client, _ = listener.accept()
    except OSError:
        return None
    try:
        _, fds, _, _ = socket.recv_fds(client, 1, _FDS)
        with client.makefile("rb") as file:
            asked = json.loads(file.readline())
        if len(fds) == _FDS:
            return client, fds, asked
    except (OSError, ValueError):
        pass
    client.close()
    for fd in fds:
        os.close(fd)
    return None


def _fork():
    """``(pid, its pidfd)``; the pid is 0 in the fork, None where there can be none."""
    try:
        with warnings.catch_warnings():
            # pyarrow's allocator has a thread of its own, which looks after itself in forks
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
    except OSError:
        return None, None
    if not pid:
        return 0, None
    try:
        return pid, os.pidfd_open(pid)
    except OSError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return None, None


def _imported(file):
    """Names of the packages that a fork has imported, in its order."""
    try:
        names = json.loads(file.read_text())
        file.unlink()
    except (OSError, ValueError):  # the step failed, or the disk is full
        return []
    return [name for name in names if name.split(".")[0] not in OURS]


def _load(name):
    """Import a package; it need not be a module, or not be installed."""
    with contextlib.suppress(Exception):
        importlib.import_module(name)
    gc.freeze()  # what is loaded is left alone by the forks, and so stays shared


def _become(fds, step, cwd, environ):
    """Make a fork what the client's interpreter would have been."""
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    # What packages register when they are imported is the server's to do: matplotlib removes a
    # folder that all use.
    atexit._clear()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    with contextlib.suppress(OSError):  # its name in top and ps
        Path("/proc/self/comm").write_text(Path(step["argv"][0]).stem[:15])


if __name__ == "__main__":
    main(sys.argv[1:])
