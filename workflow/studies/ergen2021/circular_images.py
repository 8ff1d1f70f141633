"""Three-layer circular networks on images, and certificates of circular programs."""

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, judged, strip
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
    fig, (objective, accuracy, gaps) = style.panels(3, height=3.1)
    style.title(objective, "a", "SGD comes near the certified optimum")
    style.title(accuracy, "b", "and near its accuracy on new images")
    style.title(gaps, "c", "all these optima are certified")
    clock = timing[timing.method == "sgd"][["iteration", "seconds"]]
    runs = curves.merge(clock, on="iteration").query("seconds > 0")
    solver = timing[timing.method == "convex"].seconds.iloc[0]
    for axis, quantity in ((objective, "objective"), (accuracy, "accuracy")):
        style.runs(axis, runs, "seconds", quantity, by="restart", label="SGD, a start")
        value = optimum[quantity]
        axis.axhline(value, label="theory: certified optimum", **style.THEORY)
        star = style.measured(1, marker="*", markersize=11, linestyle="", zorder=7)
        axis.plot(solver, value, label="convex solver's time", markeredgecolor="white", **star)
        axis.set(xscale="log", xlabel="time (s)")
    objective.set(ylabel="training objective", yscale="log")
    style.plain_ticks(objective, "y")
    accuracy.set(ylabel="test accuracy", ylim=(runs.accuracy.min() - 0.02, 1.0))
    draw_gaps(gaps, findings, tables)
    style.legend_below(fig)
    return fig, [runs, tables["circular_certificates"], tables["circular_images"]]


def draw_gaps(axis, findings, tables):
    """Duality gaps, a mark a data set: signals by their length, and the images."""
    signals, pictures = tables["circular_certificates"], tables["circular_images"]
    lengths = sorted(signals.dimension.unique())
    for i, (layers, rows) in enumerate(signals.groupby("layers")):
        for place, d in enumerate(lengths):
            values = rows[rows.dimension == d].gap.abs().clip(lower=FLOOR)
            look, label = style.measured(i), None if place else f"signals, $L = {layers}$"
            strip(axis, place + 0.34 * (i - 0.5), values, look, label, 0.22)
    values = pictures.gap.abs().clip(lower=FLOOR)
    strip(axis, len(lengths), values, style.measured(2), "images, $L = 3$", 0.4)
    style.criterion(axis, at_most=findings["bound"])
    axis.set(yscale="log", ylim=(None, 1e-6), ylabel="duality gap / objective")
    axis.set_xticks(range(len(lengths) + 1), [*(f"$d = {d}$" for d in lengths), "images"])
    axis.set_xlim(-0.5, len(lengths) + 0.5)
    judged(axis, findings["9e"], "$d = 16$:\nlargest {}", (0.02, 0.94))
    judged(axis, findings["9e-images"], "images:\nlargest {}", (0.98, 0.94))


if __name__ == "__main__":
    study.main(judge, draw)
