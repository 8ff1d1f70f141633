"""What the two figures of the width sweep share: a quantity against the width, with its slope."""

import numpy as np

from cnntheory import images
from workflow.studies import style
from workflow.studies.allenzhu2019.common import slope, slope_beside
from workflow.studies.allenzhu2019.looks import with_slope

SHOWN = 64  # narrower networks do not converge


def judge_slopes(table, claims, judged, rng):
    """Slopes in the width: ``{id: Measured}`` and ``{(scaling, quantity): Measured}``.

    Parameters
    ----------
    table : DataFrame
        Trials of gradient descent, of both parametrisations.
    judged : dict
        Claim to ``(scaling, quantity)``. A quantity without a claim under one parametrisation is
        fitted on the rows that the claims of this parametrisation speak of.
    """
    judged = {name: key for name, key in judged.items() if name in claims}

    def fitted(rows, scaling, y):
        # With small outputs the residual at the start is that of the labels, always the same.
        if scaling == "usual":
            return slope_beside(rows, "width", y, "start_residual", rng)
        return slope(rows, "width", y, rng)

    found = {name: fitted(claims[name].rows(table), *key) for name, key in judged.items()}
    slopes = {key: found[name] for name, key in judged.items()}
    like = {scaling: claims[name] for name, (scaling, _) in judged.items()}
    for scaling, claim in like.items():
        for _, y in judged.values():
            if (scaling, y) not in slopes:
                slopes[scaling, y] = fitted(claim.rows(table), scaling, y)
    return found, slopes


def sweep(table):
    """Trials of the usual parametrisation that are shown, and those with small outputs."""
    usual = (table.scaling == "usual") & (table.width >= SHOWN)
    return table[usual], table[table.scaling == "small"]


def against_width(axis, rows, column, i, label, slope, fill="full"):
    """All trials, their median by width, and the slope that was found."""
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
    axis.plot(
        medians.index,
        medians,
        marker=style.MARKERS[i],
        fillstyle=fill,
        label=with_slope(label, slope, narrow=True),
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


def replica(axis, findings, column):
    """The same of Fashion-MNIST, where it was measured; what was drawn, a list."""
    if not (found := findings.get(images.FASHION)):
        return []
    rows, _ = sweep(found["trials"])
    label = images.FASHION
    drawn = against_width(axis, rows, column, 2, label, found["slopes"].get(("usual", column)))
    return [drawn.assign(data=images.FASHION)]


def finish(axis, rows, ylabel):
    widths = sorted(rows.width.unique())
    axis.set(xscale="log", yscale="log", xlabel="width $m$", ylabel=ylabel)
    axis.set_xticks(widths[::2], widths[::2])
    axis.xaxis.minorticks_off()
    axis.legend(loc="lower left", handlelength=1.6)
