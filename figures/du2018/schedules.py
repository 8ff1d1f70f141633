"""Claim 6: constant, two-stage and adaptive steps of the theorem against the start's distance."""

import numpy as np

from figures import style

path, tables = style.read()
table = tables["schedules"]
laws = list(table.law.unique())
fig, axes = style.panels(2)
distances = np.sort(table.start_distance.unique())
drawn = []
iterations, gain = axes
for i, rule in enumerate(("constant", "two-stage", "adaptive")):
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
            color=style.COLOURS[i],
            fillstyle=("full", "none")[j],
            linestyle=style.LINES[j],
            linewidth=0.7,
            label=f"{rule}, {law}".replace("sigma", r"$\sigma$"),
        )
for j, law in enumerate(laws):
    rows = table[table.law == law]
    wide = rows.pivot(index=["seed", "start_distance"], columns="rule", values="iterations")
    for i, rule in enumerate(("two-stage", "adaptive"), start=1):
        ratio = (wide.constant / wide[rule]).unstack()
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
iterations.set_yticks([200, 300, 500, 800], ["200", "300", "500", "800"])
iterations.minorticks_off()
gain.set(ylabel="ratio", title="gain over the constant step")
fig.legend(*iterations.get_legend_handles_labels(), loc="outside lower center", ncols=3)
style.save(fig, path, drawn, tables)
