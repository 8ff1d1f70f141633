"""Run a step's file, as a fork of an interpreter that has loaded its packages already.

    python workflow/launch.py USAGE STEP ...

does what ``python STEP ...`` does, and writes its seconds and its peak memory to USAGE, a line of
JSON. Most of what a small job takes is the import of numpy, pandas, matplotlib and torch. So a run
starts one server (`start`); a step is a fork of it, and what packages a step has imported the
server then imports too, for those that follow. The project's own modules are never shared, so an
edit holds from the next job on. Where there is no server, by hand, on a cluster, in an environment
of conda's, on a system other than Linux, the step runs right here; ``CNNTHEORY_FORKS=no`` runs it
here as well.
"""

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
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Where a run's server listens, and the environment it has loaded; or "no".
FORKS = "CNNTHEORY_FORKS"
# All steps run on one thread. A library reads its number when it is loaded.
THREADS = ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "VECLIB_MAXIMUM", "NUMEXPR_NUM")
OURS = ("__main__", "cnntheory", "workflow")
_FDS = 3  # stdin, stdout, stderr
_MIB = 1024**2 if sys.platform == "darwin" else 1024  # in the units of getrusage


def main(words):
    """Serve, or run the step that is named: in a fork of the server, if there is one."""
    if words[0] != "--serve":
        step = {"usage": words[0], "argv": words[1:], "begun": time.monotonic()}
        _hand_over(step)
        _run(**step)
    elif forked := _serve(socket.socket(fileno=int(words[1])), Path(words[2])):
        step, imported = forked
        before = set(sys.modules)
        _run(**step)
        with contextlib.suppress(OSError):  # the step is done, whether or not the next is faster
            imported.write_text(json.dumps([name for name in sys.modules if name not in before]))


def _run(usage, argv, begun):
    sys.argv, sys.path[0] = argv, str(Path(argv[0]).parent.absolute())
    runpy.run_path(argv[0], run_name="__main__")
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    found = {
        "s": round(time.monotonic() - begun, 3),
        "cpu_time": round(sum(used.ru_utime + used.ru_stime for used in spent), 3),
        "max_rss": round(max(used.ru_maxrss for used in spent) / _MIB, 1),
    }
    Path(usage).parent.mkdir(parents=True, exist_ok=True)
    Path(usage).write_text(json.dumps(found) + "\n")


def start():
    """Start the server of a run; it ends with this process, once the steps that run are done."""
    if sys.platform != "linux" or os.environ.get(FORKS) == "no":
        return
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:  # a kernel, or a sandbox, without what the server waits by
        return
    folder = Path(tempfile.mkdtemp(prefix="cnntheory-"))
    path = folder / "socket"
    alive, _ = os.pipe()  # its other end closes when this process ends, however it ends
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(64)
        subprocess.Popen(
            [sys.executable, __file__, "--serve", str(listener.fileno()), str(folder)],
            stdin=alive,
            stdout=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            cwd=ROOT,
            env=os.environ
            | {f"{library}_THREADS": "1" for library in THREADS}
            | {"PYTHONPATH": os.pathsep.join(["src", "."])},
        )
    os.close(alive)
    os.environ[FORKS] = os.pathsep.join([str(path), sys.prefix])


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


def _serve(listener, folder):
    """Fork for every step that is asked for: ``step, imported`` in the fork, None in the end."""
    # It is for Snakemake and the steps, which take it as they were to take it.
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)
    running = {}  # pid to the connection to its client
    with selectors.DefaultSelector() as ready:
        ready.register(listener, selectors.EVENT_READ, "ask")
        ready.register(sys.stdin, selectors.EVENT_READ, "close")
        while running or listener.fileno() >= 0:
            for key, _ in ready.select():
                if key.data == "ask":
                    client, _ = listener.accept()
                    try:
                        _, fds, _, _ = socket.recv_fds(client, 1, _FDS)
                        with client.makefile("rb") as file:
                            asked = json.loads(file.readline())
                    except (OSError, ValueError):  # ended before it had asked
                        client.close()
                        continue
                    pid = os.fork()
                    if not pid:
                        for other in (listener, client, *running.values()):
                            other.close()
                        signal.signal(signal.SIGINT, interrupted)
                        _become(fds, **asked)
                        return asked["step"], folder / str(os.getpid())
                    for fd in fds:
                        os.close(fd)
                    running[pid] = client
                    with contextlib.suppress(OSError):
                        client.sendall(b"begun\n")
                    ready.register(os.pidfd_open(pid), selectors.EVENT_READ, ("ended", pid))
                    ready.register(client, selectors.EVENT_READ, ("left", pid))
                elif key.data == "close":  # the run is over, or Snakemake was killed
                    ready.unregister(listener)
                    ready.unregister(sys.stdin)
                    listener.close()
                elif key.data[0] == "ended":
                    pid = key.data[1]
                    _, status = os.waitpid(pid, 0)
                    ready.unregister(key.fd)
                    os.close(key.fd)
                    with running.pop(pid) as client, contextlib.suppress(KeyError, OSError):
                        ready.unregister(client)
                        client.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
                    _load(folder / str(pid))
                elif key.data[1] in running:  # the client was ended: so is its step
                    ready.unregister(key.fileobj)
                    os.kill(key.data[1], signal.SIGTERM)
    shutil.rmtree(folder, ignore_errors=True)
    return None


def _load(imported):
    """Import the packages that a fork has imported, in its order; some need not be modules."""
    try:
        names = json.loads(imported.read_text())
    except (OSError, ValueError):  # the step failed, or the disk is full
        return
    for name in names:
        if name.split(".")[0] not in OURS:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    imported.unlink()
    gc.freeze()  # what is loaded is left alone by the forks, and so stays shared


def _become(fds, step, cwd, environ):
    """Make a fork what the client's interpreter would have been."""
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    with contextlib.suppress(OSError):  # its name in top and ps
        Path("/proc/self/comm").write_text(Path(step["argv"][0]).stem[:15])


if __name__ == "__main__":
    main(sys.argv[1:])
