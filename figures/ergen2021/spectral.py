"""Claim 9: sparse spectra of the circular network, and when its program is exact."""

import numpy as np

from figures import style
from figures.ergen2021.names import FLOOR, excess

path, tables = style.read()
table = tables["spectra"]
cases = {key: value for key, value in tables.items() if key.startswith("circular_")}
fig, (counts, gaps) = style.panels(2, height=2.7, width_ratios=(1, 1.5))
drawn, ticks = [], []
labels = {"spectral": "spectral $\\ell_1$ (circular)", "group": "group $\\ell_2$ (9c)"}
for d, rows in table.groupby("dimension"):
    for i, (penalty, label) in enumerate(labels.items()):
        chosen = rows[rows.penalty == penalty]
        sizes = chosen.nonzero.value_counts().sort_index()
        place = len(ticks)
        ticks.append(f"{d}")
        counts.scatter(
            np.full(len(sizes), place),
            sizes.index,
            s=60 * np.sqrt(sizes / sizes.sum()),
            color=style.COLOURS[i],
            marker=style.MARKERS[i],
            alpha=0.8,
            linewidth=0,
            label=label if place < 2 else None,
        )
        median = chosen.nonzero.median()
        counts.plot([place - 0.35, place + 0.35], [median] * 2, color="0.1", linewidth=1.4)
        drawn.append(sizes.reset_index().assign(dimension=d, penalty=penalty))
    counts.plot([len(ticks) - 2.5, len(ticks) - 0.5], [d, d], **style.THEORY)
counts.set(
    xticks=range(len(ticks)),
    xlabel="length of the signal $d$",
    ylabel="non-zero frequencies of a filter",
    ylim=(0, 1.45 * table.dimension.max()),
)
counts.set_xticklabels(ticks)
counts.set_title(f"{table.seed.nunique()} instances, rank {table['rank'].iloc[0]}", loc="right")
legend = counts.legend(loc="upper left")
for handle in legend.legend_handles:
    handle.set_sizes([14])
names = {
    "circular_three": "$L = 3$\nfull length",
    "circular_product": "$L = 4$\nproduct bounded",
    "wrong": "$L = 3$\n$\\kappa = 1$ (9x)",
    "circular_short": "$L = 3$\nshort (9y)",
    "circular_layers": "$L = 4$\neach bounded (9z)",
}
for place, case in enumerate(names):
    rows = cases["circular_three" if case == "wrong" else case]
    reference = "wrong_program" if case == "wrong" else "program"
    best = rows.assign(excess=excess(rows, reference)).groupby("seed").excess.min().abs()
    gaps.plot(
        place + np.linspace(-0.3, 0.3, len(best)),
        best.clip(lower=FLOOR),
        linestyle="",
        marker=style.MARKERS[0 if place < 2 else 1],
        color=style.COLOURS[0 if place < 2 else 1],
        markersize=2.4,
        label={0: "exact", 2: "control"}.get(place),
    )
    drawn.append(best.reset_index().assign(study=case))
gaps.axhline(1e-4, **style.THEORY)
gaps.set(
    yscale="log",
    ylim=(FLOOR / 3, 1e3),
    ylabel="|best restart $- p^*$| / $p^*$",
    xticks=range(len(names)),
)
gaps.set_xticklabels(names.values(), fontsize=6)
gaps.legend(loc="upper left", ncols=2)
gaps.set_title(f"$d = {rows.dimension.iloc[0]}$", loc="right")
style.save(fig, path, drawn, tables)
