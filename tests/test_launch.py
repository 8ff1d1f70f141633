"""A step in a fork of a server is what it is in an interpreter of its own."""

import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from workflow import launch

ROOT = Path(__file__).resolve().parents[1]
# What starts a server, then runs steps one after another, as Snakemake does; prints their exits.
DRIVER = """
import os, subprocess, sys
from workflow import launch
launch.start(os.environ.get("PACKAGES", "").split())
print(os.environ.get(launch.FORKS), flush=True)
if sys.argv[1:] == ["wait"]:
    sys.stdin.read()
for words in map(str.split, sys.argv[1:]):
    print(subprocess.run([sys.executable, "workflow/launch.py", *words]).returncode, flush=True)
"""
# What a step may see of the interpreter that runs it.
SEEN = """
'''What a step says of itself.'''
import json, os, sys
from cnntheory import stats
import tabulate
print("on the way", file=sys.stderr)
print(json.dumps({
    "argv": sys.argv, "path": sys.path, "cwd": os.getcwd(), "variable": os.environ["VARIABLE"],
    "name": __name__, "doc": sys.modules["__main__"].__doc__, "stdin": sys.stdin.read(),
    "handlers": [str(signal) for signal in map(__import__("signal").getsignal, (2, 15))],
}))
"""

# While it runs, the server loads.
PAUSE = "import time; time.sleep(0.5)"


@pytest.fixture(params=["forked", "here"])
def run(request, tmp_path):
    """``run(text, ..)`` runs steps of these texts one by one: the process, in which they ran."""

    def run(*texts, **options):
        words = []
        for i, text in enumerate(texts):
            step = tmp_path / f"step_{i}.py"
            step.write_text(textwrap.dedent(text))
            words.append(f"{tmp_path}/usage/{i}.jsonl {step} table.parquet --seed 1")
        forks = {launch.FORKS: "no" if request.param == "here" else ""}
        env = os.environ | {"PYTHONPATH": "src:.", "VARIABLE": "it is"} | forks
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, *words],
            cwd=ROOT,
            env=env,
            input="words for stdin",
            capture_output=True,
            text=True,
            **options,
        )
        if run.forked and done.stdout.startswith("None\n"):
            pytest.skip("no server on this system")
        return done

    run.forked = request.param == "forked"
    return run


def test_a_step_sees_what_it_would_by_itself(run, tmp_path):
    done = run(SEEN)
    _, said, code = done.stdout.splitlines()
    env = os.environ | {"PYTHONPATH": "src:.", "VARIABLE": "it is"}
    step = [tmp_path / "step_0.py", "table.parquet", "--seed", "1"]
    alone = subprocess.run(
        [sys.executable, *step],
        cwd=ROOT,
        env=env,
        input="words for stdin",
        capture_output=True,
        text=True,
    )
    assert json.loads(said) == json.loads(alone.stdout)
    assert (code, done.stderr) == ("0", alone.stderr)


def test_packages_that_two_steps_ask_for_are_loaded_and_modules_of_ours_never(run):
    look = "import sys; print('tabulate' in sys.modules, 'cnntheory.stats' in sys.modules)"
    load = "import tabulate, cnntheory.stats"
    done = run(look, load, PAUSE, look, load, PAUSE, look)
    looks = [line for line in done.stdout.splitlines() if " " in line]
    assert looks == ["False False", "False False", f"{run.forked} False"]


def test_what_nearly_all_steps_need_is_loaded_unasked(run, monkeypatch):
    monkeypatch.setenv("PACKAGES", "no_such_package tabulate")
    look = "import sys; print('tabulate' in sys.modules)"
    done = run(PAUSE, look)
    assert done.stdout.splitlines()[1:] == ["0", str(run.forked), "0"]
    assert done.stderr == ""
    for name in launch.PACKAGES:
        assert importlib.util.find_spec(name), name


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('error: no such file')", 1, "error: no such file\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("import os; os.kill(os.getpid(), 9)", -9, ""),
        ("import missing", 1, "ModuleNotFoundError: No module named 'missing'\n"),
    ],
)
def test_a_step_that_fails_fails_as_it_would_by_itself(run, tmp_path, text, code, said):
    done = run(text, "print('the next')")
    assert done.stdout.splitlines()[1:] == [str(code), "the next", "0"]
    assert done.stderr.endswith(said)
    assert not (tmp_path / "usage/0.jsonl").exists()


def test_what_a_step_leaves_to_its_end_is_done(run):
    ending = "import atexit; atexit.register(print, 'the end'); print('before', end=' ')"
    late = "import threading; threading.Timer(0.3, print, ['late']).start()"
    done = run(ending, late, "print('the next')")
    assert done.stdout.splitlines()[1:] == ["before the end", "0", "late", "0", "the next", "0"]


def test_a_step_that_fails_says_so_and_no_more(run):
    done = run("import torch", "import sys; sys.exit('error: no such file')", "1 / 0")
    assert done.stdout.splitlines()[1:] == ["0", "1", "1"]
    first, *traceback = done.stderr.splitlines()
    assert first == "error: no such file"
    assert traceback[0].startswith("Traceback") and traceback[-1].startswith("ZeroDivisionError")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_step_whose_last_words_cannot_be_written_fails(run):
    full = "import os, sys; os.dup2(os.open('/dev/full', os.O_WRONLY), 1); print('said')"
    done = run(full)
    assert int(done.stdout.split()[-1]) != 0


def test_what_a_step_used_is_written_down(run, tmp_path):
    run("import time\ntime.sleep(.3)\nheld = b'.' * 200 * 2**20\nfor _ in range(10**6): pass", "")
    busy, idle = (json.loads((tmp_path / f"usage/{i}.jsonl").read_text()) for i in range(2))
    assert 0.3 < busy["s"] and 0 < busy["cpu_time"] <= busy["s"]
    assert 200 < busy["max_rss"] < 500 and 1 < idle["max_rss"] < 200


