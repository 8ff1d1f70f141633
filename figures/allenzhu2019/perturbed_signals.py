"""P7, P8: what a perturbation changes in the signals and in the gradient."""

import numpy as np

from figures import style
from figures.allenzhu2019.names import kinds, median_curve, power_line, room, ticks

path, tables = style.read()
table, depth = tables["perturbed_omega"], tables["perturbed_depth"]
exploding = tables["perturbed_variance"]
fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 5.0), layout="constrained")
for letter, axis in zip("abcd", axes.ravel(), strict=True):
    axis.set_title(f"({letter})", loc="left", fontweight="bold")
forward, backward, gradient, deep = axes.ravel()
drawn = []

ends = np.array([table.omega.min(), table.omega.max()])


def level(kind, column):
    """Where a theory line starts: the kind's median at the least omega."""
    rows = table[(table.perturbation == kind) & (table.omega == ends[0])]
    return rows[column].median()


changes = (
    (forward, "forward_change", r"$\|h_L(W') - h_L\|$"),
    (backward, "backward_change", "relative change of the\nbackward vector"),
    (gradient, "gradient_change", r"relative change of $\nabla f$"),
)
for axis, column, ylabel in changes:
    for i, kind in kinds(table):
        rows = table[table.perturbation == kind]
        drawn.append(
            median_curve(axis, rows, "omega", column, i, kind, power=True).assign(
                panel=axis.get_title("left")
            )
        )
    axis.set(xscale="log", yscale="log", xlabel=r"$\omega = \|W'\|_2$", ylabel=ylabel)
power_line(forward, ends, 2 * level("gradient", "forward_change"), 1, "slope 1")
for axis, column, _ in changes[1:]:
    power_line(axis, ends, 1.35 * level("adversary", column), 1 / 3, "slope 1/3")
    power_line(axis, ends, level("gaussian", column) / 1.4, 1 / 2, "slope 1/2")
for axis, _, _ in changes:
    room(axis, below=0.25)
    axis.legend(loc="lower right")
first = table.iloc[0]
forward.set_title(
    f"$m = {first.width}$, $L = {first.depth}$, {table.seed.nunique()} seeds", loc="right"
)

# In proportion to omega, as (a) shows: the median over omega keeps the depth alone.
for rows_of, more, name in ((depth, {}, "{}"), (exploding, {"fill": "none"}, "{}, variance 8/m")):
    for i, kind in kinds(rows_of):
        rows = rows_of[rows_of.perturbation == kind]
        rows = rows.assign(share=rows.forward_change / rows.omega)
        drawn.append(
            median_curve(
                deep, rows, "depth", "share", i, name.format(kind), power=True, **more
            ).assign(panel="(d)")
        )
depths = np.sort(depth.depth.unique())
usual = depth[depth.depth == depths[0]]
power_line(
    deep, depths[[0, -1]], 1.5 * (usual.forward_change / usual.omega).median(), 2.5, "slope 5/2"
)
deep.set(
    xscale="log",
    yscale="log",
    xlabel="depth $L$",
    ylabel=r"$\|h_L(W') - h_L\| \,/\, \omega$",
)
ticks(deep, depths)
deep.set_title(f"$m = {depth.width.iloc[0]}$, {depth.seed.nunique()} seeds", loc="right")
room(deep, above=0.25)
deep.legend(loc="upper left")
style.save(fig, path, drawn, tables)
