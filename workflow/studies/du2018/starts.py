"""Claim 11, Theorem 3.4: probability of a good random start against its radius and p."""

import numpy as np
from scipy import stats

from cnntheory.stats import wilson
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly

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
        "11c": above_the_bound(tables["starts_inside"]),
        "11x": exactly((large.unscaled_bound - large.exact).max()),
    }


def above_the_bound(table):
    """Least excess of the successes' share over the bound; its interval is valid for all laws."""
    found = []
    for row in table.itertuples():
        low, high = wilson(row.successes, row.draws, 1 - (1 - LEVEL) / len(table))
        share = row.successes / row.draws
        found.append(Measured(*(value - row.bound for value in (share, low, high)), row.draws))
    note = "phi* in degrees: " + ", ".join(f"{np.degrees(phi):.1f}" for phi in table.phi) + "."
    return min(found, key=lambda measured: measured.low)._replace(note=note)


def draw_inside(axis, table):
    """Shares of good starts inside phi* against the spread of the patches."""
    level = 1 - (1 - LEVEL) / len(table)
    share = table.successes / table.draws
    ends = [wilson(k, n, level) for k, n in zip(table.successes, table.draws, strict=True)]
    low, high = np.array(ends).T
    axis.errorbar(
        table.patch_sigma,
        share,
        (share - low, high - share),
        linestyle="",
        marker="o",
        color=style.COLOURS[0],
        label="begin inside, recover",
    )
    axis.plot(table.patch_sigma, table.exact, label="exact", **style.look(0))
    axis.plot(table.patch_sigma, table.bound, label="Corollary 3.1", **style.THEORY)
    axis.set(
        xlabel=rf"patches $\sigma_2$, base $\sigma = {table.base_sigma.iloc[0]:g}$",
        ylim=(-0.02, 0.52),
        xticks=table.patch_sigma,
        title="Corollary 3.1",
    )
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2))


def draw(findings, tables):
    table = tables["starts"]
    fig, (radius, dimension, inside) = style.panels(
        3, height=3.1, gridspec_kw={"width_ratios": [1.25, 1, 0.9]}
    )
    draw_inside(inside, tables["starts_inside"])
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
    radius.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2))
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
    dimension.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2))
    return fig, [table, tables["starts_inside"]]


if __name__ == "__main__":
    study.main(judge, draw)
