"""P5: what the first-order expansion of the loss misses, and its share of the bound."""

import numpy as np

from figures import style
from figures.allenzhu2019.names import kinds, median_curve, power_line

path, tables = style.read()
table = tables["semismoothness"]
fig, (misses, shares) = style.panels(2, height=3.0)
drawn = []

width = table.width.max()
start = table[(table.iteration == 0) & (table.width == width)]
start = start.assign(size=start.residual.abs())
for i, kind in kinds(start):
    rows = start[start.perturbation == kind]
    drawn.append(
        median_curve(misses, rows, "omega", "size", i, kind, power=True).assign(panel="(a)")
    )
# The two theory lines start together above the data, where nothing else is drawn.
omega = np.sort(table.omega.unique())
ends = np.array([1, (omega[-1] / omega[0]) ** 0.35]) * omega[0]
above = 300 * start[start.omega == omega[0]]["size"].max()
power_line(misses, ends, above, 1, "slope 1")
power_line(misses, ends, above, 2, "slope 2")
misses.set(
    xscale="log",
    yscale="log",
    xlabel=r"$\|W'\|_2$",
    ylabel=r"$|F(W+W') - F(W) - \langle\nabla F(W), W'\rangle|$",
)
misses.set_title(f"$m = {width}$, {start.seed.nunique()} seeds", loc="right")

factor = np.sqrt(table.width * np.log(table.width))
table = table.assign(
    share=table.residual / (table.kink_term + table.smooth_term),
    free=table.residual / (table.kink_term / factor + table.smooth_term / table.width),
)
largest = table.groupby(["perturbation", "omega"])[["share", "free"]].max().reset_index()
for i, kind in kinds(table):
    rows = largest[largest.perturbation == kind]
    for column, fill in (("share", "full"), ("free", "none")):
        above = rows[rows[column] > 0]
        shares.plot(
            above.omega,
            above[column],
            marker=style.MARKERS[i],
            fillstyle=fill,
            **style.look(i),
        )
for fill, label in (("full", "the bound"), ("none", "without its growth in $m$")):
    shares.plot([], [], linestyle="", marker="o", color="0.3", fillstyle=fill, label=label)
shares.legend(loc="lower right", handlelength=1)
shares.axhline(1, **style.THEORY)
shares.set(
    xscale="log",
    yscale="log",
    xlabel=r"$\|W'\|_2$",
    ylabel="largest residual over the bound",
)
widths = ", ".join(map(str, sorted(table.width.unique())))
shares.set_title(f"$m =$ {widths}; {table.iteration.nunique()} times", loc="right")
drawn.append(largest.assign(panel="(b)"))
misses.legend(loc="lower right")
style.save(fig, path, drawn, tables)
