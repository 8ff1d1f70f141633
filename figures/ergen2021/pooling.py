"""Claim 8: max beside average pooling: sign patterns, optima and the ordering constraints."""

import numpy as np

from figures import style

path, tables = style.read()
table, counts = tables["relaxations"], tables["arrangements"]
fig, (patterns, optima, drops) = style.panels(3, height=2.5)
drawn = []
merged = counts[(counts.study == "max") & (counts.patch_size < 4)]
for i, (h, rows) in enumerate(merged.groupby("patch_size")):
    K = rows.patches.iloc[0]
    average = counts[(counts.study == "general") & (counts.patch_size == h) & (counts.patches == K)]
    for j, (values, label) in enumerate(((rows, "max, merged"), (average, "average"))):
        means = values.groupby("samples").cells.mean()
        patterns.plot(
            means.index,
            means,
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            linestyle=style.LINES[j],
            markerfacecolor="none" if j else None,
            label=f"{label}, $h = {h}$" if i < 2 else None,
        )
        drawn.append(means.reset_index().assign(quantity=label, patch_size=h))
    bound = rows.groupby("samples").formula.mean()
    patterns.plot(
        bound.index, bound, label="bound for max pooling" if not i else None, **style.THEORY
    )
patterns.set(
    xscale="log",
    yscale="log",
    xlabel=f"samples $n$, $K = {merged.patches.iloc[0]}$",
    ylabel="sign patterns $P$",
    ylim=(None, merged.formula.max() * 3e3),
)
patterns.set_xticks(sizes := sorted(merged.samples.unique()), [f"{n}" for n in sizes])
patterns.minorticks_off()
patterns.legend(loc="upper left", labelspacing=0.2)
values = table.pivot(index=["beta", "seed"], columns=["pooling", "study"], values="program")
betas = sorted(table.beta.unique())
for i, beta in enumerate(betas):
    rows = values.loc[beta]
    optima.plot(
        rows["average"]["all"],
        rows["max"]["all"],
        linestyle="",
        marker=style.MARKERS[i],
        color=style.COLOURS[i],
        label=rf"$\beta = {beta:g}$",
    )
    drop = 1 - rows["max"]["no ordering"] / rows["max"]["all"]
    drops.plot(
        i + np.linspace(-0.2, 0.2, len(drop)),
        drop,
        linestyle="",
        marker=style.MARKERS[i],
        color=style.COLOURS[i],
    )
ends = np.array([values.min(axis=None) / 1.3, values.max(axis=None) * 1.3])
optima.plot(ends, ends, label="equal", **style.THEORY)
optima.set(xscale="log", yscale="log", xlabel="$p^*$, average pooling", ylabel="$p^*$, max pooling")
optima.legend(loc="upper left")
drops.axhline(0.05, **style.THEORY)
drops.text(-0.4, 0.06, "5 % (claim 8)", fontsize=6.5)
drops.set(
    xticks=range(len(betas)),
    xlim=(-0.5, len(betas) - 0.5),
    ylim=(0, None),
    ylabel="drop of the value without ordering",
    xlabel=r"$\beta$",
)
drops.set_xticklabels([f"{beta:g}" for beta in betas])
drops.set_title(f"{table.seed.nunique()} instances", loc="right")
style.save(fig, path, [*drawn, table], tables)
