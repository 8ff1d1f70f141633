"""Objective and test accuracy of average pooling on row profiles of images: a figure of ours."""

import pandas as pd

from workflow.studies import study, style


def draw(findings, tables):
    table, curves, timing = (tables[f"image_{part}"] for part in ("profiles", "curves", "timing"))
    fractions = sorted(curves.beta_fraction.unique(), reverse=True)
    fig, axes = style.panels(2, rows=len(fractions), height=0.5 + 2.4 * len(fractions))
    drawn = []
    for fraction, letters, row in zip(
        fractions, ("ab", "cd", "ef"), axes.reshape(-1, 2), strict=False
    ):
        runs, clock = (part[part.beta_fraction == fraction] for part in (curves, timing))
        solver = clock[clock.method == "convex"].iloc[0]
        clock = clock[clock.method == "sgd"][["iteration", "seconds"]]
        runs = runs.merge(clock, on="iteration").query("seconds > 0")
        # The networks that were trained on the images of the curves.
        own = pd.Series({"method": "convex", "samples": runs.samples.iloc[0], "seed": solver.seed})
        optimum = table[table.beta_fraction == fraction]
        optimum = optimum[(optimum[own.index] == own).all(axis=1)].iloc[0]
        drawn.append(runs)
        for axis, quantity in zip(row, ("objective", "accuracy"), strict=True):
            look = {"by": "restart", "label": "SGD, a start"}
            style.runs(axis, runs, "seconds", quantity, **look)
            value = optimum[quantity]
            axis.axhline(value, label="theory: certified optimal network", **style.THEORY)
            star = style.measured(1, marker="*", markersize=11, linestyle="", zorder=7)
            label = "the convex solver's time, enumeration included"
            axis.plot(solver.seconds, value, label=label, markeredgecolor="white", **star)
            axis.set(xscale="log", xlabel="time (s)")
        style.corner(row[0], rf"$\beta = {fraction:g}\,\beta_{{\max}}$, $n = {own.samples}$")
        style.title(row[0], letters[0], "SGD comes to the certified optimum")
        style.title(row[1], letters[1], "and to its accuracy on new images")
        row[0].set(yscale="log", ylabel="training objective")
        style.plain_ticks(row[0], "y")
        row[1].set(ylabel="test accuracy", ylim=(runs.accuracy.min() - 0.05, 1.005))
    style.legend_below(fig)
    return fig, drawn


if __name__ == "__main__":
    study.main(draw=draw)
