"""Claim 6: exact numbers of sign patterns beside Cover's formula, the bound and the time."""

import pandas as pd

from cnntheory.stats import log_log_slope
from figures import style

path, tables = style.read()
table, timing = tables["arrangements"], tables["solver_timing"]
fig, (counts, bounds, seconds) = style.panels(3, height=2.7)
general = table[table.study == "general"]
drawn = []
for i, (h, rows) in enumerate(general.groupby("patch_size")):
    means = rows.groupby("rows").cells.mean()
    formula = rows.groupby("rows").formula.first()
    counts.plot(formula.index, formula, **style.THEORY)
    counts.plot(
        means.index,
        means,
        linestyle="",
        marker=style.MARKERS[i],
        color=style.COLOURS[i],
        label=f"$h = {h}$, slope $\\to$ {h - 1}",
    )
    ratio = (rows.bound / rows.cells).groupby(rows.rows).mean()
    bounds.plot(
        ratio.index,
        ratio,
        marker=style.MARKERS[i],
        label=f"bound / $P$, $h = {h}$",
        **style.look(i),
    )
    drawn += [means.reset_index().assign(patch_size=h), ratio.reset_index(name="ratio")]
for j, (study, label) in enumerate((("plane", "$P$ / Cover, in a plane (6x)"),)):
    rows = table[table.study == study]
    ratio = (rows.cells / rows.formula).groupby(rows.rows).mean()
    bounds.plot(ratio.index, ratio, marker=style.MARKERS[4 + j], label=label, **style.look(4 + j))
    drawn.append(ratio.reset_index(name="ratio").assign(study=study))
full = table[table.study == "full"].groupby("rows").cells.mean()
counts.plot(
    full.index,
    full,
    linestyle="",
    marker="x",
    markersize=5,
    color=style.COLOURS[3],
    label="fully connected, $d = 4$ (6y)",
)
counts.plot([], [], label="Cover's formula", **style.THEORY)
counts.set(
    xscale="log", yscale="log", xlabel="rows $N = nK$", ylabel="sign patterns $P$", ylim=(1, 1e8)
)
counts.legend(loc="upper left", labelspacing=0.25)
bounds.axhline(1, color="0.4", linewidth=0.8)
bounds.set(
    xscale="log",
    yscale="log",
    xlabel="rows $N = nK$",
    ylabel="ratio",
    ylim=(None, 3e6),
)
bounds.legend(loc="upper left", labelspacing=0.25)
for axis in (counts, bounds):
    axis.set_xticks(ticks := [3, 10, 30, 100], [str(tick) for tick in ticks])
    axis.minorticks_off()
K = int(timing.patches.iloc[0])
for i, (h, by_size) in enumerate(timing.groupby("patch_size")):
    for j, (quantity, rows) in enumerate(by_size.groupby("quantity", sort=False)):
        value = rows.groupby("samples").seconds.median()
        last = value[-2:]
        slope = float(log_log_slope(last.index.to_numpy(), last.to_numpy()))
        seconds.plot(
            value.index,
            value,
            marker=style.MARKERS[2 * i + j],
            label=f"$h = {h}$, {quantity}, {slope:.1f}",
            **style.look(2 * i + j),
        )
        drawn.append(value.reset_index().assign(patch_size=h, quantity=quantity))
seconds.set(xscale="log", yscale="log", xlabel=f"samples $n$, $K = {K}$", ylabel="time (s)")
seconds.set_xticks(sizes := sorted(timing.samples.unique()), [f"{n}" for n in sizes])
seconds.minorticks_off()
top = timing.seconds.max()
seconds.set_ylim(top=300 * top)
seconds.legend(loc="upper left", title="last number: slope at the end", labelspacing=0.25)
style.save(fig, path, [pd.concat(drawn)], tables)
