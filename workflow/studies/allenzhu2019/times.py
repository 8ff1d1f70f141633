"""P3: how long training takes, against the number of images, the depth and the separation."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import farthest, medians_by, slope
from workflow.studies.allenzhu2019.looks import (
    median_curve,
    plain_ticks,
    power_line,
    room,
    sizes,
    ticks,
)

TIMES = {"iterations": "measured", "kernel_iterations": "kernel"}


def judge(tables, claims, rng):
    samples, pairs = (
        table.assign(ratio=table.iterations / table.kernel_iterations)
        for table in (tables["times_samples"], tables["pairs"])
    )

    def ratios(claim, table, x):
        found = medians_by(claim.rows(table), x, "ratio", rng)
        return farthest(found, claim, f"At {x} {{}}.")

    judged = {
        "P3-samples": ratios(claims["P3-samples"], samples, "samples"),
        "P3-delta": ratios(claims["P3-delta"], pairs, "delta"),
        "P3-kernel": slope(claims["P3-kernel"].rows(pairs), "delta", "kernel_iterations", rng),
    }
    # Slopes in the number of images, and in delta by width.
    in_samples = {time: slope(samples, "samples", time, rng) for time in TIMES}
    pairs = pairs[pairs.iterations.notna()]  # of the others only the kernel was computed
    narrow = pairs[pairs.depth == pairs.depth.min()]
    in_delta = {
        (time, width): slope(rows, "delta", time, rng)
        for time in TIMES
        for width, rows in narrow.groupby("width")
    }
    for width in claims["P3-kernel"].rows(pairs).width.unique():
        in_delta["kernel_iterations", width] = judged["P3-kernel"]
    return judged | {"in samples": in_samples, "in delta": in_delta}


def draw(findings, tables):
    samples, depth = tables["times_samples"], tables["times_depth"]
    pairs = tables["pairs"]
    pairs = pairs[(pairs.depth == pairs.depth.min()) & pairs.iterations.notna()]
    pairs = pairs[pairs.width.isin((256, pairs.width.max()))]
    fig, (images, layers, distances) = style.panels(
        3, height=3.3, gridspec_kw={"width_ratios": [1, 0.8, 1.25]}
    )
    drawn = []

    def both(axis, rows, x, i, name="", slopes=None):
        """Measured and kernel-predicted time of one setting."""
        for (column, what), fill in zip(TIMES.items(), ("full", "none"), strict=True):
            slope = slopes[column] if slopes else None
            drawn.append(
                median_curve(
                    axis, rows, x, column, i, f"{what}{name}", fill, slope, narrow=True
                ).assign(panel=axis.get_title("left"))
            )

    both(images, samples, "samples", 0, slopes=findings["in samples"])
    both(layers, depth, "depth", 0)
    for i, width in sizes(pairs.width):
        slopes = {time: findings["in delta"][time, width] for time in TIMES}
        both(distances, pairs[pairs.width == width], "delta", i, f", $m={width}$", slopes)

    start = samples[samples.samples == samples.samples.min()]
    n = start.samples.iloc[0]
    power_line(images, [n, 1.9 * n], 1.3 * start.iterations.median(), 6, "slope 6")
    close = pairs[pairs.delta == pairs.delta.min()]
    ends = close.delta.iloc[0] * np.array([1, 1.5])
    for exponent in (1, 2):
        level = 0.3 * close.kernel_iterations.median()
        power_line(distances, ends, level, -exponent, f"slope \N{MINUS SIGN}{exponent}")
    images.set(xlabel="number of images $n$", ylabel="iterations until $F_t = 10^{-3} F_0$")
    layers.set(xlabel="depth $L$")
    distances.set(xlabel=r"distance $\delta$ within a pair")
    for axis, rows, column in (
        (images, samples, "samples"),
        (layers, depth, "depth"),
        (distances, pairs, "delta"),
    ):
        axis.set(xscale="log", yscale="log")
        ticks(axis, rows[column])
        plain_ticks(axis, "y")
        room(axis, above=0.45)
        axis.set_title(f"{rows.groupby(['seed', 'subset']).ngroups} trials", loc="right")
        axis.legend(loc="upper right", handlelength=1.8, borderaxespad=0)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
