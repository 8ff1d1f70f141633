"""The six panels that the landscape figures of all networks and labels share."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import MaxNLocator

from workflow.studies import style

EDGE = {"linewidth": 0.25, "edgecolor": "0.35", "antialiased": True}
# The light part of a map that grows lighter in grey too; dark lines stay visible on it.
HEIGHT = LinearSegmentedColormap.from_list(
    "height", style.plt.get_cmap("cividis")(np.linspace(0.35, 1, 64))
)

LINES = ["along the gradient", "along the most negative curvature", "$W$"]


def draw(findings, tables):
    """Draw the squares around W in the order of training, for the first seed of a table.

    Parameters
    ----------
    findings : dict
        Not used: nothing is judged.
    tables : dict of DataFrame
        A table of squares and its summary, as the step `landscape` writes them.
    """
    summary = next(table for name, table in tables.items() if name.endswith("_summary"))
    squares = next(table for name, table in tables.items() if not name.endswith("_summary"))
    summary = summary[(summary.point == "trained") & (summary.seed == summary.seed.min())]
    squares = squares[(squares.point == "trained") & (squares.seed == summary.seed.iloc[0])]
    solid = {"projection": "3d", "computed_zorder": False}
    fig, axes = style.panels(-(-len(summary) // 2), rows=2, height=4.6, subplot_kw=solid)
    fig.get_layout_engine().set(w_pad=0.12)
    for axis in axes[len(summary) :]:
        axis.remove()
    for letter, axis, panel in zip("abcdefgh", axes, summary.itertuples(), strict=False):
        square = squares[squares.epoch == panel.epoch]
        wide = square.pivot(index="along_gradient", columns="along_curved", values="loss")
        surface(axis, wide, panel.loss)
        style.title(axis, letter, f"epoch {panel.epoch}, $F(W) = {panel.loss:#.3g}$")
    style.legend_below(fig, handles=axes[0].get_lines(), labels=LINES)
    return fig, [squares.drop(columns=["point", "data"])]


def surface(axis, wide, loss):
    """One square: the surface, its two axes through W, and the blue stick that marks W."""
    x, y, z = wide.index.to_numpy(), wide.columns.to_numpy(), wide.to_numpy()
    X, Y = np.meshgrid(x, y, indexing="ij")
    centre = len(x) // 2
    axis.plot_surface(X, Y, z, cmap=HEIGHT, rstride=1, cstride=1, shade=False, **EDGE)
    zero = np.zeros(len(x))
    axis.plot(x, zero, z[:, centre], color=style.MEASURED[1], linewidth=1.2, zorder=4)
    axis.plot(zero, y, z[centre], color=style.MEASURED[2], linewidth=0.8, zorder=4)
    low, high = z.min(), z.max()
    top = high + 0.1 * (high - low)
    axis.plot([0, 0], [0, 0], [loss, top], color=style.MEASURED[0], linewidth=2.2, zorder=5)
    axis.set_zlim(low, top)
    axis.view_init(elev=36, azim=125)
    axis.set_box_aspect((1, 1, 0.8), zoom=0.86)
    axis.tick_params(labelsize=style.SMALL, pad=-3.5)
    axis.tick_params(axis="z", pad=-1.5)
    axis.zaxis.set_major_locator(MaxNLocator(4, prune="both"))
    tick = float(f"{0.6 * x[-1]:.1g}")  # away from the corner that two axes share
    axis.set(xticks=[-tick, 0, tick], yticks=[-tick, 0, tick])
    axis.set_xlabel(r"$x$: gradient", labelpad=-7, fontsize=style.SMALL)
    axis.set_ylabel(r"$y$: neg. curvature", labelpad=-6, fontsize=style.SMALL)
    axis.set_zlabel("$F$", labelpad=-5, fontsize=style.SMALL)
