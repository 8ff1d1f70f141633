"""Files appear whole or not at all, whoever else writes them and however a writer ends."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest

from cnntheory.files import replacing
from workflow.studies import style

ROOT = Path(__file__).parents[1]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "t"
    with replacing(path) as first:
        first.write_text("first")
        with replacing(path) as second:
            second.write_text("second")
            assert {first.parent, second.parent} == {tmp_path} and first != second
        assert path.read_text() == "second" and first.read_text() == "first"
    assert path.read_text() == "first"
    assert names(tmp_path) == ["t"]


def test_many_writers_at_once_leave_one_whole_file(tmp_path):
    path, defects = tmp_path / "t", []

    def write(letter):
        try:
            for _ in range(20):
                with replacing(path) as part, part.open("w") as file:
                    for _ in range(50):
                        file.write(letter)
                        file.flush()
        except OSError as error:
            defects.append(error)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in "abcd"]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert not defects
    assert path.read_text() in {50 * letter for letter in "abcd"}
    assert names(tmp_path) == ["t"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_what_was_there(tmp_path, error):
    (tmp_path / "t").write_text("whole")
    with pytest.raises(error), replacing(tmp_path / "t") as part:
        part.write_text("half")
        raise error
    assert names(tmp_path) == ["t"] and (tmp_path / "t").read_text() == "whole"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_a_killed_writer_leaves_goes_with_the_next_one(tmp_path, how):
    script = (
        "import os, sys; from cnntheory.files import replacing\n"
        "with replacing(sys.argv[1]) as part:\n"
        "    part.write_text('half'); os.kill(os.getpid(), int(sys.argv[2]))"
    )
    for name in ("t", "t.u"):
        words = [sys.executable, "-c", script, tmp_path / name, str(int(how))]
        done = subprocess.run(words, env={"PYTHONPATH": str(ROOT / "src")})
        assert done.returncode == -how
    assert len(names(tmp_path)) == 2 and not (tmp_path / "t").exists()
    with replacing(tmp_path / "t") as part:
        part.write_text("whole")
    # What is left of another file may be another's to remove.
    left = [name for name in names(tmp_path) if name != "t"]
    assert len(left) == 1 and left[0].startswith(".t.u.")


def test_the_content_is_on_the_disk_before_it_has_the_name(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda file: (done.append(os.fstat(file).st_size), fsync(file))
    )
    monkeypatch.setattr(os, "replace", lambda *names: (done.append("named"), replace(*names)))
    with replacing(tmp_path / "t") as part:
        part.write_text("whole")
    assert done == [5, "named"]


def test_the_mode_is_that_of_any_new_file(tmp_path):
    (tmp_path / "usual").touch()
    with replacing(tmp_path / "t"):
        pass
    assert (tmp_path / "t").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_writer_whose_file_was_taken_for_a_dead_ones_makes_another(tmp_path, monkeypatch):
    import fcntl

    flock = fcntl.flock

    def late(file, how):
        monkeypatch.setattr(fcntl, "flock", flock)
        for path in tmp_path.iterdir():
            path.unlink()
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with replacing(tmp_path / "t") as part:
        part.write_text("whole")
    assert (tmp_path / "t").read_text() == "whole" and names(tmp_path) == ["t"]


def test_where_there_are_no_locks_nothing_is_taken_for_dead(tmp_path, monkeypatch):
    import fcntl

    def unknown(file, how):
        raise OSError("No locks available")

    monkeypatch.setattr(fcntl, "flock", unknown)
    with replacing(tmp_path / "t") as first:
        first.write_text("first")
        with replacing(tmp_path / "t") as second:
            second.write_text("second")
    assert (tmp_path / "t").read_text() == "first" and names(tmp_path) == ["t"]


@pytest.mark.parametrize(
    ("canvas", "kind"), [(style.FigureCanvasSVG, "svg"), (style.FigureCanvasPdf, "pdf")]
)
def test_a_figure_that_cannot_be_drawn_leaves_the_old_one(tmp_path, monkeypatch, canvas, kind):
    figure = tmp_path / "f.svg"
    for name in ("f.svg", "f.pdf", "f.csv"):
        (tmp_path / name).write_text("old")
    fig, _ = style.panels(1)

    def half(self, part, **_):
        part.write_text("half")
        raise ValueError("cannot be drawn")

    monkeypatch.setattr(canvas, f"print_{kind}", half)
    with pytest.raises(ValueError, match="cannot be drawn"):
        style.save(fig, figure, [pd.DataFrame({"x": [1]})], {})
    assert names(tmp_path) == ["f.csv", "f.pdf", "f.svg"]
    assert figure.with_suffix(f".{kind}").read_text() == "old"
