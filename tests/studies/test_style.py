"""What all figures share: bands, labels, and files that repeat byte for byte."""

import json
import re
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from cnntheory import images
from cnntheory.stats import median_band
from workflow.configuration import studies
from workflow.studies import style
from workflow.studies.verdicts import Measured


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
    drawn = [style.curve(left, table, "iteration", "loss", style.measured(0), "loss")]
    right.plot([1, 8], [1, 0.4], label="theory", **style.THEORY)
    right.legend()
    style.save(fig, path, drawn, {"table": table.assign(data=data)})
    return fig, drawn


def values(table):
    """The curve as an array, a seed a row."""
    return table.sort_values(["seed", "iteration"]).loss.to_numpy().reshape(10, 4)


def test_a_curve_is_the_median_with_its_simultaneous_band(table):
    _, (axis,) = style.panels(1)
    drawn = style.curve(axis, table, "iteration", "loss", style.measured(0), "loss")
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
    drawn = style.curve(axis, table, "iteration", "loss", style.measured(0), "loss", log=True)
    assert drawn.iteration.tolist() == [1, 2, 4]
    assert axis.lines[0].get_xdata().tolist() == [1, 2, 4]


def lightness(colour):
    """CIE lightness of a colour, 0 black to 100 white: what is left of it in grey."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return 116 * np.cbrt(linear @ (0.2126, 0.7152, 0.0722)) - 16


@pytest.mark.parametrize("seeds", [2, 9])
def test_with_few_seeds_the_runs_are_drawn_not_a_band(table, seeds):
    _, (axis,) = style.panels(1)
    few = table[table.seed < seeds]
    drawn = style.curve(axis, few, "iteration", "loss", style.measured(0), "loss")
    assert not axis.collections and len(axis.lines) == seeds + 1
    runs = drawn[drawn.seed.notna()]
    merged = runs.merge(few, on=["seed", "iteration"])
    assert len(merged) == len(few) and (merged["value"] == merged.loss).all()
    assert "low" not in drawn


def test_no_band_is_called_simultaneous_that_has_too_few_seeds_for_its_points():
    frame = pd.DataFrame(
        [{"seed": s, "t": t, "y": (s * t) % 7 + 1} for s in range(10) for t in range(30)]
    )
    _, axes = style.panels(2)
    style.curve(axes[0], frame, "t", "y", style.measured(0), "30 points")
    style.curve(axes[1], frame[frame.t < 20], "t", "y", style.measured(0), "20 points")
    assert [len(axis.collections) for axis in axes] == [0, 1]


def test_the_four_looks_do_not_mix():
    measured = [style.measured(i) for i in range(len(style.MEASURED))]
    control = style.control("no width")
    assert {look["linestyle"] for look in [*measured, control]} == {"-"}
    assert style.THEORY["linestyle"] == "--" != style.BOUND["linestyle"]
    assert style.VERMILLION not in style.MEASURED
    assert len({look["marker"] for look in measured}) == len(measured)
    assert control["label"] == "control: no width"
    assert control["color"] == style.VERMILLION and control["markerfacecolor"] == "white"
    assert style.control()["label"] is None
    assert style.measured(1, color="red", label="x") == style.measured(1) | {
        "color": "red",
        "label": "x",
    }


def test_the_first_things_measured_are_told_apart_in_grey():
    grey = sorted(lightness(colour) for colour in style.MEASURED[:4])
    assert np.diff(grey).min() > 9 and grey[-1] < 75


def test_ordered_colours_fall_in_lightness_and_are_seen_on_white():
    colours = style.sequential([0.3, np.inf, 1, 0.1, 1])
    assert list(colours) == [0.1, 0.3, 1, np.inf]
    grey = [lightness(colour) for colour in colours.values()]
    assert (np.diff(grey) < -10).all() and grey[0] < 75
    assert len(style.sequential([5])) == 1


def test_a_width_has_one_colour_whatever_else_is_drawn():
    widths = [4, 16, 64, 128, 256, 512, 1024, 2048, 4096]
    grey = [lightness(style.width_colour(m)) for m in widths]
    assert (np.diff(grey) < -3).all() and grey[0] < 75
    assert style.width_colour(2) == style.width_colour(4)


def test_a_takeaway_is_wrapped_to_its_panel():
    fig, (axis, _) = style.panels(2)
    style.title(
        axis, "a", "the error falls as $n^{- 1/2}$ for every one of the sizes of a patch tried"
    )
    style.settle(fig)
    text = axis.get_title(loc="left")
    assert text.startswith(r"$\mathbf{(a)}$ the error") and text.count("\n") >= 1
    assert "$n^{- 1/2}$" in text
    (made,) = [child for child in axis.get_children() if getattr(child, "get_text", str)() == text]
    assert made.get_window_extent().width <= axis.get_window_extent().width
    style.title(axis, None, "short")
    assert axis.get_title(loc="left") == "short"


def test_a_takeaway_takes_as_few_lines_as_if_every_line_were_measured():
    _, (axis,) = style.panels(1)
    text = axis.text(
        0, 0, "words of $n^2$ and more, some longer than others, broken into a few lines"
    )
    style._wrap(text, 200)
    lines = text.get_text().split("\n")
    assert len(lines) > 2
    for line, following in pairwise(lines):
        text.set_text(line)
        assert text.get_window_extent().width <= 200 + 1
        text.set_text(f"{line} {following.split()[0]}")
        assert text.get_window_extent().width >= 200 - 1


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "10⁰"), (1e-8, "10⁻⁸"), (1e12, "10¹²"), (2e3, "2×10³"), (-5e-4, "−5×10⁻⁴"), (0, "0")],
)
def test_powers_are_plain_text(value, text):
    assert style.Powers()(value) == text


@pytest.mark.parametrize("scale", ["log", "symlog"])
def test_no_tick_of_a_logarithmic_axis_is_a_formula(scale):
    fig, (axis,) = style.panels(1)
    axis.set(xscale=scale, xlim=(1e-5, 200), yscale="log", ylim=(2, 9))
    style.settle(fig)
    for side in (axis.xaxis, axis.yaxis):
        texts = [tick.get_text() for both in (False, True) for tick in side.get_ticklabels(both)]
        assert any("×10" in text or text.startswith("10") for text in texts)
        assert not any("$" in text for text in texts)


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("along", ["x", "y"])
@pytest.mark.parametrize(("low", "high"), [(2, 3), (2, None), (None, 3)])
def test_a_criterion_reaches_to_the_end_of_the_axis(along, scale, low, high):
    _, (axis,) = style.panels(1)
    style.criterion(axis, low, high, along=along)
    axis.set(**{f"{along}scale": scale, f"{along}lim": (1, 10)})  # after it
    (strip,) = axis.patches
    start = strip.get_y() if along == "y" else strip.get_x()
    size = strip.get_height() if along == "y" else strip.get_width()
    assert (start, start + size) == pytest.approx((low or 1, high or 10))
    assert "criterion" in [text.get_text() for text in axis.texts]
    assert not axis.get_legend_handles_labels()[1]


@pytest.mark.parametrize(("inside", "side"), [(True, "bottom"), (False, "top")])
def test_a_criterion_may_span_a_part_of_the_axis(inside, side):
    _, (axis,) = style.panels(1)
    style.criterion(axis, at_least=0.9, span=(64, None), inside=inside)
    axis.set(xscale="log", xlim=(2, 256), ylim=(0, 1))
    (strip,) = axis.patches
    corners = (*strip.get_xy(), strip.get_width(), strip.get_height())
    assert corners == pytest.approx((64, 0.9, 192, 0.1))
    assert not axis.lines and [text.get_va() for text in axis.texts] == [side]


@pytest.mark.parametrize(("side", "sign"), [("above", 1), ("below", -1)])
@pytest.mark.parametrize("constant", [True, False])
def test_a_bound_points_to_its_allowed_side(side, sign, constant):
    _, (axis,) = style.panels(1)
    x, y = (None, 2.0) if constant else ([1, 2, 4], [1, 2, 3])
    style.bound(axis, x, y, side, "Theorem 1")
    arrow = next(text for text in axis.texts if text.arrow_patch)
    # Its head is at its far end.
    assert np.sign(arrow.get_position()[1]) == sign
    assert type(arrow.arrow_patch.get_arrowstyle()).__name__ == "CurveA"
    assert "Theorem 1" in [text.get_text() for text in axis.texts]


def test_names_at_the_ends_are_in_order_and_apart():
    fig, (axis,) = style.panels(1)
    for i, end in enumerate((1.0, 1.001, 5.0, 0.999)):
        axis.plot([0, 1, 2], [3, end, np.nan], label=f"ends at {end}", **style.measured(i))
    axis.plot([0, 1], [2, 2], label="theory", **style.THEORY)
    texts = style.label_ends(axis)
    assert [text.xy[0] for text in texts] == [1] * 5
    style.settle(fig)
    boxes = sorted((text.get_window_extent() for text in texts), key=lambda box: box.y0)
    assert all(below.y1 <= above.y0 + 0.01 for below, above in pairwise(boxes))
    heights = {text.get_text(): text.get_window_extent().y0 for text in texts}
    assert sorted(heights, key=heights.get) == [
        "ends at 0.999",
        "ends at 1.0",
        "ends at 1.001",
        "theory",
        "ends at 5.0",
    ]


def test_a_legend_below_lists_every_label_once_and_fits():
    fig, axes = style.panels(2)
    for axis in axes:
        for i in range(7):
            axis.plot([0, 1], [0, i], label=f"a rather long name {i}", **style.measured(i))
    legend = style.legend_below(fig)
    style.settle(fig)
    assert len(legend.get_texts()) == 7
    box = legend.get_window_extent()
    assert 0 <= box.x0 and box.x1 <= fig.bbox.x1
    assert all(axis.get_tightbbox().y0 >= box.y1 - 1 for axis in fig.axes)


def test_a_panels_legend_stands_below_its_axis():
    fig, (axis, other) = style.panels(2)
    axis.plot([0, 1], [0, 1], label="one", **style.measured(0))
    axis.set_xlabel("iterations")
    style.legend_below(axis)
    style.settle(fig)
    legend = axis.get_legend()
    assert legend.get_window_extent().y1 <= axis.xaxis.label.get_window_extent().y0 + 1
    with pytest.raises(ValueError, match="nothing is labelled"):
        style.legend_below(other)


def test_the_judged_number_is_the_findings_own():
    _, (axis,) = style.panels(1)
    style.judged(axis, Measured(-0.523, -0.571, -0.48), "slope {}", (0.1, 0.2))
    style.judged(axis, Measured(np.nan, np.nan, np.nan), "slope {}", (0.1, 0.2))
    assert [text.get_text() for text in axis.texts] == ["slope −0.52 [−0.57, −0.48]"]


def test_dense_layers_become_pixels_and_stay_light(table, tmp_path):
    rng = np.random.default_rng(0)
    dense, sizes = rng.random((2, 9000)), []
    for name in ("first", "second"):
        fig, (axis, beside) = style.panels(2)
        axis.plot(*dense, **style.measured(0, linestyle=""))
        beside.scatter(*dense[:, :4000])
        drawn = style.curve(axis, table, "iteration", "loss", style.measured(1), "loss")
        style.save(fig, tmp_path / f"{name}.svg", [drawn], {"table": table.assign(data="MNIST")})
        flags = [line.get_rasterized() for line in axis.lines]
        assert flags == [True, False] and beside.collections[0].get_rasterized()
        sizes.append((tmp_path / f"{name}.svg").stat().st_size)
    assert sizes[0] < style.LIMIT
    for kind in ("svg", "pdf"):
        first, second = (tmp_path / f"{name}.{kind}" for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_a_figure_that_stays_heavy_is_reported(table, tmp_path, monkeypatch):
    monkeypatch.setattr(style, "LIMIT", 1000)
    with pytest.warns(UserWarning, match=r"figure\.svg has \d+ kB"):
        draw(tmp_path / "figure.svg", table)


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
        assert {path.stem for path in folder.iterdir()} == {*signs, "verdicts"}
        for name in signs:
            svg = ElementTree.fromstring((folder / f"{name}.svg").read_text())
            assert svg.tag == "{http://www.w3.org/2000/svg}svg"
            assert len(list(svg.iter("{http://www.w3.org/2000/svg}path"))) > 20
            assert (folder / f"{name}.pdf").read_bytes().startswith(b"%PDF-")
            rows = pd.read_csv(folder / f"{name}.csv")
            assert len(rows) and not rows.isna().all(axis=None)


def test_the_numbers_that_decide_stand_in_the_csv_of_the_figure(quick):
    for paper, signs in studies().items():
        for name in signs:
            found = json.loads((quick.results / paper / f"verdicts/{name}.json").read_text())
            if not found:
                continue
            rows = pd.read_csv(quick.figures / paper / f"{name}.csv")
            rows = rows[rows.verdict.notna()]
            assert list(zip(rows.claim, rows.data, rows.verdict, strict=True)) == [
                (row["id"], row["data"], row["verdict"]) for row in found
            ]
            for column in ("measured", "ci_low", "ci_high"):
                judged = np.array([row[column] for row in found], dtype=float)
                np.testing.assert_allclose(rows[column], judged, rtol=1e-9)


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


def test_a_bound_without_points_has_no_arrow():
    _, (axis,) = style.panels(1)
    style.bound(axis, [], [], "below", label="here")
    assert len(axis.lines) == 1 and not axis.texts