@pytest.fixture
def server():
    """A process that has started a server, and the folder of its socket."""
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, "wait"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "src:.", launch.FORKS: ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    said = driver.stdout.readline().strip()
    if not said.endswith(sys.prefix):
        pytest.skip("no server on this system")
    yield driver, said, Path(said.rpartition(os.pathsep)[0]).parent
    driver.kill()
    driver.wait()


def gone(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def soon(is_true):
    end = time.monotonic() + 20
    while not is_true() and time.monotonic() < end:
        time.sleep(0.02)
    return is_true()


@pytest.fixture
def asleep(server, tmp_path):
    """A step that runs in a fork: its client, and the fork's process."""
    _, forks, _ = server
    step = tmp_path / "sleeper.py"
    mark = tmp_path / "pid"
    step.write_text(
        f"import os, pathlib, time\npathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\n"
        f"time.sleep(3)\npathlib.Path({str(mark)!r}).write_text('done')\n"
    )
    client = subprocess.Popen(
        [sys.executable, "workflow/launch.py", tmp_path / "usage.jsonl", step],
        cwd=ROOT,
        env=os.environ | {launch.FORKS: forks},
    )
    assert soon(lambda: mark.exists() and mark.read_text())
    return client, psutil.Process(int(mark.read_text())), mark


@pytest.mark.parametrize("end", ["end", "kill"])
def test_the_server_ends_with_its_run_and_lets_its_steps_end(server, asleep, end):
    driver, _, folder = server
    client, step, mark = asleep
    serving = step.parent()
    assert "--serve" in serving.cmdline() and step.name() == "sleeper"
    driver.kill() if end == "kill" else driver.stdin.close()
    assert client.wait() == 0 and mark.read_text() == "done"
    assert soon(lambda: gone(serving)) and not folder.exists()


def test_a_step_ends_with_the_process_that_waits_for_it(asleep):
    client, step, mark = asleep
    client.send_signal(signal.SIGKILL)
    client.wait()
    assert soon(lambda: gone(step)) and mark.read_text() == str(step.pid)


def test_where_the_server_was_killed_the_step_is_said_to_have_failed_and_the_next_runs(
    server, asleep, tmp_path
):
    _, forks, _ = server
    client, step, _ = asleep
    step.parent().kill()
    assert client.wait() == 1
    (tmp_path / "next.py").write_text("")
    code = [sys.executable, "workflow/launch.py", tmp_path / "next.jsonl", tmp_path / "next.py"]
    assert subprocess.run(code, cwd=ROOT, env=os.environ | {launch.FORKS: forks}).returncode == 0
    assert (tmp_path / "next.jsonl").exists()


def test_another_environment_is_not_served(server, tmp_path):
    _, forks, _ = server
    (tmp_path / "step.py").write_text("import os; print(os.getppid())")
    code = [sys.executable, "workflow/launch.py", tmp_path / "usage.jsonl", tmp_path / "step.py"]

    def parent(forks):
        env = os.environ | {launch.FORKS: forks}
        return int(subprocess.run(code, cwd=ROOT, env=env, capture_output=True).stdout)

    assert "--serve" in psutil.Process(parent(forks)).cmdline()
    assert parent(forks + "elsewhere") == os.getpid()


def test_what_a_server_did_not_begin_runs_here(tmp_path):
    (tmp_path / "step.py").write_text("import os; print(os.getppid())")
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        code = [sys.executable, "workflow/launch.py", tmp_path / "use.jsonl", tmp_path / "step.py"]
        env = os.environ | {launch.FORKS: f"{path}{os.pathsep}{sys.prefix}"}
        with subprocess.Popen(code, cwd=ROOT, env=env, stdout=subprocess.PIPE) as client:
            listener.accept()[0].close()
            assert int(client.stdout.read()) == os.getpid()
    assert client.returncode == 0


@pytest.mark.parametrize("why", ["long path", "no pidfd"])
def test_where_no_server_can_be_started_the_steps_run_by_themselves(monkeypatch, tmp_path, why):
    monkeypatch.setenv(launch.FORKS, "inherited")
    if why == "long path":
        place = tmp_path / ("long" * 25)
        place.mkdir()
        monkeypatch.setattr(launch.tempfile, "tempdir", str(place))
    else:
        place = tmp_path
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    launch.start()
    assert launch.FORKS not in os.environ and not list(place.iterdir())


def test_clients_at_once_and_one_that_says_nothing(server, tmp_path):
    _, forks, folder = server
    with socket.socket(socket.AF_UNIX) as mute:
        mute.connect(str(folder / "socket"))
        socket.send_fds(mute, [b"\n"], [0, 1, 2])
    (tmp_path / "step.py").write_text("import os, time; time.sleep(.2); print(os.getppid())")
    code = [sys.executable, "workflow/launch.py", tmp_path / "use.jsonl", tmp_path / "step.py"]
    env = os.environ | {launch.FORKS: forks}
    clients = [subprocess.Popen(code, cwd=ROOT, env=env, stdout=subprocess.PIPE) for _ in range(5)]
    parents = {int(client.communicate()[0]) for client in clients}
    assert len(parents) == 1 and "--serve" in psutil.Process(*parents).cmdline()
    assert all(client.returncode == 0 for client in clients)


def test_a_safe_path_stays_safe(run, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    done = run("import sys, cnntheory; print(sys.path[0], cnntheory.__file__)")
    first, where = done.stdout.splitlines()[1].split()
    assert first == str(ROOT / "src") and where.startswith(first)
