"""P3b, P3c: what slows training down is the movement in units of delta^(3/2)."""

import numpy as np
import pandas as pd
from scipy import stats

from figures import style
from figures.allenzhu2019.names import plain_ticks, sizes

NEAR, FAR, SLOW = 0.2, 0.5, 1.3  # the criterion's
path, tables = style.read()
table = pd.concat(tables.values())
table = table.assign(
    slowdown=table.iterations / table.kernel_iterations,
    reach=table.spectral_movement / table.separation**1.5,
)
table = table[np.isfinite(table.slowdown)]
judged = table.depth == table.depth.min()
fig, (axis,) = style.panels(1, height=2.9, width=style.SINGLE)
left = min(table.reach.min(), NEAR) / 1.3
axis.fill_between([left, NEAR], 0.5, SLOW, color="0.9", zorder=0)
for limit in (NEAR, FAR):
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
rank = stats.spearmanr(table.reach[judged], table.slowdown[judged]).statistic
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
    f"$L = {table.depth.min()}$: Spearman {rank:.2f}",
    transform=axis.transAxes,
    fontsize=6.5,
    va="top",
)
fig.legend(loc="outside upper center", ncols=3, handlelength=1, columnspacing=1)
style.save(fig, path, [table], tables)
