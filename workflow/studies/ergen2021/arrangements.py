"""Claim 6: exact numbers of sign patterns beside Cover's formula, the bound and the time."""

import pandas as pd

from cnntheory.stats import log_log_slope
from workflow.studies import study, style
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    table = tables["arrangements"]
    general, plane = (claims[claim].rows(table) for claim in ("6", "6x"))
    bounded = claims["6c"].rows(table)
    seeds = general.seed.nunique()
    tilt = growth(claims["6b"], table)
    full = growth(claims["6y"], table)
    return {
        "6": exactly((general.cells - general.formula).abs().max(), seeds=seeds),
        "6b": exactly(
            (tilt - (tilt.index.get_level_values("patch_size") - 1)).abs().max(), seeds=seeds
        ),
        "6c": exactly((bounded.bound / bounded.cells).min(), seeds=seeds),
        "6x": exactly(
            (plane.cells - plane.formula).abs().max(),
            seeds=seeds,
            note=f"Least ratio of the counts {(plane.cells / plane.formula).min():.2g}.",
        ),
        "6y": exactly(
            (full - (claims["6y"].given["h"] - 1)).abs().max(),
            seeds=seeds,
            note=f"Their exponent {full.mean():.3g}.",
        ),
    }


def growth(claim, table):
    """Slope of log P against log (N - 1) between the largest n, by patches and patch size."""

    def last(rows):
        means = rows.groupby("rows").cells.mean().sort_index()[-claim.given["largest"] :]
        return float(log_log_slope(means.index.to_numpy() - 1, means.to_numpy()))

    return claim.rows(table).groupby(["patches", "patch_size"])[["rows", "cells"]].apply(last)


def draw(findings, tables):
    table, timing = tables["arrangements"], tables["solver_timing"]
    fig, (counts, bounds, seconds) = style.panels(3, height=2.7)
    general = table[table.study == "general"]
    drawn = []
    for i, (h, rows) in enumerate(general.groupby("patch_size")):
        means = rows.groupby("rows").cells.mean()
        formula = rows.groupby("rows").formula.first()
        counts.plot(formula.index, formula, **style.THEORY)
        counts.plot(
            means.index,
            means,
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            label=f"$h = {h}$, slope $\\to$ {h - 1}",
        )
        ratio = (rows.bound / rows.cells).groupby(rows.rows).mean()
        bounds.plot(
            ratio.index,
            ratio,
            marker=style.MARKERS[i],
            label=f"bound / $P$, $h = {h}$",
            **style.look(i),
        )
        drawn += [means.reset_index().assign(patch_size=h), ratio.reset_index(name="ratio")]
    plane = table[table.study == "plane"]
    ratio = (plane.cells / plane.formula).groupby(plane.rows).mean()
    bounds.plot(
        ratio.index,
        ratio,
        marker=style.MARKERS[4],
        label="$P$ / Cover, in a plane (6x)",
        **style.look(4),
    )
    drawn.append(ratio.reset_index(name="ratio").assign(study="plane"))
    full = table[table.study == "full"].groupby("rows").cells.mean()
    counts.plot(
        full.index,
        full,
        linestyle="",
        marker="x",
        markersize=5,
        color=style.COLOURS[3],
        label="fully connected, $d = 4$ (6y)",
    )
    counts.plot([], [], label="Cover's formula", **style.THEORY)
    counts.set(
        xscale="log",
        yscale="log",
        xlabel="rows $N = nK$",
        ylabel="sign patterns $P$",
        ylim=(1, 1e8),
    )
    counts.legend(loc="upper left", labelspacing=0.25)
    bounds.axhline(1, color="0.4", linewidth=0.8)
    bounds.set(
        xscale="log",
        yscale="log",
        xlabel="rows $N = nK$",
        ylabel="ratio",
        ylim=(None, 3e6),
    )
    bounds.legend(loc="upper left", labelspacing=0.25)
    for axis in (counts, bounds):
        axis.set_xticks(ticks := [3, 10, 30, 100], [str(tick) for tick in ticks])
        axis.minorticks_off()
    K = int(timing.patches.iloc[0])
    for i, (h, by_size) in enumerate(timing.groupby("patch_size")):
        for j, (quantity, rows) in enumerate(by_size.groupby("quantity", sort=False)):
            value = rows.groupby("samples").seconds.median()
            last = value[-2:]
            slope = float(log_log_slope(last.index.to_numpy(), last.to_numpy()))
            seconds.plot(
                value.index,
                value,
                marker=style.MARKERS[2 * i + j],
                label=f"$h = {h}$, {quantity}, {slope:.1f}",
                **style.look(2 * i + j),
            )
            drawn.append(value.reset_index().assign(patch_size=h, quantity=quantity))
    seconds.set(xscale="log", yscale="log", xlabel=f"samples $n$, $K = {K}$", ylabel="time (s)")
    seconds.set_xticks(sizes := sorted(timing.samples.unique()), [f"{n}" for n in sizes])
    seconds.minorticks_off()
    top = timing.seconds.max()
    seconds.set_ylim(top=300 * top)
    seconds.legend(loc="upper left", title="last number: slope at the end", labelspacing=0.25)
    return fig, [pd.concat(drawn)]


if __name__ == "__main__":
    study.main(judge, draw)
