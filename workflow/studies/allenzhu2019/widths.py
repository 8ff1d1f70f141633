"""What the two figures of the width sweep share: a quantity against the width, with its slope."""

import numpy as np

from cnntheory import images
from workflow.studies import style
from workflow.studies.allenzhu2019.common import slope, slope_beside
from workflow.studies.allenzhu2019.looks import SECOND, trials

SMALL = r"control: outputs over $\sqrt{m}$"
SHOWN = 64  # narrower networks do not converge


def judge_slopes(table, claims, judged, rng):
    """Slopes in the width, ``{id: Measured}``.

    Parameters
    ----------
    table : DataFrame
        Trials of gradient descent, of both parametrisations.
    judged : dict
        Claim to ``(scaling, quantity)``.
    """
    found = {}
    for name, (scaling, y) in judged.items():
        if name not in claims:
            continue
        rows = claims[name].rows(table)
        # With small outputs the residual at the start is that of the labels, always the same.
        if scaling == "usual":
            found[name] = slope_beside(rows, "width", y, "start_residual", rng)
        else:
            found[name] = slope(rows, "width", y, rng)
    return found


def sweep(table):
    """Trials of the usual parametrisation that are shown, and those with small outputs."""
    usual = (table.scaling == "usual") & (table.width >= SHOWN)
    return table[usual], table[table.scaling == "small"]


def against_width(axis, rows, column, look, label, shift=1.0):
    """All trials, and their median by width."""
    trials(axis, rows.width * shift, rows[column], look)
    medians = rows.groupby("width")[column].median()
    axis.plot(medians.index * shift, medians, **look | {"label": label})
    return rows[["width", "seed", "subset", column]].assign(curve=label)


def all_against_width(axis, findings, column, ylabel):
    """A quantity of the usual networks, of the control's, and on the second data set."""
    usual, small = sweep(findings["trials"])
    drawn = [
        against_width(axis, usual, column, style.measured(0), "measured"),
        against_width(axis, small, column, style.control(), SMALL, 0.96),
        *replica(axis, findings, column),
    ]
    finish(axis, usual, ylabel)
    return drawn


def replica(axis, findings, column):
    """The same of Fashion-MNIST, where it was measured; what was drawn, a list."""
    if not (found := findings.get(images.FASHION)):
        return []
    rows, _ = sweep(found["trials"])
    drawn = against_width(axis, rows, column, SECOND, images.FASHION, 1.06)
    return [drawn.assign(data=images.FASHION)]


def finish(axis, rows, ylabel):
    axis.set(xscale="log", yscale="log", xlabel="width $m$", ylabel=ylabel)
    style.ticks(axis, rows.width, apart=0.15)


def power(axis, rows, column, exponent, label, **look):
    """A power law through the median of the narrowest width; with no look, a proven bound."""
    medians = rows.groupby("width")[column].median()
    x = np.geomspace(medians.index.min(), medians.index.max(), 5)
    y = medians.iloc[0] * (x / x[0]) ** exponent
    if look:
        axis.plot(x, y, label=label, **look)
    else:
        style.bound(axis, x, y, "below").set_label(label)
