"""T4: seconds of the tensor initialisation against the dimension, drawn and not judged."""

import numpy as np
import pandas as pd

from workflow.studies import study, style
from workflow.studies.zhong2017.names import name


def draw(findings, tables):
    table = tables["tensor_timing"]
    k, r = table.patch_size.min(), table.patches.min()
    ways = {
        "more patches": table[table.patch_size == k],
        "longer patches": table[table.patches == r],
    }
    activations = list(dict.fromkeys(table.activation))
    fig, axes = style.panels(2, height=2.4, sharey=True)
    drawn = []
    for axis, (way, rows) in zip(axes, ways.items(), strict=True):
        for i, activation in enumerate(activations):
            chosen = rows[rows.activation == activation]
            seconds = chosen.groupby(chosen.patch_size * chosen.patches).seconds
            found = pd.DataFrame(
                {"median": seconds.median(), "low": seconds.min(), "high": seconds.max()}
            )
            reach = (found["median"] - found.low, found.high - found["median"])
            axis.errorbar(
                found.index,
                found["median"],
                reach,
                marker=style.MARKERS[i],
                color=style.COLOURS[i],
                label=name(activation),
            )
            drawn.append(
                found.rename_axis("dimension").reset_index().assign(curve=activation, way=way)
            )
        d = np.sort((rows.patch_size * rows.patches).unique())
        level = drawn[-1]["median"].iloc[0]
        axis.plot(d, level * d / d[0], label="in proportion to $d$", **style.THEORY)
        axis.set(xscale="log", yscale="log", xlabel="dimension $d = r k$")
        axis.set_xticks(d, [str(value) for value in d])
        axis.minorticks_off()
        axis.set_title(way, loc="right")
    axes[0].set_ylabel("seconds")
    axes[0].legend(loc="upper left")
    return fig, drawn


if __name__ == "__main__":
    study.main(draw=draw)
