"""P6: how many activations a perturbation flips."""

import numpy as np

from figures import style
from figures.allenzhu2019.names import kinds, median_curve, power_line, room, sizes, ticks

path, tables = style.read()
table, depth = tables["perturbed_omega"], tables["perturbed_depth"]
fig, (flips, bound) = style.panels(2, height=2.8)
drawn = []

for i, kind in kinds(table):
    rows = table[table.perturbation == kind]
    drawn.append(
        median_curve(flips, rows, "omega", "flipped", i, kind, power=True).assign(panel="(a)")
    )
ends = np.array([table.omega.min(), table.omega.max()])
for kind, beside, exponent, text in (
    ("adversary", 1.5, 2 / 3, "slope 2/3"),
    ("gaussian", 0.55, 1, "slope 1"),
):
    rows = table[(table.perturbation == kind) & (table.omega == ends[0])]
    power_line(flips, ends, beside * rows.flipped.median(), exponent, text)
flips.set(
    xscale="log",
    yscale="log",
    xlabel=r"$\omega = \|W'\|_2$",
    ylabel="share of activations flipped",
)
first = table.iloc[0]
flips.set_title(
    f"$m = {first.width}$, $L = {first.depth}$, {table.seed.nunique()} seeds", loc="right"
)
room(flips, below=0.12)
flips.legend(loc="lower right")

adversary = depth[depth.perturbation == "adversary"]
adversary = adversary.assign(
    share=adversary.most_flipped / (adversary.omega ** (2 / 3) * adversary.depth)
)
for i, omega in sizes(adversary.omega):
    rows = adversary[adversary.omega == omega]
    label = rf"$\omega = {omega:.2g}$"
    drawn.append(
        median_curve(bound, rows, "depth", "share", i, label).assign(panel="(b)", omega=omega)
    )
bound.set(
    xscale="log",
    xlabel="depth $L$",
    ylabel=r"share in the worst layer / $(\omega^{2/3} L)$",
    ylim=(0, None),
)
ticks(bound, depth.depth)
bound.set_title(f"$m = {depth.width.iloc[0]}$, {depth.seed.nunique()} seeds", loc="right")
bound.legend(loc="upper right")
style.save(fig, path, drawn, tables)
