"""Claim 12: the linear network without pooling, descent with m = 1 .. rank + 1 filters."""

import numpy as np

from figures import style
from figures.ergen2021.names import excess

FLOOR = 1e-12

path, tables = style.read()
table = tables["nuclear"].assign(excess=lambda t: excess(t))
ranks = sorted(table["rank"].unique())
fig, axes = style.panels(len(ranks), height=2.4, width=style.DOUBLE, sharey=True)
for axis, rank in zip(np.atleast_1d(axes), ranks, strict=True):
    rows = table[table["rank"] == rank]
    best = rows.groupby(["seed", "beta_fraction", "width"]).excess.min().clip(lower=FLOOR)
    best = best.reset_index()
    axis.plot(
        rows.width + 0.13,
        rows.excess.clip(lower=FLOOR),
        linestyle="",
        marker="_",
        markersize=4,
        color="0.7",
        label="every restart",
        rasterized=True,
    )
    for i, (fraction, chosen) in enumerate(best.groupby("beta_fraction", sort=True)):
        axis.plot(
            chosen.width - 0.13 + 0.1 * i,
            chosen.excess,
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            alpha=0.7,
            label=rf"best, $\beta = {fraction:g}\,\beta_{{\max}}$",
        )
    axis.axvline(rank, color="0.15", linestyle=":", linewidth=1)
    axis.axhline(1e-4, **style.THEORY)
    axis.set(
        yscale="log",
        xlabel="filters $m$",
        xticks=sorted(rows.width.unique()),
        ylim=(FLOOR / 3, 1e4),
    )
    instances = len(rows.groupby(["seed", "beta_fraction"]))
    axis.set_title(rf"rank$(Z^*) = {rank}$, {instances} instances", loc="right", fontsize=7)
axes[0].set_ylabel("(end objective $- p^*$) / $p^*$")
axes[0].legend(loc="upper right")
style.save(fig, path, [table], tables)
