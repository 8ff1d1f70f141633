"""The toy figure as we understand it: SGD with few, medium and many filters against time."""

import numpy as np

from workflow.studies import study, style


def draw(findings, tables):
    curves, timing = tables["toy"], tables["toy_timing"]
    runs = curves[curves.method == "sgd"]
    optimum = curves[curves.method == "convex"].objective.iloc[0]
    mapped = curves[curves.method == "mapped"].objective.iloc[0]
    solver = timing[timing.method == "convex"].iloc[0]
    widths = sorted(runs.width.unique())
    fig, axes = style.panels(len(widths), height=2.7, sharey=True)
    words = dict(zip(widths, ("few", "medium", "many"), strict=False))
    drawn = []
    for axis, width in zip(axes, widths, strict=True):
        rows = runs[runs.width == width].merge(
            timing[timing.width == width][["iteration", "seconds"]], on="iteration"
        )
        drawn.append(rows)
        for restart, run in rows.groupby("restart"):
            run = run[run.seconds > 0]
            axis.plot(
                run.seconds,
                run.objective,
                linewidth=0.9,
                label="SGD, one line a start" if not restart else None,
                **style.look(restart),
            )
        axis.axhline(optimum, label="optimum of the convex program", **style.THEORY)
        axis.axhline(
            mapped,
            color=style.COLOURS[3],
            linestyle=(0, (1, 2)),
            linewidth=2.2,
            zorder=4,
            label="network mapped back from it",
        )
        axis.plot(
            solver.seconds,
            optimum,
            marker="*",
            markersize=10,
            color=style.COLOURS[3],
            markeredgecolor="0.1",
            markeredgewidth=0.5,
            linestyle="",
            zorder=6,
            label="convex solver, time to the certified optimum",
        )
        axis.set(xscale="log", yscale="log", xlabel="time (s)")
        axis.set_title(f"{words.get(width, '')}, $m = {width}$", loc="right")
    axes[0].set_ylabel("training objective")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=2)
    low = min(optimum, runs.objective.min())
    # A start may diverge: its line leaves the picture at the height of the highest start.
    finite = runs[np.isfinite(runs.objective)]
    high = min(
        finite[finite.iteration > 0].objective.max(), runs[runs.iteration == 0].objective.max()
    )
    axes[0].set_ylim(low * 0.85, 1.2 * high)
    return fig, [*drawn, curves[curves.method != "sgd"], timing]


if __name__ == "__main__":
    study.main(draw=draw)
