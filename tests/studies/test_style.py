"""What all figures share: bands, labels, and files that repeat byte for byte."""

import re
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cnntheory import images
from cnntheory.stats import median_band
from workflow.configuration import studies
from workflow.studies import style


@pytest.fixture
def table():
    """Ten seeds of a curve, rows in no order."""
    rng = np.random.default_rng(0)
    rows = [
        {"seed": seed, "iteration": t, "loss": rng.lognormal(-0.1 * t)}
        for seed in range(10)
        for t in (1, 2, 4, 8)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=1)


@pytest.fixture(autouse=True)
def closed():
    """Close the figures that a test leaves open."""
    yield
    plt.close("all")


def draw(path, table, data="synthetic"):
    """A figure as the scripts make them."""
    fig, (left, right) = style.panels(2)
    drawn = [style.curve(left, table, "iteration", "loss", 0, "loss")]
    right.plot([1, 8], [1, 0.4], label="theory", **style.THEORY)
    right.legend()
    style.save(fig, path, drawn, {"table": table.assign(data=data)})
    return fig, drawn


def values(table):
    """The curve as an array, a seed a row."""
    return table.sort_values(["seed", "iteration"]).loss.to_numpy().reshape(10, 4)


def test_a_curve_is_the_median_with_its_simultaneous_band(table):
    _, (axis,) = style.panels(1)
    drawn = style.curve(axis, table, "iteration", "loss", 0, "loss", markers=True)
    median, low, high = median_band(values(table))
    np.testing.assert_array_equal(drawn["median"], median)
    np.testing.assert_array_equal(drawn.low, low)
    np.testing.assert_array_equal(drawn.high, high)
    assert (low < median).all() and (median < high).all()
    (line,), (area,) = axis.lines, axis.collections
    np.testing.assert_array_equal(line.get_xydata(), np.column_stack([[1, 2, 4, 8], median]))
    edges = area.get_paths()[0].vertices
    for x, bottom, top in zip([1, 2, 4, 8], low, high, strict=True):
        assert {bottom, top} <= set(edges[edges[:, 0] == x, 1])


def test_log_curves_leave_out_what_is_not_positive(table):
    table = table.assign(loss=table.loss.where(table.iteration < 8, 0.0))
    _, (axis,) = style.panels(1)
    drawn = style.curve(axis, table, "iteration", "loss", 0, "loss", log=True)
    assert drawn.iteration.tolist() == [1, 2, 4]
    assert axis.lines[0].get_xdata().tolist() == [1, 2, 4]


def test_curves_differ_in_more_than_colour():
    looks = [style.look(i) for i in range(len(style.LINES))]
    assert len({str(look["linestyle"]) for look in looks}) == len(looks)
    assert len({look["color"] for look in looks}) == len(looks)
    assert len(set(style.MARKERS)) == len(style.MARKERS) >= len(looks)
    assert style.THEORY["linestyle"] == "--"


def test_panels_are_lettered_when_there_are_several():
    fig, axes = style.panels(3)
    assert [axis.get_title(loc="left") for axis in axes] == ["(a)", "(b)", "(c)"]
    assert fig.get_size_inches()[0] == 6.8
    _, (only,) = style.panels(1)
    assert only.get_title(loc="left") == ""


@pytest.mark.parametrize(("sigma", "text"), [(0.3, "0.3"), (1.0, "1"), (np.inf, r"\infty")])
def test_infinite_spread_is_written_as_such(sigma, text):
    assert style.sigma_label(sigma) == rf"$\sigma = {text}$"


def test_equal_tables_give_equal_bytes(table, tmp_path):
    for name in ("first", "second"):
        draw(tmp_path / name / "figure.svg", table)
    for kind in ("svg", "pdf", "csv"):
        first, second = (
            (tmp_path / n / f"figure.{kind}").read_bytes() for n in ("first", "second")
        )
        assert first == second and len(first) > 100
    assert str(tmp_path).encode() not in first


def test_other_tables_give_other_figures(table, tmp_path):
    draw(tmp_path / "first.svg", table)
    draw(tmp_path / "second.svg", table.assign(loss=2 * table.loss))
    for kind in ("svg", "pdf", "csv"):
        first, second = (tmp_path / f"{name}.{kind}" for name in ("first", "second"))
        assert first.read_bytes() != second.read_bytes()


def test_the_csv_holds_what_is_drawn(table, tmp_path):
    _, (drawn,) = draw(tmp_path / "figure.svg", table)
    written = pd.read_csv(tmp_path / "figure.csv")
    pd.testing.assert_frame_equal(written, drawn.reset_index(drop=True), rtol=1e-9)


@pytest.mark.parametrize(
    ("data", "label"),
    [
        ("synthetic", None),
        ("MNIST", None),
        (images.SMALL, "Measured on MNIST (5 000)"),
        ("own (letters)", "Measured on own (letters), not on MNIST"),
        ("own (letters)", "Measured on own (letters), not on MNIST"),
    ],
)
def test_other_images_than_mnist_are_named_in_the_figure(table, tmp_path, data, label):
    fig, _ = draw(tmp_path / "figure.svg", table, data)
    said = [text.get_text() for text in fig.texts]
    assert said == ([label] if label else [])
    written = (tmp_path / "figure.svg").read_text()
    assert re.findall(r"<!-- (Measured on .*) -->", written) == said
    if label:
        box = fig.texts[0].get_window_extent()
        assert 0 <= box.x0 and box.x1 <= fig.bbox.x1 and box.y1 <= fig.bbox.y1
        assert all(axis.get_tightbbox().y1 <= box.y0 for axis in fig.axes)


# The figures of the quick run


def test_every_figure_is_drawn_as_svg_pdf_and_csv(quick):
    for paper, signs in studies().items():
        folder = quick.figures / paper
        assert {path.stem for path in folder.iterdir()} == set(signs)
        for name in signs:
            svg = ElementTree.fromstring((folder / f"{name}.svg").read_text())
            assert svg.tag == "{http://www.w3.org/2000/svg}svg"
            assert len(list(svg.iter("{http://www.w3.org/2000/svg}path"))) > 20
            assert (folder / f"{name}.pdf").read_bytes().startswith(b"%PDF-")
            rows = pd.read_csv(folder / f"{name}.csv")
            assert len(rows) and not rows.isna().all(axis=None)


def test_figures_fit_one_or_two_columns(quick):
    widths = {f"{72 * inches:g}pt" for inches in (style.SINGLE, style.DOUBLE)}
    for path in quick.figures.rglob("*.svg"):
        assert ElementTree.fromstring(path.read_text()).get("width") in widths, path.name


def test_only_figures_of_images_name_them_and_only_when_they_are_not_mnist(quick):
    labelled = {
        path.stem
        for path in quick.figures.glob("du2018/*.svg")
        if f"<!-- Measured on {images.SMALL} -->" in path.read_text()
    }
    about = {"fig1", "fig2", "fig3c", "fig3d", "fig4", "fig5", "spectrum", "image_condition"}
    assert labelled == (about if quick.data == images.SMALL else set())
