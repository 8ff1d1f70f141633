"""Claim 7: the optimum over the cells of T sampled gates."""

import numpy as np

from figures import style
from figures.ergen2021.names import FLOOR, excess

path, tables = style.read()
table = tables["gates"].assign(excess=lambda t: excess(t))
fig, (gap, coverage) = style.panels(2, height=2.5)
looks = {"nested": (0, "prefixes of one sequence"), "fresh": (1, "drawn anew for each $T$ (7x)")}
drawn = []
for study, (i, label) in looks.items():
    rows = table[table.study == study]
    for seed, run in rows.groupby("seed"):
        gap.plot(
            run.gates,
            run.excess.clip(lower=FLOOR),
            marker=style.MARKERS[i],
            linewidth=0.8,
            alpha=0.8,
            label=label if not seed else None,
            **style.look(i),
        )
    drawn.append(rows)
nested = table[table.study == "nested"].assign(share=lambda t: t.cells / t.all_cells)
drawn.append(style.curve(coverage, nested, "gates", "share", 0, "cells found", markers=True))
gap.axhline(1e-8, **style.THEORY)
gap.set(
    xscale="log",
    yscale="log",
    xlabel="sampled gates $T$",
    ylabel="$(p_T - p^*)\\, /\\, p^*$",
)
gap.set_title(f"{table.seed.nunique()} instances, $n = {table.samples.iloc[0]}$", loc="right")
gap.legend(loc="lower left")
coverage.axhline(1, color="0.4", linewidth=0.8)
coverage.set(
    xscale="log", xlabel="sampled gates $T$", ylabel="share of all cells found", ylim=(0, 1.03)
)
cells = np.unique(nested.all_cells)
count = f"{cells.min()}" if len(cells) == 1 else f"{cells.min()}-{cells.max()}"
coverage.set_title(f"of {count} cells", loc="right")
style.save(fig, path, drawn, tables)
