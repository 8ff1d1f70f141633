"""The one style of all figures, and how they are saved and labelled.

Four looks never mix. What was **measured** is solid, with a colour and a marker (`measured`, or
the colours of `sequential` and `width_colour` for ordered parameters); **theory** is dashed and
dark (`THEORY`), a proven **bound** dotted with an arrow to its allowed side (`bound`); a
**criterion** is a light grey band with a name (`criterion`); a **control** is vermillion with open
markers (`control`). Every panel is titled by what is seen in it (`title`).

Titles are wrapped and labels moved apart when the sizes are known, in `settle`, which `save` calls.
Equal tables give equal bytes on one machine.
"""

import re
import warnings

import fontTools.subset
import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import scipy  # its parts load when used
import seaborn as sns
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import Collection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

from cnntheory import images
from cnntheory.stats import median_band
from workflow.scripts import step
from workflow.studies.slim import slim

SINGLE, DOUBLE = 3.3, 6.8  # inches: one and two columns
BLUE, AMBER, GREEN, VERMILLION, PINK, *_, SKY = sns.color_palette("colorblind").as_hex()
# Colours of what was measured; never vermillion, which is that of controls.
MEASURED = (BLUE, GREEN, "#5d3a9b", SKY, AMBER, PINK, "#8c8c8c")
MARKERS = "osD^vPX<>*"
INK, QUIET = "0.15", "0.35"  # of theory and of notes
THEORY = {"color": INK, "linestyle": "--", "linewidth": 1.1, "zorder": 5}
BOUND = {"color": INK, "linestyle": (0, (1, 1.3)), "linewidth": 1.2, "zorder": 5}
BAND = 0.22  # opacity
EDGE = "_edge of a criterion"  # label of its line, in no legend
SMALL = 6.5  # points: the least size of text
LEAST_SEEDS = 10  # with fewer the runs are drawn, not a band
HEAVY = 100_000  # bytes of drawn points; heavier layers become pixels
PIXELS = 200  # an inch, of layers that are pixels
LIMIT = 300_000  # bytes of an SVG
RAISED = str.maketrans("\N{MINUS SIGN}.0123456789", "⁻·⁰¹²³⁴⁵⁶⁷⁸⁹")


def _load_font(path, options, load=fontTools.subset.load_font):
    """A font for a PDF, without what sets glyphs beside each other: there each has its place."""
    font = load(path, options)
    for table in ("GDEF", "GPOS", "GSUB", "kern"):
        if table in font:
            del font[table]
    return font


# Else it is all read, and cut to the glyphs that are used.
fontTools.subset.load_font = _load_font

plt.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": 7.5,
        "axes.titlesize": 8,
        "axes.titley": 1,  # nothing stands above a panel that it would have to look out for
        "axes.labelsize": 7.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.7,
        "axes.grid": True,
        "grid.color": "0.9",
        "grid.linewidth": 0.5,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": SMALL,
        "legend.frameon": False,
        "legend.handlelength": 2.4,
        "lines.linewidth": 1.2,
        "lines.markersize": 3.5,
        "svg.hashsalt": "cnntheory",
        "svg.fonttype": "path",
        "pdf.fonttype": 42,
        "path.simplify": True,
        "figure.dpi": 150,
    }
)


# Panels and their titles


def panels(columns, height=2.3, width=DOUBLE, rows=1, **options):
    """Panels in rows, lettered (a), (b), .. when there are several; ``fig, axes``.

    Parameters
    ----------
    columns, rows : int
    height, width : float
        Inches, of the figure.
    **options
        Of `matplotlib.pyplot.subplots`.

    Returns
    -------
    fig : matplotlib Figure
    axes : (rows * columns,) array of Axes
        Row by row.
    """
    fig, axes = plt.subplots(
        rows, columns, figsize=(width, height), layout="constrained", **options
    )
    axes = np.ravel(axes)
    if len(axes) > 1:
        for letter, axis in zip("abcdefghijkl", axes, strict=False):
            axis.set_title(f"({letter})", loc="left", fontweight="bold")
    return fig, axes


