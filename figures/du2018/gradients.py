"""Claim 1: gradient identities against automatic differentiation."""

import numpy as np

from figures import style

path, tables = style.read()
table = tables["gradients"]
names = list(table.identity.unique())
fig, (axis,) = style.panels(1, width=style.SINGLE, height=2.2)
for i, (shape, rows) in enumerate(table.groupby(["patches", "dimension"])):
    places = rows.identity.map(names.index) + 0.16 * (i - 1.5)
    axis.plot(
        np.maximum(rows.absolute_error, 1e-17),
        places,
        linestyle="",
        alpha=0.6,
        marker=style.MARKERS[i],
        color=style.COLOURS[i],
        label=f"$k = {shape[0]}$, $p = {shape[1]}$",
    )
axis.axvline(1e-10, **style.THEORY)
axis.text(1.6e-10, -0.42, "criterion", fontsize=6.5)
labels = [name if "left out" not in name else "control: wrong\nregion left out" for name in names]
axis.set(
    xscale="log",
    xlabel=f"max abs difference ({table.seed.nunique()} seeds a row)",
    yticks=range(len(names)),
    yticklabels=[label.replace(" ", "\n", 1) for label in labels],
    ylim=(len(names) - 0.4, -0.6),
    xlim=(4e-18, 30),
)
axis.legend(loc="upper center", bbox_to_anchor=(0.4, -0.24), ncols=2)
style.save(fig, path, [table], tables)
