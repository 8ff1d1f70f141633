"""Claim 5: iterations against ((L(0) + 4 beta)/gamma)^2, at one step and at the theorem's own."""

import numpy as np

from cnntheory.stats import log_log_slope
from figures import style

path, tables = style.read()
table = tables["levels"]
fig, axes = style.panels(2)
drawn = []
titles = {
    "fixed": rf"one step, $\eta = {table[table.rule == 'fixed'].step.iloc[0]:g}$",
    "theorem": "theorem's step",
}
for axis, (rule, title) in zip(axes, titles.items(), strict=True):
    rows = table[table.rule == rule].sort_values("complexity")
    wide = rows.pivot(index="seed", columns="complexity", values="iterations")
    median, low, high = style.median_band(wide.to_numpy())
    x = wide.columns.to_numpy()
    axis.errorbar(
        x,
        median,
        (median - low, high - median),
        linestyle="",
        marker="o",
        color=style.COLOURS[0],
        elinewidth=0.8,
    )
    sigmas = rows.drop_duplicates("complexity").sigma.to_numpy()
    # Levels closer than 15 % share a label; labels stand in turn below and above.
    groups = np.split(np.arange(len(x)), np.flatnonzero(np.diff(np.log(x)) > 0.15) + 1)
    for i, group in enumerate(groups):
        names = [r"\infty" if np.isinf(s) else f"{s:g}" for s in sigmas[group]]
        axis.annotate(
            rf"$\sigma = {', '.join(names)}$",
            (x[group[-1]], median[group[-1]]),
            (5, -8) if i % 2 == 0 else (-5, 6),
            fontsize=6,
            textcoords="offset points",
            ha="left" if i % 2 == 0 else "right",
        )
    theory = {"fixed": 0.5, "theorem": 1.0}[rule]
    mean = wide.mean().to_numpy()
    line = np.exp(np.log(mean).mean() + theory * (np.log(x) - np.log(x).mean()))
    axis.plot(x, line, label=f"slope {theory:g} (theory)", **style.THEORY)
    slope = log_log_slope(x, mean)
    axis.set(
        xscale="log",
        yscale="log",
        title=f"{title}: slope {slope:.2f}",
        xlabel=r"$((L(0) + 4\beta)\,/\,\gamma(\phi_0))^2$",
    )
    axis.set_xticks([30, 100, 300, 1000], ["30", "100", "300", "1000"])
    ticks = {"fixed": [10, 20, 50, 100], "theorem": [100, 300, 1000, 3000]}[rule]
    axis.set_yticks(ticks, [str(tick) for tick in ticks])
    axis.minorticks_off()
    axis.legend(loc="upper left")
    drawn.append(rows.groupby(["rule", "sigma", "complexity"]).iterations.median().reset_index())
axes[0].set_ylabel(f"iterations ({table.seed.nunique()} seeds)")
style.save(fig, path, drawn, tables)
