"""The one style of all figures, and how they are saved and labelled.

Equal tables give equal bytes on one machine.
"""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns

from cnntheory import images
from cnntheory.stats import median_band

SINGLE, DOUBLE = 3.3, 6.8  # inches: one and two columns
COLOURS = sns.color_palette("colorblind").as_hex()
MARKERS = "osD^vPX<>*"
LINES = ("-", (0, (5, 1.5)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 2, 1, 2, 1, 2)), (0, (8, 1)))
THEORY = {"color": "0.15", "linestyle": "--", "linewidth": 1.1, "zorder": 5}
BAND = 0.22  # opacity

plt.rcParams.update(
    {
        "font.family": "DejaVu Sans",
        "font.size": 7.5,
        "axes.titlesize": 8,
        "axes.labelsize": 7.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.7,
        "axes.grid": True,
        "grid.color": "0.9",
        "grid.linewidth": 0.5,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": 6.5,
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


def panels(columns, height=2.3, width=DOUBLE, **options):
    """A row of panels, lettered (a), (b), .. when there are several; ``fig, axes``."""
    fig, axes = plt.subplots(1, columns, figsize=(width, height), layout="constrained", **options)
    axes = np.atleast_1d(axes)
    if columns > 1:
        for letter, axis in zip("abcdefgh", axes, strict=False):
            axis.set_title(f"({letter})", loc="left", fontweight="bold")
    return fig, axes


def look(i):
    """Colour and line style of the i-th curve: told apart without colour too."""
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": LINES[i % len(LINES)]}


def curve(axis, frame, x, y, i, label, markers=False, log=False):
    """Median over the seeds with its simultaneous 95 % band; returns what was drawn.

    Parameters
    ----------
    axis : matplotlib Axes
    frame : DataFrame
        With the columns `x`, `y` and ``seed``.
    x, y : str
    i : int
        Number of the curve: its colour, line style and marker.
    label : str
    markers : bool
        Mark the points (for few of them).
    log : bool
        Leave out points whose median is not positive.
    """
    wide = frame.pivot_table(index="seed", columns=x, values=y)
    median, low, high = median_band(wide.to_numpy())
    drawn = pd.DataFrame({x: wide.columns, "median": median, "low": low, "high": high})
    if log:
        drawn = drawn[drawn["median"] > 0]
    axis.fill_between(
        drawn[x], drawn.low, drawn.high, color=COLOURS[i % len(COLOURS)], alpha=BAND, linewidth=0
    )
    marker = {"marker": MARKERS[i % len(MARKERS)]} if markers else {}
    axis.plot(drawn[x], drawn["median"], label=label, **look(i), **marker)
    return drawn.assign(curve=label, quantity=y)


def sigma_label(sigma, symbol=r"\sigma"):
    """``sigma = 0.3`` or ``sigma = infinity`` in mathematical type."""
    value = r"\infty" if np.isinf(sigma) else format(sigma, "g")
    return f"${symbol} = {value}$"


def slope_label(axis, text, at, turn=0):
    """Write a slope beside its line, in axes coordinates."""
    axis.text(
        *at,
        text,
        transform=axis.transAxes,
        fontsize=6.5,
        color="0.15",
        rotation=turn,
        ha="center",
        va="center",
    )


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
            color=COLOURS[3],
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    fig.savefig(path, metadata={"Date": None, "Creator": "cnntheory"})
    fig.savefig(path.with_suffix(".pdf"), metadata={"CreationDate": None, "Creator": "cnntheory"})
    pd.concat(drawn).to_csv(path.with_suffix(".csv"), index=False, float_format="%.10g")
    plt.close(fig)
