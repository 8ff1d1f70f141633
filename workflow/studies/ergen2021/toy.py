"""The toy figure as we understand it: SGD with few, medium and many filters against time."""

import numpy as np

from workflow.studies import study, style

AMOUNTS = ("few", "more", "many")


def draw(findings, tables):
    curves, timing = tables["toy"], tables["toy_timing"]
    runs = curves[curves.method == "sgd"].merge(
        timing[["width", "iteration", "seconds"]], on=["width", "iteration"]
    )
    optimum, mapped = (
        curves[curves.method == method].objective.iloc[0] for method in ("convex", "mapped")
    )
    solver = timing[timing.method == "convex"].seconds.iloc[0]
    widths = sorted(runs.width.unique())
    fig, axes = style.panels(len(widths), height=2.9, sharey=True)
    names = AMOUNTS if len(widths) == len(AMOUNTS) else widths
    for i, (axis, width) in enumerate(zip(axes, widths, strict=True)):
        rows = runs[(runs.width == width) & (runs.seconds > 0)]
        above = draw_runs(axis, rows) / optimum - 1
        said = f"{names[i]} filters: the best start ends {above:.0%} above"
        style.title(axis, "abcdefghij"[i], said)
        axis.axhline(optimum, label="theory: optimum of the convex program", **style.THEORY)
        star = style.measured(1, marker="*", markersize=11, linestyle="", zorder=7)
        label = "network mapped back from it, at the solver's time"
        axis.plot(solver, mapped, label=label, markeredgecolor="white", **star)
        axis.set(xscale="log", yscale="log", xlabel="time (s)")
    axes[0].set_ylabel("training objective")
    style.plain_ticks(axes[0], "y")
    style.legend_below(fig)
    # A start may diverge: it leaves the picture at the height of the highest start.
    finite = runs[np.isfinite(runs.objective) & (runs.iteration > 0)]
    high = min(finite.objective.max(), runs[runs.iteration == 0].objective.max())
    axes[0].set_ylim(0.85 * min(optimum, runs.objective.min()), 1.6 * high)
    return fig, [runs, curves[curves.method != "sgd"], timing]


def draw_runs(axis, rows):
    """All starts of SGD in grey, the one that ends lowest in blue; where it ends."""
    last = rows[rows.iteration == rows.iteration.max()].set_index("restart").objective
    look = {"highlight": last.idxmin(), "label": "SGD, the start that ends lowest"}
    style.runs(axis, rows, "seconds", "objective", by="restart", **look)
    axis.plot([], [], color="0.7", linewidth=0.6, label="SGD, other starts")
    lost = int((~np.isfinite(last)).sum())
    said = f"; {lost} diverge" if lost else ""
    style.corner(axis, f"$m = {rows.width.iloc[0]}$, {len(last)} starts{said}")
    return last.min()


if __name__ == "__main__":
    study.main(draw=draw)
