"""Claim 6: exact numbers of sign patterns beside Cover's formula, the bound and the time."""

import pandas as pd

from cnntheory.stats import log_log_slope
from workflow.studies import study, style
from workflow.studies.ergen2021.common import judged
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
        "slopes": tilt,
        "full slopes": full,
        "tilt": claims["6b"].at_most,
        "expected": claims["6y"].given["h"],
    }


def growth(claim, table):
    """Slope of log P against log (N - 1) between the largest n, by patches and patch size."""

    def last(rows):
        means = rows.groupby("rows").cells.mean().sort_index()[-claim.given["largest"] :]
        return float(log_log_slope(means.index.to_numpy() - 1, means.to_numpy()))

    return claim.rows(table).groupby(["patches", "patch_size"])[["rows", "cells"]].apply(last)


def draw(findings, tables):
    table, timing = tables["arrangements"], tables["solver_timing"]
    fig, (counts, ratios, slopes, seconds) = style.panels(2, rows=2, height=5.0)
    style.title(counts, "a", "every count is Cover's, whatever the input's dimension")
    style.title(ratios, "b", "the paper's bound is loose; patches in a plane have fewer patterns")
    style.title(slopes, "c", "the exponent is that of the filter, not of the input")
    style.title(seconds, "d", "training in seconds (not judged)")
    general = table[table.study == "general"]
    colours = style.sequential(general.patch_size)
    drawn = draw_counts(counts, findings, table, colours)
    drawn += draw_ratios(ratios, findings, table, colours)
    drawn.append(draw_slopes(slopes, findings, colours))
    drawn.append(draw_seconds(seconds, timing, colours))
    style.legend_below(fig)
    return fig, drawn


def averages(table, values):
    """Mean of something over the instances, by patch size and rows."""
    found = values.groupby([table.patch_size, table.rows]).mean()
    return found.rename("mean").reset_index()


def draw_counts(axis, findings, table, colours):
    """Exact counts of sign patterns on Cover's formula; control: filters as long as the input."""
    general, full = table[table.study == "general"], table[table.study == "full"]
    means, formula = averages(general, general.cells), averages(general, general.formula)
    for i, (h, color) in enumerate(colours.items()):
        own, line = (found[found.patch_size == h] for found in (means, formula))
        label = "theory: Cover's formula" if not i else None
        axis.plot(line.rows, line["mean"], label=label, **style.THEORY)
        look = style.measured(i, color=color, linestyle="", label=f"patches of $h = {h}$")
        axis.plot(own.rows, own["mean"], **look)
    own = averages(full, full.cells)
    look = style.control("filter as long as the input", linestyle="")
    axis.plot(own.rows, own["mean"], zorder=7, **look)
    axis.set(xscale="log", yscale="log", xlabel="rows $N = nK$", ylabel="sign patterns $P$")
    style.ticks(axis, general.rows)
    judged(axis, findings["6"], "largest |count $-$ formula|: {}", (0.98, 0.06))
    return [means.assign(quantity="cells"), own.assign(quantity="control: cells")]


def draw_ratios(axis, findings, table, colours):
    """Everything in units of Cover's formula; control: patches in a plane."""
    general, plane = table[table.study == "general"], table[table.study == "plane"]
    drawn = []
    for i, (h, color) in enumerate(colours.items()):
        rows = general[general.patch_size == h]
        loose, exact = (averages(rows, rows[c] / rows.formula) for c in ("bound", "cells"))
        said = "" if i else "the paper's bound, all $h$"
        style.bound(axis, loose.rows, loose["mean"], "below", said, at=0.45)
        axis.plot(exact.rows, exact["mean"], **style.measured(i, color=color, linestyle=""))
        drawn += [loose.assign(quantity="bound"), exact.assign(quantity="cells")]
    own = averages(plane, plane.cells / plane.formula)
    h = plane.patch_size.iloc[0]
    axis.plot(own.rows, own["mean"], **style.control(f"patches of rank 2, $h = {h}$", i=1))
    axis.axhline(1, label="theory: Cover's formula", **style.THEORY)
    axis.set_ylim(own["mean"].min() / 8, 30 * drawn[0]["mean"].max())
    axis.set(xscale="log", yscale="log", xlabel="rows $N = nK$", ylabel="in units of the formula")
    style.ticks(axis, general.rows)
    judged(axis, findings["6c"], "bound / count:\nleast {}", (0.02, 0.9))
    text = "control: |count $-$ formula| up to {}"
    judged(axis, findings["6x"], text, (0.02, 0.07), color=style.VERMILLION)
    return [*drawn, own.assign(quantity="control: cells")]


def draw_slopes(axis, findings, colours):
    """Exponents of the counts less h - 1, by patches and patch size."""
    tilt, full = findings["slopes"], findings["full slopes"]
    low, high = -findings["tilt"], findings["tilt"]
    style.criterion(axis, low, high, at=0.02, inside=False)
    drawn = []
    for i, (K, own) in enumerate(tilt.groupby("patches")):
        sizes = own.index.get_level_values("patch_size").to_numpy()
        off = own.to_numpy() - (sizes - 1)
        label = f"$K = {K}$"
        look = style.measured(i + 4, linestyle="", label=label)
        axis.plot(sizes + 0.1 * (i - 0.5), off, **look)
        drawn.append(pd.DataFrame({"patch_size": sizes, "value": off, "quantity": label}))
    expected = findings["expected"]
    look = style.control("filter as long as the input", linestyle="")
    off = full.to_numpy() - (expected - 1)
    axis.plot([expected] * len(off), off, **look)
    axis.set(xlabel="patch size $h$", ylabel="exponent $- (h - 1)$", xlim=(1.5, max(colours) + 0.5))
    axis.set_ylim(low - 0.15, max(1.15, off.max() + 0.1))
    axis.set_xticks(list(colours))
    style.judged(axis, findings["6b"], "largest {}", (0.98, 0.32), digits=3)
    style.judged(axis, findings["6y"], "control {}", (0.98, 0.8), color=style.VERMILLION)
    return pd.concat([*drawn, pd.DataFrame({"value": off, "quantity": "control"})])


def draw_seconds(axis, timing, colours):
    """Medians of the times; shades as in the other panels, open for the enumeration alone."""
    medians = timing.groupby(["patch_size", "quantity", "samples"]).seconds.median()
    for (h, quantity), value in medians.groupby(["patch_size", "quantity"]):
        samples = value.index.get_level_values("samples").to_numpy()
        look = style.measured(list(colours).index(h), color=colours[h])
        if quantity == "arrangements":
            look |= {"markerfacecolor": "white", "linewidth": 0.7}
        axis.plot(samples, value, **look)
    K = int(timing.patches.iloc[0])
    axis.set(xscale="log", yscale="log", xlabel=f"samples $n$, $K = {K}$", ylabel="time (s)")
    style.ticks(axis, timing.samples)
    style.corner(axis, "full: convex program\nopen: enumeration alone", "upper left")
    axis.set_ylim(top=12 * medians.max())
    return medians.reset_index()


if __name__ == "__main__":
    study.main(judge, draw)
