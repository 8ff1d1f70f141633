"""Killed at random moments, out of space: `pytest -m kill`; CNNTHEORY_KILLS kills, 24 unless set.

A part of the quick pipeline is started, killed (by SIGKILL, SIGTERM or ctrl-C) and started again
as the README says, until it has been killed often enough; or it runs on a disk that is too small,
which then grows. What it made in the end is byte for byte what an undisturbed run made.
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
KILLS = int(os.environ.get("CNNTHEORY_KILLS", 24))
STUDIES = ("closeness", "gradients", "rate", "schedules", "starts")
TARGETS = [f"results/quick/figures/du2018/{study}.svg" for study in STUDIES]
WHOM = ("the group", "snakemake", "a step", "a write", "ctrl-C", "SIGTERM")
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
        "PYTHONPYCACHEPREFIX": str(tmp_path / "pycache"),
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
    """Processes of steps and studies in a tree that are running, then those that wait for them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            # A fork of the server that runs steps is named for its step.
            forked = "--serve" in process.cmdline() and not process.name().startswith("python")
            waiting = process.cmdline()[1:2] == ["workflow/launch.py"]
            if process.cwd() == str(tree) and (forked or waiting):
                found.append((waiting, process))
    return [process for _, process in sorted(found, key=lambda pair: pair[0])]


def settle(tree):
    """Wait for steps whose Snakemake was killed: they go on, and may write late."""
    for process in writers(tree):
        with contextlib.suppress(psutil.Error):
            process.wait()


def kill(run, tree, whom):
    """Kill the whole group, Snakemake, a step, a step while it writes; or end it by a signal."""
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
    elif whom == "ctrl-C":  # a terminal sends it to all of the group
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.send_signal(signal.SIGTERM if whom == "SIGTERM" else signal.SIGKILL)
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
        whom = WHOM[kills % len(WHOM)]
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


def occupied(folder):
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def disk(tmp_path):
    """``disk(size)`` mounts a disk of so many bytes; called again, it gives it that size."""
    if not hasattr(os, "geteuid") or os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root mounts a disk")
    place = tmp_path / "disk"
    place.mkdir()

    def mount(size):
        options = ["-o", f"{'remount,' if place.is_mount() else ''}size={size}"]
        done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", place])
        if done.returncode:
            pytest.skip("no disk can be mounted here")
        return place

    yield mount
    if place.is_mount():
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.kill
def test_a_pipeline_that_runs_out_of_space_says_so_and_makes_the_same_bytes(
    copy, start, finish, disk, tmp_path
):
    calm = copy("calm")
    empty = occupied(calm)
    finish(calm)
    expected, needed = made(calm), occupied(calm) - empty
    # Pages are whole: some room for the files of the project, then far too little for the results.
    place = disk(int(1.3 * empty) + 4096 * sum(1 for _ in calm.rglob("*")))
    tree = place / "tree"
    shutil.copytree(copy("source"), tree)
    free = shutil.disk_usage(place).free
    filler = place / "filler"
    filler.write_bytes(bytes(max(0, free - needed // 3)))
    assert start(tree, "--cores", "2", *TARGETS).wait() != 0
    assert "No space left on device" in (tmp_path / "log").read_text(errors="replace")
    settle(tree)
    assert not [*(tree / "results").rglob(".*.part")]
    for name, content in made(tree).items():
        assert content == expected[name], name
    filler.unlink()
    disk(3 * (empty + needed))
    finish(tree)
    assert made(tree) == expected
