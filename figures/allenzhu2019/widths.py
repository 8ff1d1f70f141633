"""What the two figures of the width sweep share: a quantity against the width, with its slope."""

import numpy as np

from cnntheory.stats import log_log_slope
from figures import style
from figures.allenzhu2019.names import descents

SHOWN = 64  # narrower networks do not converge
JUDGED = 128  # from here on the slopes are fitted


def sweep(tables):
    """Trials of the usual parametrisation, of all widths, and those with small outputs."""
    usual = descents(tables)
    return usual[usual.width >= SHOWN], tables["gd_small"]


def against_width(axis, rows, column, i, label, fill="full"):
    """All trials, their median by width, and the slope of the medians from `JUDGED` on."""
    shift = 1.04 if fill == "full" else 0.96
    axis.plot(
        rows.width * shift,
        rows[column],
        linestyle="",
        marker=style.MARKERS[i],
        color=style.COLOURS[i],
        fillstyle=fill,
        alpha=0.35,
        markersize=2.8,
        markeredgewidth=0.6,
    )
    medians = rows.groupby("width")[column].median()
    judged = medians[medians.index >= JUDGED]
    slope = log_log_slope(judged.index, judged.to_numpy()) if len(judged) > 1 else np.nan
    axis.plot(
        medians.index,
        medians,
        marker=style.MARKERS[i],
        fillstyle=fill,
        label=f"{label}: slope {slope:.2f}",
        **style.look(i),
    )
    return rows[["width", "seed", "subset", column]].assign(curve=label)


def power(axis, rows, column, exponent, label):
    """A line of the theory's slope through the median of the narrowest width."""
    medians = rows.groupby("width")[column].median()
    x = np.array([medians.index.min(), medians.index.max()])
    axis.plot(
        x,
        1.6 * medians.iloc[0] * (x / x[0]) ** exponent,
        label=label,
        color="0.15",
        linestyle=":",
        linewidth=1.1,
    )


def finish(axis, rows, ylabel):
    widths = sorted(rows.width.unique())
    axis.set(xscale="log", yscale="log", xlabel="width $m$", ylabel=ylabel)
    axis.set_xticks(widths[::2], widths[::2])
    axis.xaxis.minorticks_off()
    axis.legend(loc="lower left")
