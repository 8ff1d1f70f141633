"""Claim 6: constant, two-stage and adaptive steps of the theorem against the start's distance."""

import numpy as np

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
    found = [
        Measured(rows.median(), *bootstrap(rows, rng), len(rows))
        for _, rows in ratios.groupby(["law", "start_distance"])
    ]
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
        "6c": min(found, key=lambda measured: measured.value),
        "6x": exactly((half["two-stage"] < half.constant).mean(), seeds=seeds),
        "gains": {rule: gain_of(rule, table) for rule in ("two-stage", "adaptive")},
    }


def by_rule(rows):
    """Iterations, a row a trial and a column a rule of the step."""
    return rows.pivot(index=["law", "seed", "start_distance"], columns="rule", values="iterations")


def gain_of(rule, rows):
    """Iterations of the constant step over those of a rule, a column a distance of the start."""
    wide = by_rule(rows)
    return (wide.constant / wide[rule]).unstack()


def draw(findings, tables):
    table = tables["schedules"]
    laws = list(table.law.unique())
    fig, axes = style.panels(2)
    distances = np.sort(table.start_distance.unique())
    drawn = []
    iterations, gain = axes
    grid = table[table.rule.str.startswith("eta")]
    best = grid.groupby("rule").iterations.median().idxmin()
    for i, rule in enumerate(("constant", "two-stage", "adaptive", best)):
        for j, law in enumerate(laws):
            rows = table[(table.rule == rule) & (table.law == law)]
            wide = rows.pivot(index="seed", columns="start_distance", values="iterations")
            median, low, high = style.median_band(wide.to_numpy())
            places = np.arange(len(distances)) + 0.1 * (i - 1) + 0.05 * (j - 0.5)
            iterations.errorbar(
                places,
                median,
                (median - low, high - median),
                elinewidth=0.8,
                marker=style.MARKERS[i],
                color=style.COLOURS[(0, 1, 2, 4)[i]],
                fillstyle=("full", "none")[j],
                linestyle=style.LINES[j],
                linewidth=0.7,
                label=f"{rule}, {law}".replace("sigma", r"$\sigma$").replace("eta", r"$\eta$"),
            )
    for j, law in enumerate(laws):
        for i, (rule, gains) in enumerate(findings["gains"].items(), start=1):
            ratio = gains.loc[law]
            median, low, high = style.median_band(ratio.to_numpy())
            places = np.arange(len(distances)) + 0.05 * (j - 0.5)
            gain.errorbar(
                places,
                median,
                (median - low, high - median),
                elinewidth=0.8,
                marker=style.MARKERS[i],
                color=style.COLOURS[i],
                fillstyle=("full", "none")[j],
                linestyle=style.LINES[j],
            )
            drawn.append(ratio.median().rename("gain").reset_index().assign(law=law, rule=rule))
    gain.axhline(1, **style.THEORY)
    gain.text(len(distances) - 1, 1.02, "no gain", fontsize=6.5, ha="right", va="bottom")
    for axis in axes:
        axis.set(
            xticks=range(len(distances)),
            xticklabels=[f"{r:g}" for r in distances],
            xlabel=r"distance of the start, $r_0 = \|w_0 - w^*\| / \|w^*\|$",
        )
    iterations.set(
        title=f"to error 0.001, {table.seed.nunique()} seeds", ylabel="iterations", yscale="log"
    )
    iterations.set_yticks([10, 30, 100, 300, 1000], ["10", "30", "100", "300", "1000"])
    iterations.minorticks_off()
    gain.set(ylabel="ratio", title="gain over the constant step")
    fig.legend(*iterations.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