def title(axis, letter, text):
    """What is seen in a panel, left-aligned behind its letter and wrapped to its width.

    Parameters
    ----------
    axis : matplotlib Axes
    letter : str or None
        None for the only panel of a figure.
    text : str
        A takeaway in words: "ten gates: no certificate".
    """
    head = rf"$\mathbf{{({letter})}}$ " if letter else ""
    made = axis.set_title(head + text, loc="left", fontweight="normal")
    # Unwrapped it must not take part in the layout: it would squeeze the panel.
    made.set_in_layout(False)

    def fit():
        _wrap(made, 0.99 * axis.get_window_extent().width)
        made.set_in_layout(True)

    _later(axis, fit)


def _wrap(text, width):
    """Break a text into lines of at most `width` pixels, formulas kept whole."""
    words = re.findall(r"(?:\$[^$]*\$|[^\s$])+", text.get_text())
    # Each word is measured once: to measure growing lines would parse their formulas anew.
    extents = []
    for word in [*words, "n n", "nn"]:
        text.set_text(word)
        extents.append(text.get_window_extent().width)
    *extents, spaced, tight = extents
    lines, room = [], 0
    for word, extent in zip(words, extents, strict=True):
        if lines and (spaced - tight) + extent <= room:
            lines[-1] += f" {word}"
            room -= (spaced - tight) + extent
        else:
            lines.append(word)
            room = width - extent
    text.set_text("\n".join(lines))


def corner(axis, text, where="upper right"):
    """A small note (the sample size) in a corner: "upper left", .., "lower right"."""
    vertical, horizontal = where.split()
    x, y = {"left": 0, "right": 1}[horizontal], {"lower": 0, "upper": 1}[vertical]
    return axis.annotate(
        text,
        (x, y),
        (4 - 8 * x, 4 - 8 * y),
        xycoords="axes fraction",
        textcoords="offset points",
        ha=horizontal,
        va={"lower": "bottom", "upper": "top"}[vertical],
        fontsize=SMALL,
        color=QUIET,
        zorder=6,
    )


# The four looks


def measured(i=0, **more):
    """Look of the i-th thing measured: solid, told apart by colour, lightness and marker.

    Parameters
    ----------
    i : int
    **more
        Overrides, e.g. ``color=width_colour(m)``.

    Returns
    -------
    dict
        Keywords of `matplotlib.axes.Axes.plot` and ``errorbar``.
    """
    return {
        "color": MEASURED[i % len(MEASURED)],
        "linestyle": "-",
        "marker": MARKERS[i % len(MARKERS)],
    } | more


def control(text=None, i=0, **more):
    """Look of a control: vermillion, open markers, labelled "control: ...".

    Parameters
    ----------
    text : str, optional
        What hypothesis is broken; without it the curve gets no label.
    i : int
        Marker of the i-th control of a panel.
    """
    return {
        "color": VERMILLION,
        "linestyle": "-",
        "marker": MARKERS[i % len(MARKERS)],
        "markerfacecolor": "white",
        "markeredgecolor": VERMILLION,
        "label": f"control: {text}" if text else None,
    } | more


def criterion(
    axis,
    at_least=None,
    at_most=None,
    label="criterion",
    along="y",
    at=0.98,
    span=(None, None),
    inside=True,
):
    """A claim's criterion: a light grey band of what is allowed, with a name.

    Parameters
    ----------
    axis : matplotlib Axes
    at_least, at_most : float, optional
        The edges; a band with one edge reaches to the end of the axis, wherever that will be.
    label : str
    along : {"y", "x"}
        The axis on which the criterion is measured.
    at : float
        Place of the name along the other axis, as a share of it.
    span : (float or None, float or None)
        Part of the other axis on which it is judged, e.g. ``(64, None)`` for widths from 64 on.
    inside : bool
        Whether the name stands inside the band, at its edge, or just outside of it.
    """
    strip = axis.add_artist(Rectangle((0, 0), 1, 1, facecolor="0.9", linewidth=0, zorder=0.5))
    if span == (None, None):
        for edge in {at_least, at_most} - {None}:
            line = axis.axhline if along == "y" else axis.axvline
            line(edge, color="0.7", linewidth=0.7, zorder=0.6, label=EDGE)

    def stretch(_):
        limits = {"x": sorted(axis.get_xlim()), "y": sorted(axis.get_ylim())}
        other = "x" if along == "y" else "y"
        for name, ends in ((along, (at_least, at_most)), (other, span)):
            low, high = (
                limit if end is None else end for end, limit in zip(ends, limits[name], strict=True)
            )
            getattr(strip, f"set_{name}")(low)
            (strip.set_width if name == "x" else strip.set_height)(max(high - low, 0))

    stretch(axis)
    for name in "xy":
        axis.callbacks.connect(f"{name}lim_changed", stretch)
    grid = axis.get_yaxis_transform() if along == "y" else axis.get_xaxis_transform()
    # The name stands at the upper edge of the band, or at its only, lower one.
    edge, inwards = (at_most, -2) if at_most is not None else (at_least, 2)
    inwards = inwards if inside else -inwards
    beside, towards = ("right", -2) if at > 0.5 else ("left", 2)
    if along == "y":
        place, offset = (at, edge), (0, inwards)
        aligned = {"ha": beside, "va": "top" if inwards < 0 else "bottom"}
    else:
        place, offset = (edge, at), (inwards, towards)
        aligned = {
            "ha": "right" if inwards < 0 else "left",
            "va": "top" if at > 0.5 else "bottom",
            "rotation": 90,
        }
    axis.annotate(
        label,
        place,
        offset,
        xycoords=grid,
        textcoords="offset points",
        fontsize=SMALL,
        color=QUIET,
        **aligned,
    )


