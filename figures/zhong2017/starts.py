"""Claim Z11: objective against iterations for the three starts, and how many of them arrive."""

import numpy as np
import pandas as pd

from cnntheory.stats import wilson
from figures import style
from figures.zhong2017.names import name as activation_name

SUCCESS = 0.01
STARTS = {"tensor": "tensor", "random": "random", "local": "10 % off"}
path, tables = style.read()
problems = {}
for name, table in tables.items():
    if not name.endswith("_curves"):
        first = table.iloc[0]
        thousands = f"{first.samples / 1000:g}\\,000"
        problems[name] = activation_name(first.activation), first.kernels, thousands
fig, axes = style.plt.subplots(2, 3, figsize=(style.DOUBLE, 4.8), layout="constrained")
objectives, bars, luck = [axes[0, 0], axes[0, 1], axes[1, 0], axes[1, 1]], axes[0, 2], axes[1, 2]
drawn = []

for axis, (name, (activation, t, n)) in zip(objectives, problems.items(), strict=True):
    table = tables[f"{name}_curves"]
    table = table.assign(iteration=table.iteration + 1)
    for i, (start, label) in enumerate(STARTS.items()):
        rows = table[table.start == start]
        wide = rows.pivot(index="iteration", columns="seed", values="loss").clip(lower=1e-14)
        axis.plot(wide, color=style.COLOURS[i], linewidth=0.35, alpha=0.35, rasterized=True)
        axis.plot(wide.median(axis=1), label=label, **style.look(i))
        drawn.append(
            wide.quantile([0.1, 0.5, 0.9], axis=1)
            .T.set_axis(["low", "median", "high"], axis=1)
            .reset_index()
            .assign(curve=label, problem=name)
        )
    axis.set(
        xscale="log",
        yscale="log",
        ylim=(1e-12, None),
        xlabel="iterations + 1",
    )
    axis.set_title(f"{activation}, $k = t = {t}$, $n = {n}$", loc="right", fontsize=7)
objectives[0].set_ylabel("objective $f_D(W)$")
objectives[2].set_ylabel("objective $f_D(W)$")
seeds = table.seed.nunique()
objectives[0].legend(loc="lower left", title=f"median of {seeds} trials")

for i, (start, label) in enumerate(STARTS.items()):
    counts = []
    for name in problems:
        rows = tables[name][tables[name].start == start]
        counts.append(((rows.max_error <= SUCCESS).sum(), len(rows)))
        luck.plot(
            rows.start_error,
            rows.max_error.clip(lower=1e-8),
            linestyle="",
            marker=style.MARKERS[i],
            markersize=2.6,
            markerfacecolor="none",
            markeredgewidth=0.6,
            color=style.COLOURS[i],
            label=label if name == next(iter(problems)) else None,
        )
    share = np.array([s / n for s, n in counts])
    low, high = np.array([wilson(*count) for count in counts]).T
    at = np.arange(len(problems)) + 0.27 * (i - 1)
    bars.bar(
        at,
        share,
        width=0.25,
        color=style.COLOURS[i],
        edgecolor="0.15",
        linewidth=0.5,
        hatch=("", "////", "....")[i],
        label=label,
    )
    bars.errorbar(at, share, (share - low, high - share), linestyle="", color="0.1", elinewidth=0.9)
    drawn.append(
        pd.DataFrame(
            {"curve": label, "problem": list(problems), "share": share, "low": low, "high": high}
        )
    )
bars.set(
    xticks=range(len(problems)),
    ylim=(0, 1.35),
    yticks=np.arange(0, 1.1, 0.25),
    ylabel=f"share with error $\\leq$ {SUCCESS:g}",
    title=f"{seeds} trials a bar",
    xlabel="activation, $t$, samples $n$",
)
bars.set_xticklabels(
    [f"{activation}\n$t = {t}$\n${n}$" for activation, t, n in problems.values()], fontsize=6
)
bars.set_axisbelow(True)
bars.grid(axis="x", visible=False)
bars.legend(loc="upper center", ncols=3, handlelength=1.2, columnspacing=0.8)
luck.axhline(SUCCESS, **style.THEORY)
luck.set(
    xscale="log",
    yscale="log",
    xlabel="error of the start",
    ylabel="error after descent",
    title="all four problems",
)
luck.legend(loc="center left", handlelength=1)
for letter, axis in zip("abcdef", axes.ravel(), strict=True):
    axis.set_title(f"({letter})", loc="left", fontweight="bold")
style.save(fig, path, drawn, tables)
