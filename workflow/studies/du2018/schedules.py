"""Claim 6: constant, two-stage and adaptive steps of the theorem against the start's distance."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, sign_test
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly


def judge(tables, claims, rng):
    table = tables["schedules"]
    seeds = table.seed.nunique()
    near, half = (by_rule(claims[claim].rows(table)) for claim in ("6", "6x"))
    ordered = (near.adaptive <= near["two-stage"]) & (near["two-stage"] <= near.constant)
    wins, pairs, p_value = sign_test(near.constant - near["two-stage"])
    gain = gain_of("two-stage", claims["6b"].rows(table))
    wide = by_rule(claims["6c"].rows(table))
    ratios = (
        wide[["constant", "two-stage", "adaptive"]].min(axis=1) / wide[claims["6c"].given["best"]]
    )
    found = {
        cell: Measured(rows.median(), *bootstrap(rows, rng), len(rows))
        for cell, rows in ratios.groupby(["law", "start_distance"])
    }
    medians = ", ".join(f"{g:.2f} at r_0 = {r:g}" for r, g in gain.median().items())
    return {
        "6": exactly(
            ordered.mean(),
            seeds=seeds,
            note=f"Two-stage faster than constant in {wins} of {pairs} pairs (p = {p_value:.1g}).",
        ),
        "6b": exactly(
            (np.diff(gain.to_numpy(), axis=1) > 0).all(axis=1).mean(),
            seeds=seeds,
            note=f"Median gain {medians}.",
        ),
        "6c": min(found.values(), key=lambda measured: measured.value),
        "6x": exactly((half["two-stage"] < half.constant).mean(), seeds=seeds),
        "gains": {rule: gain_of(rule, table) for rule in ("two-stage", "adaptive")},
        "ratios": found,
        "best": claims["6c"].given["best"],
        "least": claims["6c"].at_least,
    }


def by_rule(rows):
    """Iterations, a row a trial and a column a rule of the step."""
    return rows.pivot(index=["law", "seed", "start_distance"], columns="rule", values="iterations")


def gain_of(rule, rows):
    """Iterations of the constant step over those of a rule, a column a distance of the start."""
    wide = by_rule(rows)
    return (wide.constant / wide[rule]).unstack()


LOOKS = {
    "constant": style.measured(0, label="theorem: constant step"),
    "two-stage": style.measured(1, label="theorem: two-stage"),
    "adaptive": style.measured(2, label="theorem: adaptive"),
}


def draw(findings, tables):
    table = tables["schedules"]
    laws, best = list(table.law.unique()), findings["best"]
    fig, (first, second, gain, ratio) = style.panels(2, rows=2, height=5)
    drawn = []
    looks = LOOKS | {
        best: style.measured(4, marker="^", label="plain " + best.replace("eta", r"$\eta$"))
    }
    seen = ("a plain step beats all three schedules", "the same")
    for letter, axis, law, text in zip("ab", (first, second), laws, seen, strict=False):
        name = law.replace("sigma", r"$\sigma$")
        style.title(axis, letter, f"{name}: {text}")
        for rule, look in looks.items():
            rows = table[(table.rule == rule) & (table.law == law)]
            wide = rows.pivot(index="seed", columns="start_distance", values="iterations")
            drawn.append(with_intervals(axis, wide, look).assign(curve=rule, law=law))
        axis.set(yscale="log", ylabel="iterations to error 0.001")
        style.plain_ticks(axis, "y")
    style.corner(first, f"{table.seed.nunique()} seeds", "upper left")
    style.title(gain, "c", "the farther the start, the more two stages gain over one")
    style.title(ratio, "d", "and the adaptive steps stay behind a plain one")
    for j, law in enumerate(laws):
        name = law.replace("sigma", r"$\sigma$")
        marker = {"marker": style.MARKERS[j], "label": name}
        wide = findings["gains"]["two-stage"].loc[law]
        look = LOOKS["two-stage"] | marker
        drawn.append(with_intervals(gain, wide, look, 0.08 * j).assign(curve="gain", law=law))
        cells = {r: m for (of, r), m in findings["ratios"].items() if of == law}
        value, low, high = np.array([cell[:3] for cell in cells.values()]).T
        look = LOOKS["adaptive"] | marker
        ends = (value - low, high - value)
        ratio.errorbar(np.arange(len(cells)) + 0.08 * j, value, ends, elinewidth=0.8, **look)
    distances = np.sort(table.start_distance.unique())
    gain.axhline(1, **style.THEORY)
    note = {"textcoords": "offset points", "fontsize": style.SMALL, "ha": "right", "va": "bottom"}
    gain.annotate("theory: no gain at 1/2", (len(distances) - 1, 1), (0, 2), **note)
    style.judged(gain, findings["6b"], "share of seeds where\nit always grows: {}", (0.03, 0.9))
    style.judged(ratio, findings["6c"], "least: {}", (0.5, 0.65))
    style.criterion(ratio, findings["least"], at=0.02)
    gain.set(ylabel="iterations: constant / two-stage")
    ratio.set(
        ylabel=f"iterations: adaptive / plain {best.replace('eta', r'$eta$')}".replace(
            "$eta", r"$\eta"
        )
    )
    ratio.set_ylim(bottom=0)
    for axis in (first, second, gain, ratio):
        axis.set_xticks(range(len(distances)), [f"{r:g}" for r in distances])
        axis.set_xlabel(r"distance of the start, $\|w_0 - w^*\| / \|w^*\|$")
    style.label_ends(gain)
    style.label_ends(ratio)
    style.legend_below(fig, handles=[style.plt.Line2D([], [], **look) for look in looks.values()])
    return fig, drawn


def with_intervals(axis, wide, look, shift=0.0):
    """Medians of the columns with their simultaneous intervals; what was drawn."""
    median, low, high = style.median_band(wide.to_numpy())
    places = np.arange(wide.shape[1]) + shift
    axis.errorbar(places, median, (median - low, high - median), elinewidth=0.8, **look)
    return pd.DataFrame(
        {"start_distance": wide.columns, "median": median, "low": low, "high": high}
    )


if __name__ == "__main__":
    study.main(judge, draw)