def bound(axis, x, y, side, label="", at=0.5):
    """A proven bound: dotted, with an arrow to the side that it allows.

    Parameters
    ----------
    axis : matplotlib Axes
    x, y : array_like
        Points of the bound, with none no arrow; `x` None and a number `y` for one over the whole
        width.
    side : {"above", "below"}
        Where the theorem lets the measurements lie.
    label : str
        Written at the arrow.
    at : float
        Place of the arrow, as a share of the points (of the width).

    Returns
    -------
    Line2D
    """
    if x is None:
        line = axis.axhline(y, **BOUND)
        place, grid = (at, y), axis.get_yaxis_transform()
    else:
        (line,) = axis.plot(x, y, **BOUND)
        if not len(x):
            return line
        i = round(at * (len(x) - 1))
        place, grid = (np.asarray(x)[i], np.asarray(y)[i]), axis.transData
    up = {"above": 1, "below": -1}[side]
    arrow = {"arrowstyle": "<-", "color": INK, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    common = {"xycoords": grid, "textcoords": "offset points"}
    axis.annotate("", place, (0, 13 * up), arrowprops=arrow, **common)
    if label:
        left = at <= 0.5
        axis.annotate(
            label,
            place,
            (4 if left else -4, 8 * up),
            ha="left" if left else "right",
            va="center",
            fontsize=SMALL,
            color=INK,
            **common,
        )
    return line


# Ordered parameters

# Dark to light, and never so light that a line is lost on white paper.
_ORDERED = matplotlib.colormaps["viridis"]
_DARKEST, _LIGHTEST = 0.0, 0.78


def _shade(share):
    return to_hex(_ORDERED(_LIGHTEST + (_DARKEST - _LIGHTEST) * share))


def sequential(values):
    """Colours of an ordered parameter: the larger the darker, all visible on white and in grey.

    Parameters
    ----------
    values : iterable
        Values of the parameter, in any order.

    Returns
    -------
    dict
        Value to colour, in growing order, evenly spread over the map.
    """
    values = sorted(set(values))
    shares = np.linspace(0, 1, len(values)) if len(values) > 1 else [1]
    return {value: _shade(share) for value, share in zip(values, shares, strict=True)}


def width_colour(width):
    """The one colour of a network's width in all figures: wider is darker, from 4 to 4096."""
    return _shade(np.clip((np.log2(width) - 2) / 10, 0, 1))


# Curves


def curve(axis, frame, x, y, look, label=None, log=False):
    """Median over the seeds with its simultaneous 95 % band; returns what was drawn.

    With fewer than ten seeds, or too few for a band at this level over so many points, the runs
    themselves are drawn, thin, with their median.

    Parameters
    ----------
    axis : matplotlib Axes
    frame : DataFrame
        With the columns `x`, `y` and ``seed``.
    x, y : str
    look : dict
        `measured` or `control`.
    label : str, optional
        That of the look unless given.
    log : bool
        Leave out points whose median is not positive.

    Returns
    -------
    DataFrame
        Columns `x`, ``median``, ``low``, ``high``, ``curve``, ``quantity``; where runs were drawn,
        they follow with ``seed`` and ``value``, and there is no ``low`` and ``high``.
    """
    shape = dict(look)
    own = shape.pop("label", None)
    label = own if label is None else label
    wide = frame.pivot_table(index="seed", columns=x, values=y)
    median, low, high = median_band(wide.to_numpy())
    drawn = pd.DataFrame({x: wide.columns, "median": median, "low": low, "high": high})
    if log:
        drawn = drawn[drawn["median"] > 0]
    runs = None
    if _has_band(*wide.shape):
        axis.fill_between(
            drawn[x], drawn.low, drawn.high, color=shape["color"], alpha=BAND, linewidth=0
        )
    elif len(wide) > 1:
        drawn = drawn.drop(columns=["low", "high"])
        runs = wide[drawn[x]].reset_index().melt(id_vars="seed", value_name="value")
        runs[x] = runs[x].astype(drawn[x].dtype)  # column names came as objects
        for _, run in runs.groupby("seed"):
            axis.plot(run[x], run.value, color=shape["color"], linewidth=0.5, alpha=0.45)
    every = max(1, round(len(drawn) / 10)) if len(drawn) > 15 else None
    axis.plot(drawn[x], drawn["median"], label=label, **{"markevery": every} | shape)
    return pd.concat([drawn, runs]).assign(curve=label, quantity=y)


def _has_band(seeds, points, level=0.95):
    """Whether the range of the seeds covers the medians of all points at the level."""
    return seeds >= LEAST_SEEDS and points * 2.0 ** (1 - seeds) <= 1 - level


def runs(axis, frame, x, y, by="seed", highlight=None, **look):
    """Thin grey runs, one of them highlighted: a colour a seed would say nothing.

    Parameters
    ----------
    axis : matplotlib Axes
    frame : DataFrame
    x, y : str
    by : str or list of str
        What tells the runs apart.
    highlight : value of `by`, optional
        The run drawn clearly; the first unless given.
    **look
        Of the highlighted run (`measured`, `control`), its label included.
    """
    groups = list(frame.sort_values(x).groupby(by))
    highlight = groups[0][0] if highlight is None else highlight
    for key, run in groups:
        if key != highlight:
            axis.plot(run[x], run[y], color="0.7", linewidth=0.6, zorder=1.5)
    clear = measured(0, marker="") | look
    for key, run in groups:
        if key == highlight:
            axis.plot(run[x], run[y], **clear)


# Words


def label_ends(axis, gap=4):
    """Write the name of every labelled curve at its right end, moved apart where they are close.

    Instead of a legend; theory and controls are named the same way.
    """
    texts = []
    for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
        line = handle if isinstance(handle, Line2D) else handle[0]
        x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
        known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        if not len(known):
            continue
        end = known[np.argmax(x[known])]
        texts.append(
            axis.annotate(
                label,
                (x[end], y[end]),
                (gap, 0),
                textcoords="offset points",
                va="center",
                fontsize=SMALL,
                color=_readable(line.get_color()),
                annotation_clip=False,
            )
        )
    if texts:
        _later(axis, lambda: _spread(axis, texts, gap))
    return texts


def _readable(colour):
    """A colour dark enough for small text."""
    rgb = np.array(to_rgb(colour))
    light = rgb @ (0.299, 0.587, 0.114)
    return to_hex(rgb * min(1, 0.45 / light) if light else rgb)


def _spread(axis, texts, gap):
    """Least shifts (in squares) that let labels stand one above the other inside the panel."""
    points = 72 / axis.get_figure(root=True).dpi
    places = np.array([axis.transData.transform(text.xy)[1] for text in texts])
    order = np.argsort(places, kind="stable")
    height = np.array([text.get_window_extent().height for text in texts])[order]
    stacked = np.cumsum(height) - height / 2
    wanted = places[order]
    moved = scipy.optimize.isotonic_regression(wanted - stacked).x + stacked
    frame = axis.get_window_extent()
    moved -= max(0, moved[-1] + height[-1] / 2 - frame.y1 - 0.05 * frame.height)
    moved += max(0, frame.y0 - (moved[0] - height[0] / 2))
    for i, shift in zip(order, moved - wanted, strict=True):
        texts[i].set_position((gap, shift * points))


def legend_below(where, ncols=None, handles=None, labels=None, **options):
    """A legend below a figure or below one panel, in as many columns as fit.

    Parameters
    ----------
    where : matplotlib Figure or Axes
        Of a figure the labels of all panels, each once.
    ncols : int, optional
    handles, labels : list, optional
        What is listed, unless what is labelled.
    **options
        Of `matplotlib.figure.Figure.legend`.

    Returns
    -------
    Legend or None
        That of a panel is made when the figure is laid out.
    """
    panel = hasattr(where, "get_window_extent") and hasattr(where, "xaxis")
    if handles is None:
        found = {}
        for axis in [where] if panel else where.axes:
            for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
                found.setdefault(label, handle)
        labels, handles = list(found), list(found.values())
    labels = labels or [handle.get_label() for handle in handles]
    if not labels:
        raise ValueError("nothing is labelled: give the curves a label")
    place = {"loc": "upper center" if panel else "outside lower center"}
    options = {"columnspacing": 1.2, "handlelength": 1.8} | options

    def fitted():
        room = where.get_window_extent().width * (1.15 if panel else 0.98)
        for columns in [ncols] if ncols else range(len(labels), 0, -1):
            made = where.legend(handles, labels, ncols=columns, **place | options)
            if ncols or columns == 1 or made.get_window_extent().width <= room:
                return made
            made.remove()

    if not panel:
        return fitted()

    def under():  # the panel's width is known after the layout
        if old := where.get_legend():
            old.remove()
        frame = where.get_window_extent()
        below = where.xaxis.get_tightbbox().y0
        anchor = (0.5, (below - frame.y0) / frame.height - 0.01)
        fitted().set_bbox_to_anchor(anchor, transform=where.transAxes)

    _later(where, under)
    return None


def judged(axis, finding, template, at, digits=2, **more):
    """Write the number that is judged, with its interval, beside the picture.

    Parameters
    ----------
    axis : matplotlib Axes
    finding : Measured
        ``findings["P12"]``; one without a value writes nothing.
    template : str
        ``"slope {}"``.
    at : (float, float)
        In shares of the panel; text is aligned to the nearer side.
    digits : int
    **more
        Of the text, e.g. ``color=style.VERMILLION`` for a control.
    """
    if not np.isfinite(finding.value):
        return None
    x, _ = at
    side = "left" if x < 0.34 else "right" if x > 0.66 else "center"
    aligned = {"ha": side, "va": "center", "fontsize": SMALL, "color": INK, "zorder": 6}
    text = template.format(finding.text(digits))
    return axis.text(*at, text, transform=axis.transAxes, **aligned | more)


def sigma_label(sigma, symbol=r"\sigma"):
    """``sigma = 0.3`` or ``sigma = infinity`` in mathematical type."""
    value = r"\infty" if np.isinf(sigma) else format(sigma, "g")
    return f"${symbol} = {value}$"


def ticks(axis, values, which="x", apart=0.09):
    """A tick at every value measured on a logarithmic axis, named where there is room.

    Parameters
    ----------
    axis : matplotlib Axes
    values : iterable of float
    which : {"x", "y"}
    apart : float
        Least distance between two names, as a share of the values' range.
    """
    values = sorted(set(values))
    reach = np.log(values[-1] / values[0]) or 1
    names, last = [], np.inf
    for value in reversed(values):
        room = np.log(last / value) >= apart * reach
        names.append(f"{value:g}" if room else "")
        last = value if room else last
    getattr(axis, f"set_{which}ticks")(values, names[::-1])
    getattr(axis, f"{which}axis").minorticks_off()


def plain_ticks(axis, which="xy"):
    """1, 2, 5, 10, .. on logarithmic axes of few decades, written plainly."""
    for name in which:
        side = getattr(axis, f"{name}axis")
        side.set_major_locator(LogLocator(subs=(1, 2, 5)))
        side.set_major_formatter("{x:g}")
        side.set_minor_formatter(NullFormatter())


# Settling and saving


def _later(axis, act):
    """Do something when the figure's sizes are known."""
    vars(axis.get_figure(root=True)).setdefault("cnntheory_later", []).append(act)


class Powers(LogFormatterSciNotation):
    """Ticks of a logarithmic axis as plain text: formulas take a tenth of a figure's time."""

    def __call__(self, x, pos=None):
        text = super().__call__(x, pos).replace(r"\times", "×").replace("-", "\N{MINUS SIGN}")
        mantissa, _, power = re.sub(r"\$\\mathdefault{(.*)}\$", r"\1", text).partition("^")
        return mantissa + power.strip("{}").translate(RAISED)


def settle(fig):
    """Lay the figure out, wrap its titles and move its labels apart; `save` does it."""
    if (layout := fig.get_layout_engine()) is None:
        return  # placed by hand
    for side in [side for axis in fig.axes for side in (axis.xaxis, axis.yaxis)]:
        for formatter in (side.get_major_formatter(), side.get_minor_formatter()):
            if type(formatter) is LogFormatterSciNotation:
                formatter.__class__ = Powers  # with all that is set
    for _ in range(2):  # wrapped titles leave less height for the labels
        layout.execute(fig)
        for act in vars(fig).get("cnntheory_later", []):
            act()


def _weight(artist):
    """Roughly the bytes that an artist takes in an SVG, one drawn by points."""
    if isinstance(artist, Line2D):
        points, every = len(artist.get_xdata(orig=False)), artist.get_markevery()
        marked = artist.get_marker() not in ("None", "", " ", None)
        lined = artist.get_linestyle() not in ("None", "", " ")
        return points * (26 * lined + 130 * marked / (every if isinstance(every, int) else 1))
    vertices = sum(len(path.vertices) for path in artist.get_paths())
    return 26 * vertices + 130 * max(len(artist.get_offsets()), len(artist.get_paths()))


def lighten(fig):
    """Turn the heaviest layers of a figure to pixels until its points are few enough.

    Surfaces stay: a picture of one takes more than its faces.
    """
    drawn = [
        artist
        for axis in fig.axes
        if axis.name != "3d"
        for artist in axis.get_children()
        if isinstance(artist, Line2D | Collection) and artist.get_visible()
    ]
    weights = [_weight(artist) for artist in drawn]
    total = sum(weights)
    for i in np.argsort(weights, kind="stable")[::-1]:
        if total <= HEAVY:
            break
        drawn[i].set_rasterized(True)
        total -= weights[i]


def save(fig, path, drawn, tables):
    """Write SVG, PDF and CSV; label the figure when its images are not MNIST.

    Parameters
    ----------
    fig : matplotlib Figure
    path : Path
        Of the SVG.
    drawn : list of DataFrame
        What was drawn, for the CSV.
    tables : dict of DataFrame
        Their column ``data`` says what was measured.
    """
    labels = sorted({label for table in tables.values() for label in table["data"].unique()})
    others = [label for label in labels if label not in ("synthetic", images.MNIST)]
    if others:
        beside = "" if others == [images.SMALL] else ", not on MNIST"
        fig.get_layout_engine().set(rect=(0, 0, 1, 0.93))
        fig.text(
            0.5,
            0.985,
            f"Measured on {', '.join(others)}{beside}",
            ha="center",
            va="top",
            fontsize=7.5,
            fontweight="bold",
            color=VERMILLION,
        )
    settle(fig)
    fig.set_layout_engine("none")  # it stays as it is
    lighten(fig)
    # Straight to the canvas: savefig would draw twice, once for a layout that is settled.
    with step.replacing(path) as part:
        fig.set_dpi(PIXELS)  # printing changes it
        FigureCanvasSVG(fig).print_svg(part, metadata={"Date": None, "Creator": "cnntheory"})
        part.write_text(slim(part.read_text()))
    with step.replacing(path.with_suffix(".pdf")) as part:
        made = {"CreationDate": None, "Creator": "cnntheory"}
        fig.set_dpi(PIXELS)
        FigureCanvasPdf(fig).print_pdf(part, metadata=made)
    with step.replacing(path.with_suffix(".csv")) as part:
        pd.concat(drawn).to_csv(part, index=False, float_format="%.10g")
    plt.close(fig)
    if (size := path.stat().st_size) > LIMIT:
        warnings.warn(f"{path} has {size // 1000} kB, more than {LIMIT // 1000}", stacklevel=2)
