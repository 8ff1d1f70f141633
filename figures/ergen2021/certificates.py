"""Claims 2, 3: duality gaps and mapped-back networks of every architecture, and their controls."""

import numpy as np
import pandas as pd

from figures import style
from figures.ergen2021.names import FLOOR, excess, name, present

path, tables = style.read()
recovered, certified = tables["recovered"], tables["certificates"]
convex = pd.concat(
    [table for key, table in tables.items() if key.startswith("convex_")], ignore_index=True
)
exact = convex[~convex.architecture.isin(["unpooled", "two_relu_shared"])]
fig, axes = style.panels(2, height=3.0, sharey=True)
drawn = []


def strip(axis, place, values, i, label=None):
    """One value an instance, spread a little around its place."""
    spread = np.linspace(-0.13, 0.13, len(values))
    axis.plot(
        place + spread,
        np.clip(np.abs(values), FLOOR, None),
        linestyle="",
        marker=style.MARKERS[i],
        markersize=2.6,
        color=style.COLOURS[i],
        label=label,
    )


names = [name(architecture) for _, architecture in present(convex)]
for place, (_, architecture) in enumerate(present(convex)):
    rows = convex[convex.architecture == architecture]
    known = certified[certified.architecture == architecture]
    dual = (
        known[known.study == "convex"].gap if len(known) else 1 - rows.dual_bound / rows.objective
    )
    judged = architecture in set(exact.architecture)
    strip(axes[0], place, dual, 0 if judged else 3, {0: "exact program", 4: "bracketed"}.get(place))
    drawn.append(rows.assign(quantity="gap", value=1 - rows.dual_bound / rows.objective))
    few = known[known.study == "restricted"]
    if len(few):
        strip(axes[0], place, few.gap, 1, "cells of ten gates (2x)" if not place else None)
    back = recovered[recovered.architecture == architecture]
    if len(back):
        mapped = excess(back[back.study == "mapped"])
        strip(axes[1], place, mapped, 0, "square-root map" if not place else None)
        plain = excess(back[back.study == "unbalanced"])
        strip(axes[1], place, plain, 1, "all scale in $u$ (3x)" if not place else None)
    elif judged:
        strip(axes[1], place, excess(rows), 0)
for axis in axes:
    axis.axhline(1e-8, **style.THEORY)
    axis.set(yscale="log", xticks=range(len(names)), ylim=(FLOOR / 3, 1e7))
    axis.set_xticklabels(names, rotation=35, ha="right", rotation_mode="anchor")
    axis.legend(loc="upper left", ncols=2, columnspacing=1, handletextpad=0.3)
axes[0].set(ylabel="duality gap $(p^* - d^*)\\, /\\, p^*$")
axes[1].set(ylabel="|objective of the network $- p^*$| $/\\, p^*$")
style.save(fig, path, [*drawn, recovered, certified], tables)
