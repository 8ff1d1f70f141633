"""T4: seconds of the tensor initialisation against the dimension, drawn and not judged."""

import numpy as np
import pandas as pd

from workflow.studies import study, style
from workflow.studies.zhong2017.names import look, present


def draw(findings, tables):
    table = tables["tensor_timing"]
    k, r = table.patch_size.min(), table.patches.min()
    ways = {
        "more patches cost at most in proportion": table[table.patch_size == k],
        "so do longer patches of these sizes": table[table.patches == r],
    }
    fig, axes = style.panels(2, height=2.5, sharey=True)
    drawn = []
    for letter, axis, (way, rows) in zip("ab", axes, ways.items(), strict=True):
        style.title(axis, letter, way)
        drawn += draw_seconds(axis, rows)
    axes[0].set_ylabel("seconds on one core")
    style.corner(axes[0], f"$k = {k}$; {table.seed.nunique()} runs a point", "lower right")
    style.corner(axes[1], f"$r = {r}$", "lower right")
    style.legend_below(fig)
    return fig, drawn


def draw_seconds(axis, rows):
    drawn = []
    for activation in present(rows):
        chosen = rows[rows.activation == activation]
        seconds = chosen.groupby(chosen.patch_size * chosen.patches).seconds
        found = seconds.agg(["median", "min", "max"])
        reach = (found["median"] - found["min"], found["max"] - found["median"])
        axis.errorbar(found.index, found["median"], reach, elinewidth=0.8, **look(activation))
        d = np.array([found.index.min(), found.index.max()])
        line = found["median"].iloc[0] * d / d[0]
        axis.plot(d, line, label="theory: in proportion to $d$", **style.THEORY)
        drawn.append(found.rename_axis("dimension").reset_index().assign(curve=activation))
    axis.set(xscale="log", yscale="log", xlabel="dimension $d = r k$")
    style.ticks(axis, rows.patch_size * rows.patches)
    style.plain_ticks(axis, "y")
    return [pd.concat(drawn).assign(longer=rows.patch_size.nunique() > 1)]


if __name__ == "__main__":
    study.main(draw=draw)
