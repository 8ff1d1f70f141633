"""Claim 4: end objectives of many restarts against the number of filters."""

import numpy as np

from cnntheory.stats import wilson
from figures import style
from figures.ergen2021.names import excess

FLOOR = 1e-9

path, tables = style.read()
betas = tables["widths"].beta.nunique()
fig, axes = style.panels(betas + 1, height=2.5, width_ratios=[1.3] * betas + [1])
share_axis, drawn = axes[-1], []
everything = tables["widths"].assign(excess=lambda t: excess(t))
for i, (axis, (beta, table)) in enumerate(zip(axes, everything.groupby("beta"), strict=False)):
    full = 2 * table.samples.iloc[0]
    widths = sorted(table.width.unique())
    places = np.arange(len(widths))
    for quantity, how, j in (("median restart", "median", 0), ("best restart", "min", 1)):
        values = table.groupby(["seed", "width"]).excess.agg(how).clip(lower=FLOOR).reset_index()
        values["place"] = values.width.map(dict(zip(widths, places, strict=True)))
        drawn.append(values.assign(beta=beta, quantity=quantity))
        axis.plot(
            values.place + 0.16 * (2 * j - 1),
            values.excess,
            linestyle="",
            marker=style.MARKERS[j],
            color=style.COLOURS[j],
            alpha=0.7,
            label=quantity,
        )
    filters = table.groupby("seed").filters.first()
    for k, count in enumerate(sorted(filters.unique())):
        axis.axvline(
            np.interp(count, widths, places),
            color="0.15",
            linestyle=":",
            linewidth=0.5 + 3 * (filters == count).mean(),
            zorder=0,
            label="$m^*$ of the optimum" if not k else None,
        )
    axis.axhline(1e-3, **style.THEORY)
    axis.set(yscale="log", xlabel="filters $m$", xticks=places, ylim=(FLOOR / 300, 1e4))
    axis.set_xticklabels([f"{m}" + ("\n$= 2n$" if m == full else "") for m in widths])
    axis.set_title(rf"$\beta = {beta:g}$, {table.seed.nunique()} seeds", loc="right")
    axis.legend(loc="lower left", labelspacing=0.25)
    counts = (table.excess <= 1e-3).groupby(table.width).agg(["sum", "size", "mean"])
    low, high = np.array([wilson(*cell) for cell in counts[["sum", "size"]].to_numpy()]).T
    share = counts["mean"]
    share_axis.errorbar(
        places,
        share,
        (share - low, high - share),
        marker=style.MARKERS[i],
        elinewidth=0.7,
        label=rf"$\beta = {beta:g}$",
        **style.look(i),
    )
    drawn.append(share.rename("share").reset_index().assign(beta=beta, low=low, high=high))
axes[0].set_ylabel("(end objective $- p^*$) / $p^*$")
share_axis.axhline(0.5, **style.THEORY)
share_axis.set(
    xlabel="filters $m$",
    ylabel="share of restarts within $10^{-3}$",
    ylim=(-0.03, 1.03),
    xticks=places,
)
share_axis.set_xticklabels(map(str, widths))
share_axis.legend(loc="upper left")
style.save(fig, path, drawn, tables)
