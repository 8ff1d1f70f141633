"""The verdicts of a paper at a glance."""

import json
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from cnntheory import images
from tests.studies.boxes import overlaps
from workflow.studies import forest, style

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def row(name, kind="claim", verdict="holds", measured=0.5, bound="<= 1", **more):
    look = {"paper": "du2018", "data": "synthetic", "ci_low": None, "ci_high": None}
    about = {"id": name, "kind": kind, "verdict": verdict, "measured": measured, "bound": bound}
    return look | about | {"statement": f"What {name} says"} | more


def many(count=60):
    """Rows of every kind and verdict, statements of all lengths."""
    kinds = ("claim", "claim", "claim", "control", "identity")
    return [
        row(
            f"{i}-long-name"[:12],
            kinds[i % 5],
            ("holds", "fails", "inconclusive")[i % 3],
            measured=[0.2, 1.3, 1e9, None, -40.0][i % 4],
            bound=("<= 1", "in [0.1, 0.3]", ">= 0.9")[i % 3],
            statement="A statement of words " * (1 + i % 5),
        )
        for i in range(count)
    ]


@pytest.mark.parametrize(
    ("bound", "values", "expected"),
    [
        ("in [-0.6, -0.4]", [-0.6, -0.5, -0.4, -0.2], [-1, 0, 1, 3]),
        ("<= 2", [0, 2, 4], [0, 1, 2]),
        (">= 2", [0, 2, 4], [-2, -1, 0]),
        (">= 0.9", [0.8, 0.9, 1.0], [-2, -1, 0]),
        (">= 0.9", [0.9, 1.8], [-1, 0]),
        (">= -1e-06", [-2e-6, -1e-6, 0], [-2, -1, 0]),
        (">= 0", [-1, 0, 2], [-1.5, -1, 0]),
        ("<= 0", [0], [1]),
        ("in [1, 1]", [1, 2], [0, 1]),
    ],
)
def test_a_band_ends_at_one_on_either_side(bound, values, expected):
    np.testing.assert_allclose(forest.scaled(values, *forest.edges(bound)), expected, atol=1e-9)


def marks(fig):
    """Colour, face and place of every marker."""
    (axis,) = fig.axes
    return [
        (line.get_color(), to_hex(line.get_markerfacecolor()), line.get_marker(), *line.get_xdata())
        for line in axis.lines
        if line.get_marker() not in ("None", "", None)
    ]


def test_looks_tell_what_was_decided():
    rows = [
        row("1"),
        row("2", verdict="fails", measured=2.0),
        row("3", verdict="inconclusive"),
        row("1x", "control", "fails", measured=50.0),
        row("i", "identity"),
        row("n", verdict="inconclusive", measured=None),
    ]
    blue, red, grey = style.MEASURED[0], style.VERMILLION, forest.NOTHING
    assert marks(forest.forest(rows)) == [
        (blue, blue, "o", 0.5),
        (red, red, "o", 2.0),
        (grey, grey, "o", 0.5),
        (grey, grey, "x", 0),
        (red, "#ffffff", ">", forest.END),
        (blue, blue, "o", 0.5),
    ]


def test_a_second_data_set_stands_in_the_same_row():
    fig = forest.forest([row("1", data="MNIST"), row("1", data=images.FASHION), row("2")])
    assert [mark[2] for mark in marks(fig)] == ["o", "s", "o"]
    assert len(fig.axes[0].collections) == 2  # strips


def test_words_of_sixty_rows_do_not_meet():
    fig = forest.forest(many())
    assert fig.get_size_inches()[0] == style.DOUBLE and fig.get_size_inches()[1] < 14
    assert overlaps(fig) == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [([], "no verdicts to draw"), ([row("1"), row("2", paper="ergen2021")], "one paper a forest")],
)
def test_rows_of_one_paper_are_needed(rows, said):
    with pytest.raises(ValueError, match=said):
        forest.forest(rows)


def test_the_command_writes_a_light_figure(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(many(100)))
    words = [sys.executable, "workflow/studies/forest.py", tmp_path / "f.svg", tmp_path / "a.json"]
    done = subprocess.run(
        words, cwd=ROOT, env={"PYTHONPATH": "src:."}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert 10_000 < (tmp_path / "f.svg").stat().st_size < style.LIMIT
    assert (tmp_path / "f.pdf").exists() and (tmp_path / "f.csv").exists()
