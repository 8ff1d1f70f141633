"""P3: how long training takes, against the number of images, the depth and the separation."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import farthest, medians_by, slope
from workflow.studies.allenzhu2019.looks import by_width, judged, median_curve, room


def judge(tables, claims, rng):
    samples, pairs = (
        table.assign(ratio=table.iterations / table.kernel_iterations)
        for table in (tables["times_samples"], tables["pairs"])
    )

    def ratios(claim, table, x):
        found = medians_by(claim.rows(table), x, "ratio", rng)
        return farthest(found, claim, f"At {x} {{}}.")

    return {
        "P3-samples": ratios(claims["P3-samples"], samples, "samples"),
        "P3-delta": ratios(claims["P3-delta"], pairs, "delta"),
        "P3-kernel": slope(claims["P3-kernel"].rows(pairs), "delta", "kernel_iterations", rng),
        "claims": claims,
    }


def draw(findings, tables):
    samples, depth = tables["times_samples"], tables["times_depth"]
    pairs = tables["pairs"]
    pairs = pairs[(pairs.depth == pairs.depth.min()) & pairs.iterations.notna()]
    fig, axes = style.panels(3, rows=2, height=4.7, sharex="col")
    above, below = axes[:3], axes[3:]
    wide = pairs.width.max()
    cells = (
        (samples, "samples", "number of images $n$"),
        (depth, "depth", "depth $L$"),
        (pairs[pairs.width == wide], "delta", r"distance $\delta$ within a pair"),
    )
    for axis, letter, text in zip(
        axes,
        "abcdef",
        (
            "far below the theorem's power of $n$",
            "depth does not slow it down at this scale",
            "close pairs with opposite labels take long",
            "a little slower than the frozen kernel, whatever $n$",
            "slower than it at every depth",
            "slower than the frozen kernel where inputs are close",
        ),
        strict=True,
    ):
        style.title(axis, letter, text)
    drawn = []
    for time, share, (rows, x, name) in zip(above, below, cells, strict=True):
        rows = rows.assign(ratio=rows.iterations / rows.kernel_iterations)
        kernel = style.THEORY | {"marker": "", "label": "theory: frozen kernel"}
        widths = sorted(rows.width.unique())
        look = by_width(widths[-1], label=f"measured, $m = {widths[-1]}$")
        drawn.append(median_curve(time, rows, x, "iterations", look))
        drawn.append(median_curve(time, rows, x, "kernel_iterations", kernel))
        drawn.append(median_curve(share, rows, x, "ratio", look))
        share.axhline(1, **style.THEORY)
        share.set(xlabel=name)
        time.set(xscale="log", yscale="log")
        style.ticks(time, rows[x])
        style.plain_ticks(time, "y")
    near = pairs[pairs.width == pairs.width.min()]
    near = near.assign(ratio=near.iterations / near.kernel_iterations)
    look = by_width(near.width.min(), label=f"measured, $m = {near.width.min()}$")
    drawn.append(median_curve(above[2], near, "delta", "iterations", look))
    drawn.append(median_curve(above[2], near, "delta", "kernel_iterations", style.THEORY))
    drawn.append(median_curve(below[2], near, "delta", "ratio", look))
    style.ticks(above[2], pairs.delta)

    first = samples[samples.samples == samples.samples.min()]
    n = first.samples.iloc[0] * np.array([1, 2.2])
    level = 1.5 * first.iterations.median()
    allowed = style.bound(above[0], n, level * (n / n[0]) ** 6, "below", at=1)
    allowed.set_label("theorem: at most $n^6$")
    above[0].set_ylabel("iterations until $F_t = 10^{-3} F_0$")
    below[0].set_ylabel("measured / frozen kernel")
    judged(above[2], findings, "P3-kernel", "kernel: slope", (0.03, 0.09))
    room(above[2], below=0.22)
    for axis, name in ((below[0], "P3-samples"), (below[2], "P3-delta")):
        claim = findings["claims"][name]
        style.criterion(axis, claim.at_least, claim.at_most)
    below[0].set(ylim=(0.75, 1.75))
    below[1].set(ylim=(0.75, 1.75))
    below[2].set(ylim=(0.75, 4.6))
    style.judged(below[0], findings["P3-samples"], "farthest median\n{}", (0.97, 0.06))
    style.judged(
        below[2],
        findings["P3-delta"],
        f"$m = {wide}$, median farthest\nfrom the middle {{}}",
        (0.97, 0.77),
    )
    for axis, rows in zip(below, (samples, depth, pairs), strict=True):
        counts = rows.groupby("width").seed.nunique().unique()
        some = " and ".join(f"{count}" for count in sorted(counts))
        style.corner(axis, f"{some} trials", "upper right")
    style.legend_below(fig)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
