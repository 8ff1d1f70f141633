"""The judge of where words stand finds what was planted, and nothing in a figure in order."""

import importlib
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from cnntheory import images
from tests.studies.boxes import overlaps
from workflow.configuration import studies
from workflow.studies import study, style

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"

DIAGONAL = np.array([0.0, 1.0])


@pytest.fixture
def panel():
    fig, (axis,) = style.panels(1, width=style.SINGLE)
    axis.plot(DIAGONAL, DIAGONAL, label="a rising curve", **style.measured(0))
    axis.set(xlabel="samples", ylabel="error")
    yield fig, axis
    plt.close("all")


def test_a_figure_in_order_has_no_complaints(panel):
    fig, axis = panel
    style.title(axis, "a", "a title so long that it has to be broken into several lines of words")
    style.corner(axis, "20 seeds", "upper left")
    style.label_ends(axis)
    style.legend_below(axis)
    assert overlaps(fig) == []


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (lambda axis: axis.text(0.5, 0.5, "here"), "'here' covers 'a rising curve'"),
        (lambda axis: axis.text(-0.02, -0.03, "here"), "'here' covers 'a rising curve'"),
        (lambda axis: axis.text(1.6, 0.1, "here", in_layout=False), "'here' leaves the figure"),
        (lambda axis: axis.set_xticks([0, 0.01], ["long", "wide"]), "'wide' lies over 'long'"),
        (lambda axis: axis.legend(loc="center"), "'legend a rising curve' covers"),
        (
            lambda axis: [axis.text(0.1, y, word) for y, word in ((0.8, "one"), (0.81, "two"))],
            "'two' lies over 'one'",
        ),
        (
            lambda axis: (axis.scatter(0.2, 0.8, label="points"), axis.text(0.18, 0.78, "here")),
            "'here' covers 'points'",
        ),
        (
            lambda axis: (axis.errorbar(0.2, 0.8, 0.1, fmt=""), axis.text(0.18, 0.86, "here")),
            "'here' covers a line",
        ),
    ],
    ids=["line", "point", "outside", "ticks", "legend", "texts", "scatter", "errorbar"],
)
def test_what_is_planted_is_found(panel, plant, said):
    fig, axis = panel
    plant(axis)
    assert any(line.startswith(said) for line in overlaps(fig)), overlaps(fig)


def test_a_turned_text_is_judged_by_its_own_outline(panel):
    fig, axis = panel
    # Its upright box holds the whole curve, its outline runs beside it.
    axis.set(xlim=(0, 1), ylim=(0, 1))
    box = axis.get_window_extent()
    turn = np.degrees(np.arctan2(box.height, box.width))
    axis.text(0.42, 0.64, "beside the curve", rotation=turn, ha="center", va="center")
    assert overlaps(fig) == []
    axis.text(0.5, 0.49, "on the curve", rotation=turn, ha="center", va="center")
    assert [line.split(" covers")[0] for line in overlaps(fig)] == ["'on the curve'"]


def test_bands_and_criteria_may_lie_under_words(panel):
    fig, axis = panel
    axis.set(ylim=(0, 2))
    axis.fill_between(DIAGONAL, 1.2, 1.5, alpha=style.BAND)
    style.criterion(axis, at_least=1.6, label="criterion")
    axis.text(0.1, 1.55, "over both")
    assert overlaps(fig) == []


@pytest.mark.figures
@pytest.mark.parametrize(
    ("paper", "name"),
    [
        pytest.param(paper, name, id=f"{paper}-{name}")
        for paper, signs in studies().items()
        for name in signs
    ],
)
def test_no_words_of_a_figure_lie_over_what_it_shows(paper, name):
    sign = study.read_sign(ROOT / f"workflow/studies/{paper}/{name}.yaml")
    if not (RESULTS / "claims.csv").exists():
        pytest.skip("there is no standard run: make figures")
    tables = study.read_tables(sign.tables, RESULTS / paper)
    replicas = {
        dataset.label: study.read_tables(sign.replicate, RESULTS / key / paper)
        for key, dataset in images.KNOWN.items()
        if sign.replicate and (RESULTS / key / paper).is_dir()
    }
    module = importlib.import_module(f"workflow.studies.{paper}.{name}")
    judge = getattr(module, "judge", None)
    findings = study.examine(sign, judge, tables, np.random.default_rng(0), replicas)
    timings = study.read_tables(sign.timings, RESULTS / paper)
    fig, _ = module.draw(findings, tables | timings | replicas)
    assert overlaps(fig) == []
    plt.close(fig)
