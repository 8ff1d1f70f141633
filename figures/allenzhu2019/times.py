"""P3: how long training takes, against the number of images, the depth and the separation."""

import numpy as np
import pandas as pd

from figures import style
from figures.allenzhu2019.names import median_curve, plain_ticks, power_line, room, sizes, ticks

path, tables = style.read()
samples, depth = tables["times_samples"], tables["times_depth"]
pairs = pd.concat([tables["times_pairs"], tables["times_wide_pairs"]])
pairs = pairs[pairs.depth == pairs.depth.min()]
fig, (images, layers, distances) = style.panels(
    3, height=2.9, gridspec_kw={"width_ratios": [1, 0.8, 1.25]}
)
drawn = []


def both(axis, rows, x, i, name="", power=False):
    """Measured and kernel-predicted time of one setting."""
    for column, fill, what in (
        ("iterations", "full", "measured"),
        ("kernel_iterations", "none", "kernel"),
    ):
        drawn.append(
            median_curve(axis, rows, x, column, i, f"{what}{name}", fill, power=power).assign(
                panel=axis.get_title("left")
            )
        )


both(images, samples, "samples", 0, power=True)
both(layers, depth, "depth", 0)
for i, width in sizes(pairs.width):
    both(distances, pairs[pairs.width == width], "delta", i, f", $m={width}$", power=True)

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
    room(axis, above=0.32)
    axis.set_title(f"{rows.groupby(['seed', 'subset']).ngroups} trials", loc="right")
    axis.legend(loc="upper right", handlelength=1.8, borderaxespad=0)
style.save(fig, path, drawn, tables)
