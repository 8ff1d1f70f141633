"""Three-layer circular networks on images, and certificates of circular programs."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    signals, pictures = tables["circular_certificates"], tables["circular_images"]
    at16, images = claims["9e"].rows(signals), claims["9e-images"].rows(pictures)
    longer = signals.drop(at16.index).groupby("dimension").gap.max()
    said = ", ".join(f"{gap:.1g} at d = {d}" for d, gap in longer.items())
    accuracies = pictures.accuracy.median()
    return {
        "9e": exactly(
            at16.gap.max(),
            seeds=len(at16),
            note=f"Shown, not judged: {said}." if said else "",
        ),
        "9e-images": exactly(
            images.gap.max(),
            seeds=images.seed.nunique(),
            data=images["data"].iloc[0],
            note=f"Test accuracy {accuracies:.1%} (median).",
        ),
        "bound": claims["9e"].at_most,
    }


def draw(findings, tables):
    curves, timing = tables["circular_image_curves"], tables["circular_image_timing"]
    optimum = tables["circular_images"].set_index("seed").loc[curves.seed.iloc[0]]
    fig, axes = style.panels(3, height=2.6)
    clock = timing[timing.method == "sgd"][["iteration", "seconds"]]
    runs = curves.merge(clock, on="iteration")
    runs = runs[runs.seconds > 0]
    solver = timing[timing.method == "convex"].seconds.iloc[0]
    for axis, quantity in zip(axes, ("objective", "accuracy"), strict=False):
        for restart, run in runs.groupby("restart"):
            label = "SGD, one line a start" if not restart else None
            axis.plot(run.seconds, run[quantity], linewidth=0.9, label=label, color="0.6")
        axis.axhline(optimum[quantity], label="certified optimal network", **style.THEORY)
        star = dict(marker="*", markersize=10, color=style.COLOURS[0], linestyle="", zorder=6)
        axis.plot(solver, optimum[quantity], label="convex solver", **star)
        axis.set(xscale="log", xlabel="time (s)")
    axes[0].set(ylabel="training objective")
    axes[0].set_title("(a) SGD comes to the optimum", loc="left")
    axes[1].set(ylabel="test accuracy", ylim=(None, 1.0))
    axes[1].set_title("(b) on new images", loc="left")
    draw_gaps(axes[2], findings, tables)
    handles, labels = axes[0].get_legend_handles_labels()
    more, said = axes[2].get_legend_handles_labels()
    fig.legend(handles + more, labels + said, loc="outside lower center", ncols=5, columnspacing=1)
    return fig, [runs, tables["circular_certificates"], tables["circular_images"]]


def draw_gaps(axis, findings, tables):
    """Duality gaps, a mark a data set: signals by their length, and the images."""
    signals = tables["circular_certificates"]
    lengths = sorted(signals.dimension.unique())
    for i, (layers, rows) in enumerate(signals.groupby("layers")):
        for place, d in enumerate(lengths):
            values = rows[rows.dimension == d].gap.abs()
            label = f"signals, $L = {layers}$" if not place else None
            strip(axis, place + 0.3 * (i - 0.5), values, style.MARKERS[i], style.COLOURS[i], label)
    images = tables["circular_images"]
    strip(axis, len(lengths), images.gap.abs(), "D", style.COLOURS[2], "images, $L = 3$")
    axis.axhspan(FLOOR / 3, findings["bound"], color="0.93", zorder=0)
    axis.set(yscale="log", ylim=(FLOOR / 3, 1e-5), ylabel="duality gap / objective")
    names = [f"$d = {d}$" for d in lengths] + ["images"]
    axis.set_xticks(range(len(names)), names)
    axis.set_xlim(-0.5, len(names) - 0.5)
    axis.set_title("(c) certified, below 1e-8", loc="left")


def strip(axis, place, values, marker, colour, label):
    """One value a data set, spread a little around its place."""
    spread = place + np.linspace(-0.1, 0.1, len(values))
    values = values.clip(lower=FLOOR)
    axis.plot(spread, values, linestyle="", marker=marker, color=colour, label=label, markersize=3)


if __name__ == "__main__":
    study.main(judge, draw)
