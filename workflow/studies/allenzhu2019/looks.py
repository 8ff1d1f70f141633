"""Looks of widths, batches and perturbations, the same in every figure of the paper."""

import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator, NullFormatter

from cnntheory.stats import median_band
from workflow.studies import style

# Numbers of the kinds: they fix colour, line and marker. "gradient" goes down it.
NUMBERS = {kind: i for i, kind in enumerate(("adversary", "gradient", "gaussian", "rank one"))}
NUMBERS |= {"down the gradient": NUMBERS["gradient"], "up the gradient": len(NUMBERS)}


def kinds(table):
    """Perturbations of a table as ``(number, name)``, in a fixed order."""
    found = set(table.perturbation)
    return sorted((i, kind) for kind, i in NUMBERS.items() if kind in found)


def sizes(values):
    """Sorted distinct values (widths, batches) as ``(number, value)``."""
    return list(enumerate(sorted(set(values))))


def descent_numbers(table):
    """Number of every width of gradient descent, from the widest: the judged look clearest."""
    clear = [i for i in range(len(style.COLOURS)) if i != 6]  # 6: too pale for a line
    return dict(zip(sorted(set(table.width), reverse=True), clear, strict=False))


def spread(values, count):
    """At most `count` of sorted values, evenly spread and with both ends."""
    values = sorted(set(values))
    picks = np.linspace(0, len(values) - 1, min(count, len(values)))
    return [values[round(pick)] for pick in picks]


def first_trials(rows, count=3):
    """Rows of the first `count` trials: seeds of the first subset, more subsets if they are few."""
    trials = rows[["seed", "subset"]].drop_duplicates().sort_values(["subset", "seed"])
    return rows.merge(trials.head(count), on=["seed", "subset"])


def median_curve(axis, rows, x, y, i, label=None, fill="full", slope=None, narrow=False, **more):
    """Median over the seeds with its simultaneous 95 % band; subsets of a seed by their median.

    Parameters
    ----------
    axis : matplotlib Axes
    rows : DataFrame
        With the columns `x`, `y` and ``seed``; none at all draws nothing.
    x, y : str
    i : int
        Number that fixes colour, line style and marker.
    label : str, optional
        For the legend.
    fill : {"full", "none"}
        Filled or open markers; open ones come with a lighter band.
    slope : Measured, optional
        What was found for the curve's exponent, for the label.
    narrow : bool
        Whether the interval of the slope has a line of its own.

    Returns
    -------
    DataFrame
        What was drawn, for the CSV.
    """
    wide = rows.groupby(["seed", x])[y].median().unstack().dropna()
    if wide.empty:
        return pd.DataFrame()
    drawn = pd.DataFrame(
        dict(zip(("median", "low", "high"), median_band(wide.to_numpy()), strict=True))
    )
    drawn = drawn.replace([np.inf, -np.inf], np.nan)  # runs that never got there
    drawn.insert(0, x, wide.columns.to_numpy())
    label = with_slope(label, slope, narrow)
    opacity = style.BAND if fill == "full" else style.BAND / 2
    colour = style.COLOURS[i % len(style.COLOURS)]
    axis.fill_between(drawn[x], drawn.low, drawn.high, color=colour, alpha=opacity, linewidth=0)
    axis.plot(
        drawn[x],
        drawn["median"],
        label=label,
        marker=style.MARKERS[i % len(style.MARKERS)],
        fillstyle=fill,
        **style.look(i) | more,
    )
    return drawn.assign(curve=label.replace("\n", " ") if label else label, quantity=y)


def with_slope(label, slope, narrow=False):
    """``label: slope 0.66 [0.64, 0.68]``; the label alone where no slope was found.

    In a `narrow` panel the interval has a line of its own.
    """
    if slope is None or not np.isfinite(slope.value):
        return label
    text = f"{label}: slope {slope.text()}"
    return text.replace(" [", "\n[") if narrow else text


def power_line(axis, x, level, exponent, text, anchor=-1, offset=(3, 0), **more):
    """A power law through ``(x[0], level)`` in the theory's look, its exponent at an end."""
    if not np.isfinite(level):
        return  # no run got there, nothing to start from
    x = np.asarray(x, dtype=float)
    y = level * (x / x[0]) ** exponent
    axis.plot(x, y, **style.THEORY)
    axis.annotate(
        text,
        (x[anchor], y[anchor]),
        offset,
        textcoords="offset points",
        fontsize=6.5,
        color="0.15",
        **{"va": "center"} | more,
    )


def ticks(axis, values, which="x", apart=0.09):
    """A tick at every value measured on a logarithmic axis, named where there is room."""
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


def room(axis, above=0.0, below=0.0):
    """Leave shares of the height of a logarithmic axis free, for the legend."""
    low, high = np.log(axis.get_ylim())
    height = (high - low) / (1 - above - below)
    axis.set_ylim(np.exp(low - below * height), np.exp(high + above * height))
