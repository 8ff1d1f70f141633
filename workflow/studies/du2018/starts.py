"""Claim 11, Theorem 3.4: probability of a good random start against its radius and p."""

import numpy as np
from scipy import stats

from cnntheory.stats import wilson
from workflow.studies import study, style
from workflow.studies.verdicts import exactly

LEVEL = 0.95


def judge(tables, claims, rng):
    table = tables["starts"]
    share = table.successes / table.draws
    error = np.sqrt(table.exact * (1 - table.exact) / table.draws)
    critical = stats.norm.isf((1 - LEVEL) / 2 / len(table))
    deviation = ((share - table.exact).abs() / error).max() / critical
    bounds, large = table[["bound", "sharper_bound"]].max(axis=1), claims["11x"].rows(table)
    return {
        "11": exactly(deviation, seeds=int(table.draws.min())),
        "11b": exactly((bounds - table.exact).max()),
        "11x": exactly((large.unscaled_bound - large.exact).max()),
    }


def draw(findings, tables):
    table = tables["starts"]
    fig, (radius, dimension) = style.panels(2, height=3.1)
    level = 1 - (1 - LEVEL) / len(table)

    def points(axis, rows, x, i, label):
        """Monte Carlo shares with simultaneous Wilson intervals."""
        share = rows.successes / rows.draws
        ends = [wilson(k, n, level) for k, n in zip(rows.successes, rows.draws, strict=True)]
        low, high = np.array(ends).T
        axis.errorbar(
            rows[x],
            share,
            (share - low, high - share),
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            elinewidth=0.9,
            label=label,
        )

    dimensions = sorted(table.dimension.unique())
    for i, p in enumerate((dimensions[0], dimensions[-1])):
        rows = table[table.dimension == p].sort_values("fraction")
        points(radius, rows, "fraction", i, f"Monte Carlo, $p = {p}$")
        radius.plot(rows.fraction, rows.exact, **style.look(i), label=f"exact, $p = {p}$")
        radius.plot(
            rows.fraction,
            rows.sharper_bound,
            color=style.COLOURS[i],
            linestyle=":",
            label=f"sharper bound, $p = {p}$",
        )
    radius.plot(
        rows.fraction,
        rows.bound,
        label=r"$1/2 - \alpha\sqrt{\pi p/2}$ (as we reconstruct it)",
        **style.THEORY,
    )
    radius.set(
        xlabel=r"radius of the ball, $\alpha\,/\,\sqrt{1/(2\pi p)}$",
        ylim=(-0.02, 0.52),
        ylabel=r"$P(\|w_0 - w^*\|^2 \leq (1 - \alpha^2)\|w^*\|^2)$",
        title=f"{table.draws.min():,} draws a point",
    )
    radius.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    fraction = table.fraction.max()
    rows = table[table.fraction == fraction].sort_values("dimension")
    points(dimension, rows, "dimension", 0, "Monte Carlo")
    dimension.plot(rows.dimension, rows.exact, label="exact", **style.look(0))
    dimension.plot(
        rows.dimension,
        rows.sharper_bound,
        color=style.COLOURS[0],
        linestyle=":",
        label="sharper bound",
    )
    dimension.plot(rows.dimension, rows.bound, label="paper's bound", **style.THEORY)
    dimension.plot(
        rows.dimension,
        rows.unscaled_bound,
        label=r"without $\sqrt{p}$ (11x): exceeded",
        color=style.COLOURS[3],
        linestyle=style.LINES[2],
        marker="v",
    )
    dimension.set(
        xscale="log",
        xlabel="dimension $p$",
        ylim=(-0.02, 0.52),
        title=rf"radius $\alpha = {fraction:g}\,\sqrt{{1/(2\pi p)}}$",
    )
    dimension.set_xticks(dimensions, [str(p) for p in dimensions])
    dimension.minorticks_off()
    dimension.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
