"""SIGKILL at random moments: `pytest -m kill`; CNNTHEORY_KILLS says how many, 20 unless set.

A part of the quick pipeline is started, killed and started again as the README says, until it has
been killed often enough; then what it made is byte for byte what an undisturbed run made.
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

BIN = Path(sys.executable).parent
KILLS = int(os.environ.get("CNNTHEORY_KILLS", 20))
STUDIES = ("closeness", "gradients", "rate", "schedules", "starts")
TARGETS = [f"results/quick/figures/du2018/{study}.svg" for study in STUDIES]
MADE = {".parquet", ".json", ".svg", ".pdf", ".csv"}


def made(tree):
    """Path to content of every table, figure and verdict."""
    return {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in (tree / "results").rglob("*")
        if path.suffix in MADE
    }


@pytest.fixture
def start(tmp_path):
    """``start(tree, *words)`` starts Snakemake in a group of its own, without a network."""
    extra = tmp_path / "extra.yaml"
    silent = "{mirrors: ['http://127.0.0.1:9/']}"
    extra.write_text(f"mnist: {silent}\nfashion_mnist: {silent}\nreplicate: []\n")
    env = {
        "PATH": os.pathsep.join([str(BIN), *os.get_exec_path()]),
        "HOME": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    log = (tmp_path / "log").open("w+b")

    def start(tree, *words):
        return subprocess.Popen(
            [BIN / "snakemake", *words, "--configfile", "config/quick.yaml", extra],
            cwd=tree,
            env=env,
            start_new_session=True,
            stdout=log,
            stderr=log,
        )

    yield start
    log.close()


@pytest.fixture
def finish(start, tmp_path):
    """Run the pipeline to its end, as the README says: unlocked, then started again."""

    def finish(tree):
        assert start(tree, "--unlock").wait() == 0
        code = start(tree, "--cores", "2", *TARGETS).wait()
        assert code == 0, (tmp_path / "log").read_text()[-3000:]

    return finish


def writers(tree):
    """Processes of steps and studies in a tree that are running."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            script = "".join(process.cmdline()[1:2])
            if process.cwd() == str(tree) and script.startswith("workflow/"):
                found.append(process)
    return found


def settle(tree):
    """Wait for steps whose Snakemake was killed: they go on, and may write late."""
    for process in writers(tree):
        with contextlib.suppress(psutil.Error):
            process.wait()


def kill(run, tree, whom):
    """Kill the whole group, Snakemake alone, a step alone, or a step while it is writing."""
    if whom == "a write":
        # At most so long: in most moments nothing is being written.
        end = time.monotonic() + 20
        while time.monotonic() < end and run.poll() is None:
            if any((tree / "results").rglob(".*.part")):
                break
            time.sleep(0.001)
    if whom in ("a step", "a write"):
        for process in writers(tree)[:1]:
            with contextlib.suppress(psutil.Error):
                process.kill()
                run.wait()  # it reports the failure and ends by itself
                return True
        return False
    if run.poll() is not None:
        return False
    if whom == "the group":
        os.killpg(run.pid, signal.SIGKILL)
    else:
        run.kill()
    run.wait()
    return True


@pytest.mark.kill
def test_a_pipeline_that_is_killed_again_and_again_makes_the_same_bytes(copy, start, finish):
    calm, tree = copy("calm"), copy("killed")
    begin = time.monotonic()
    finish(calm)
    duration = time.monotonic() - begin
    expected = made(calm)
    assert {Path(name).suffix for name in expected} == MADE
    moments, kills = random.Random(14), 0
    while kills < KILLS:
        whom = ("the group", "snakemake", "a step", "a write")[kills % 4]
        assert start(tree, "--unlock").wait() == 0
        run = start(tree, "--cores", "2", *TARGETS)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(moments.uniform(0.1, 0.8) * duration)
        kills += kill(run, tree, whom)
        if run.poll() is None:
            run.wait()
        if run.returncode == 0:  # it was done before: from the start
            settle(tree)
            assert made(tree) == expected
            shutil.rmtree(tree / "results")
    settle(tree)
    finish(tree)
    assert made(tree) == expected
    assert not [*(tree / "results").rglob(".*.part")]
