"""Claim 11, Theorem 3.4: probability of a good random start against its radius and p."""

import numpy as np
from scipy import stats

from figures import style

path, tables = style.read()
table = tables["starts"]
fig, (radius, dimension) = style.panels(2, height=3.1)
level = 0.05 / len(table)


def points(axis, rows, x, i, label):
    """Monte Carlo shares with simultaneous Wilson intervals."""
    share = rows.successes / rows.draws
    ends = [
        stats.binomtest(int(k), int(n)).proportion_ci(1 - level, "wilson")
        for k, n in zip(rows.successes, rows.draws, strict=True)
    ]
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
radius.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
fraction = table.fraction.max()
rows = table[table.fraction == fraction].sort_values("dimension")
points(dimension, rows, "dimension", 0, "Monte Carlo")
dimension.plot(rows.dimension, rows.exact, label="exact", **style.look(0))
dimension.plot(
    rows.dimension, rows.sharper_bound, color=style.COLOURS[0], linestyle=":", label="sharper bound"
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
dimension.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
style.save(fig, path, [table], tables)
