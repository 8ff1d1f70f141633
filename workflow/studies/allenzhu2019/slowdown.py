"""P3b, P3c: what slows training down is the movement in units of delta^(3/2)."""

import numpy as np
from scipy import stats

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import NOTHING, data_of, median, most
from workflow.studies.allenzhu2019.looks import plain_ticks, sizes
from workflow.studies.verdicts import Measured, exactly


def judge(tables, claims, rng):
    table = tables["pairs"]
    table = table.assign(
        slowdown=table.iterations / table.kernel_iterations,
        reach=table.spectral_movement / table.separation**1.5,
    )
    near, far = (claims[name].rows(table) for name in ("P3c", "P3x"))
    return {
        "P3-gap": gap(claims["P3-gap"].rows(table), rng),
        "P3b": rank_correlation(claims["P3b"].rows(table), rng),
        "P3c": most(near, "slowdown", note=f"{len(near)} runs."),
        "P3x": exactly(
            far.slowdown.median(),
            seeds=far.seed.nunique(),
            data=data_of(far),
            note=f"Median of {len(far)} runs.",
        ),
        "runs": table,
        "near": claims["P3c"].given["near"],
        "far": claims["P3x"].given["far"],
        "slow": claims["P3c"].at_most,
    }


def gap(rows, rng):
    """Median of the log slowdown at the least width minus the one at the largest."""
    logs = rows.assign(log=np.log(rows.slowdown))
    logs = logs.pivot_table(index=["seed", "delta"], columns="width", values="log").dropna()
    if logs.empty:
        return NOTHING
    gaps = logs[logs.columns.min()] - logs[logs.columns.max()]
    return median(gaps.unstack("delta").to_numpy(), rng, data_of(rows))


def rank_correlation(rows, rng):
    """Spearman's correlation of slowdown and movement, with a bootstrap over seeds."""
    clusters = [part[["reach", "slowdown"]].to_numpy() for _, part in rows.groupby("seed")]
    if not clusters:
        return NOTHING

    def spearman(picks, axis=0):
        reach, slowdown = np.concatenate([clusters[i] for i in picks]).T
        return np.corrcoef(stats.rankdata(reach), stats.rankdata(slowdown))[0, 1]

    every = np.arange(len(clusters))
    interval = bootstrap(every, rng, spearman)
    return Measured(spearman(every), *interval, len(every), data_of(rows))


def draw(findings, tables):
    table, near, far = findings["runs"], findings["near"], findings["far"]
    table = table[np.isfinite(table.slowdown)]
    fig, (axis,) = style.panels(1, height=2.9, width=style.SINGLE)
    left = min(table.reach.min(), near) / 1.3
    axis.fill_between([left, near], 0.5, findings["slow"], color="0.9", zorder=0)
    for limit in (near, far):
        axis.axvline(limit, color="0.4", linewidth=0.8, linestyle=":")
    axis.axhline(1, **style.THEORY)
    for i, width in sizes(table.width):
        for depth, rows in table[table.width == width].groupby("depth"):
            axis.plot(
                rows.reach,
                rows.slowdown,
                linestyle="",
                marker=style.MARKERS[i],
                color=style.COLOURS[i],
                fillstyle="full" if depth == table.depth.min() else "none",
                markersize=3.2,
                markeredgewidth=0.6,
                alpha=0.75,
                label=f"$m = {width}$, $L = {depth}$",
            )
    axis.set(
        xscale="log",
        yscale="log",
        xlabel=r"movement $\max_l \|W_l - W_l(0)\|_2 \,/\, \delta^{3/2}$",
        ylabel=r"$T / T_{\rm kernel}$, both until $10^{-3}$",
        xlim=(left, None),
        ylim=(0.92 * min(1, table.slowdown.min()), None),
    )
    plain_ticks(axis)
    axis.text(
        0.03,
        0.95,
        f"$L = {table.depth.min()}$: Spearman {findings['P3b'].text()}",
        transform=axis.transAxes,
        fontsize=6.5,
        va="top",
    )
    fig.legend(loc="outside upper center", ncols=3, handlelength=1, columnspacing=1)
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
