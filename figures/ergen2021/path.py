"""Claim 13: the optimum along the path of beta, and the threshold beta_max."""

import numpy as np

from figures import style
from figures.ergen2021.names import FLOOR

path, tables = style.read()
table, threshold = tables["path"], tables["threshold"]
poolings = list(table.pooling.unique())
fig, axes = style.panels(len(poolings) + 1, height=2.4)
drawn = []
for axis, pooling in zip(axes, poolings, strict=False):
    rows = table[table.pooling == pooling]
    drawn.append(rows)
    for seed, run in rows.groupby("seed"):
        axis.plot(run.beta_fraction, run.objective, linewidth=0.9, **style.look(seed))
    axis.axhline(1, label="zero network", **style.THEORY)
    axis.set(
        xscale="log",
        yscale="log",
        xlabel=r"$\beta / \beta_{\max}$",
        ylabel=r"optimum $p^* / (|y|^2/2)$",
    )
    axis.set_title(f"{pooling}, {rows.seed.nunique()} instances", loc="right")
    axis.invert_xaxis()
    axis.legend(loc="lower left")
last = axes[-1]
for i, (quantity, label) in enumerate(
    (("ascent", "ascent without cells"), ("sampled", "random directions (13x)"))
):
    for j, pooling in enumerate(poolings):
        rows = threshold[threshold.pooling == pooling]
        error = (1 - rows[quantity] / rows.beta_max).abs().clip(lower=FLOOR)
        last.plot(
            j + np.linspace(-0.2, 0.2, len(error)),
            error,
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            label=label if not j else None,
        )
last.axhline(1e-8, **style.THEORY)
last.set(
    yscale="log",
    ylim=(FLOOR / 3, 1e3),
    xticks=range(len(poolings)),
    xlim=(-0.5, len(poolings) - 0.5),
    ylabel=r"|found $- \beta_{\max}| / \beta_{\max}$",
)
last.set_xticklabels([f"{pooling} pooling" for pooling in poolings])
last.legend(loc="upper left")
style.save(fig, path, [*drawn, threshold], tables)
