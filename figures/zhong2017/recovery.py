"""Claim Z10: where gradient descent recovers W*, from which start, and whether by luck."""

import numpy as np
import pandas as pd

from cnntheory.stats import log_log_slope, wilson
from figures import style
from figures.zhong2017.names import name

SUCCESS = 0.01
path, tables = style.read()
table = pd.concat(tables.values()).drop_duplicates(
    ["activation", "patch_size", "samples", "start", "seed"]
)
table["success"] = table.max_error <= SUCCESS
table["useless"] = table.start_error > 1
squared = table[table.activation == "squared_relu"]
names = {"tensor": "tensor initialisation", "random": "random start", "local": "start 10 % off"}
sizes = sorted(squared.patch_size.unique())
fig, axes = style.plt.subplots(2, 3, figsize=(style.DOUBLE, 5.0), layout="constrained")
drawn = []


def half_point(samples, share):
    """Where a growing share reaches one half, interpolated in log n."""
    return np.exp(np.interp(0.5, np.maximum.accumulate(share), np.log(samples)))


for axis, start in zip(axes[0], names, strict=True):
    rows = squared[squared.start == start]
    if start == "local":
        rows = rows[rows.samples.isin(tables["recovery_local"].samples)]
    cells = rows.groupby(["patch_size", "samples"]).agg(
        success=("success", "mean"), start_error=("start_error", "median"), seeds=("seed", "size")
    )
    share = cells.success.unstack()
    image = axis.imshow(share, cmap="cividis", vmin=0, vmax=1, origin="lower", aspect="auto")
    for (row, column), value in np.ndenumerate(share.to_numpy()):
        if np.isfinite(value):
            cell = cells.loc[(share.index[row], share.columns[column])]
            text = f"{100 * value:.0f}"
            if start != "local":
                text += f"\n{cell.start_error:.2g}"
            colour = "1" if value < 0.55 else "0"
            size = 4.8 if start == "local" else 5.8
            axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
    axis.set(
        xticks=range(share.shape[1]),
        yticks=range(share.shape[0]),
        xlabel="samples $n$",
    )
    axis.set_title(names[start], loc="right")
    axis.set_xticklabels([f"{n:g}" for n in share.columns], rotation=45)
    axis.set_yticklabels([f"{k:g}" for k in share.index])
    axis.grid(False)
    drawn.append(cells.reset_index().assign(start=start, activation="squared_relu"))
for axis in axes[0]:
    axis.set_ylabel("dimension of a patch $k$")
fig.colorbar(image, ax=axes[0, 2], label=f"share with error $\\leq$ {SUCCESS:g} at the end")

luck, success, half = axes[1]
for i, activation in enumerate(table.activation.unique()):
    rows = table[(table.activation == activation) & (table.start == "tensor")]
    luck.plot(
        rows.start_error,
        rows.max_error,
        linestyle="",
        marker=style.MARKERS[i],
        markersize=2.6,
        markerfacecolor="none",
        markeredgewidth=0.6,
        color=style.COLOURS[i],
        label=name(activation),
    )
luck.axhline(SUCCESS, **style.THEORY)
luck.axvspan(1, 12, color="0.5", alpha=0.15, linewidth=0)
luck.set(
    xscale="log",
    yscale="log",
    xlabel="error of the tensor initialisation",
    ylabel="error after descent",
    ylim=(2e-6, None),
)
luck.set_title("skill or luck", loc="right")
luck.legend(title="a point a trial", loc="upper left", handlelength=1)
luck.text(
    0.97,
    0.03,
    "shaded: the start is useless;\nbelow the line: luck of descent",
    transform=luck.transAxes,
    fontsize=6.5,
    ha="right",
)

local = tables["recovery_local"].assign(success=lambda t: t.max_error <= SUCCESS)
middle = []
for i, k in enumerate(sizes):
    cells = local[local.patch_size == k].groupby("samples").success.agg(["sum", "size", "mean"])
    low, high = np.array([wilson(*cell) for cell in cells[["sum", "size"]].to_numpy()]).T
    share = cells["mean"]
    success.errorbar(
        share.index,
        share,
        (share - low, high - share),
        marker=style.MARKERS[i],
        elinewidth=0.7,
        label=f"$k = {k}$",
        **style.look(i),
    )
    middle.append([half_point(share.index, values) for values in (high, share, low)])
    drawn.append(cells.reset_index().assign(patch_size=k, start="local", low=low, high=high))
success.axhline(0.5, color="0.6", linewidth=0.7)
success.set(
    xscale="log",
    xlabel="samples $n$",
    ylabel="share recovered",
    ylim=(-0.03, 1.4),
    yticks=np.arange(0, 1.1, 0.25),
)
success.set_title(f"10 % off, {local.seed.nunique()} trials", loc="right")
shown = sorted(local.samples.unique())[::2]
success.set_xticks(shown, [str(n) for n in shown])
success.minorticks_off()
success.legend(loc="upper left", ncols=2)
sizes = np.array(sizes)
low, middle, high = np.array(middle).T
half.errorbar(
    sizes,
    middle,
    (middle - low, high - middle),
    marker="o",
    linestyle="",
    color=style.COLOURS[0],
    label="measured",
)
level = np.exp(np.log(middle / sizes).mean())
half.plot(sizes, level * sizes, label="slope 1", **style.THEORY)
half.text(
    0.95,
    0.06,
    f"measured slope {log_log_slope(sizes, middle):.2f}",
    ha="right",
    fontsize=6.5,
    transform=half.transAxes,
)
half.set(
    xscale="log",
    yscale="log",
    xlabel="dimension of a patch $k$",
    ylabel=r"$n_{50}$, samples for half of the trials",
)
half.set_title("10 % off", loc="right")
half.set_xticks(sizes, [str(k) for k in sizes])
half.set_yticks(shown, [str(n) for n in shown])
half.minorticks_off()
half.legend(loc="upper left")
drawn.append(
    pd.DataFrame(
        {"patch_size": sizes, "median": middle, "low": low, "high": high, "start": "local, n_50"}
    )
)
for letter, axis in zip("abcdef", axes.ravel(), strict=True):
    axis.set_title(f"({letter})", loc="left", fontweight="bold")
style.save(fig, path, drawn, tables)
