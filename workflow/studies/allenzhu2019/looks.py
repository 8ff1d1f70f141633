"""Looks of perturbations and of the second data set, the same in every figure of the paper."""

import numpy as np
import pandas as pd

from cnntheory import images
from workflow.studies import style
from workflow.studies.verdicts import band

# Numbers of the kinds: they fix colour and marker. "gradient" goes down it.
NUMBERS = {kind: i for i, kind in enumerate(("adversary", "gradient", "gaussian", "rank one"))}
NUMBERS |= {"down the gradient": NUMBERS["gradient"], "up the gradient": len(NUMBERS)}
SECOND = {"color": "0.45", "marker": "X", "linestyle": "-"}  # look of the second data set


def kinds(table):
    """Perturbations of a table and their looks, in a fixed order: ``{kind: keywords}``."""
    found = set(table.perturbation)
    return {kind: style.measured(i) for kind, i in NUMBERS.items() if kind in found}


def by_width(width, **more):
    """Look of a network's width, in all figures the same."""
    return style.measured(int(np.log2(width)), color=style.width_colour(width), **more)


def trials(axis, x, y, look, **more):
    """Single trials: faint open marks in a look's colour."""
    faint = {"linestyle": "", "alpha": 0.5, "markersize": 2.6, "markeredgewidth": 0.6}
    faint |= {"markerfacecolor": "none", "label": "_a trial"}
    axis.plot(x, y, **look | faint | more)


def second(axis, x, y):
    """Single trials on the second data set."""
    trials(axis, x, y, SECOND, markeredgewidth=0, markerfacecolor="0.45", label=images.FASHION)


def first_trials(rows, count=3):
    """Rows of the first `count` trials: seeds of the first subset, more subsets if they are few."""
    found = rows[["seed", "subset"]].drop_duplicates().sort_values(["subset", "seed"])
    return rows.merge(found.head(count), on=["seed", "subset"])


def median_curve(axis, rows, x, y, look, label=None):
    """`style.curve` of the medians over the subsets of every seed; no rows draw nothing."""
    middle = rows.groupby(["seed", x])[y].median().dropna().reset_index()
    return style.curve(axis, middle, x, y, look, label) if len(middle) else pd.DataFrame()


def judged(axis, findings, name, words, at, digits=2, **more):
    """Write a judged number with its interval, and its criterion below.

    Parameters
    ----------
    axis : matplotlib Axes
    findings : dict
        With the finding under `name`, and the study's claims under "claims".
    name : str
        Id of the claim.
    words : str
        What the number is.
    at : (float, float)
        In shares of the panel.
    digits : int
    **more
        Of the text.
    """
    claim = findings["claims"][name]
    if claim.kind == "control":
        words, more = f"control: {words}", {"color": style.VERMILLION} | more
    wanted = band(claim).replace("-", "\N{MINUS SIGN}").replace("in ", "")
    wanted = wanted.replace(">=", "\N{GREATER-THAN OR EQUAL TO}")
    wanted = wanted.replace("<=", "\N{LESS-THAN OR EQUAL TO}").replace("0.16667", "1/6")
    template = f"{words} {{}}\n(criterion {wanted})".replace("\n ", "\n")
    return style.judged(axis, findings[name], template, at, digits, **more)


def quartiles(axis, rows, column, at_least, start):
    """Lower quartiles by width, and the line that they are asked to stay above from `start` on."""
    low = rows.groupby("width")[column].quantile(0.25)
    look = {"marker": 6, "linestyle": "", "color": style.INK, "markersize": 4, "zorder": 6}
    axis.plot(low.index, low, label="lower quartile", **look)
    ends = start, low.index.max() * 2**0.25
    line = {"color": "0.75", "linewidth": 3, "zorder": 0.6, "solid_capstyle": "butt"}
    axis.plot(ends, [at_least] * 2, label="criterion: lower quartile", **line)
    return low.rename("lower quartile").reset_index()


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
        fontsize=style.SMALL,
        color=style.INK,
        **{"va": "center"} | more,
    )


def room(axis, above=0.0, below=0.0):
    """Leave shares of the height of a logarithmic axis free, for what is written there."""
    low, high = np.log(axis.get_ylim())
    height = (high - low) / (1 - above - below)
    axis.set_ylim(np.exp(low - below * height), np.exp(high + above * height))
