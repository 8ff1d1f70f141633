"""Claim 11: what the cones are worth, and what a network with the relaxed weights costs."""

import numpy as np

from figures import style

path, tables = style.read()
table = tables["relaxations"]
average = table[table.pooling == "average"]
fig, (values, drops) = style.panels(2, height=2.5, width_ratios=(1.4, 1))
betas = sorted(average.beta.unique())
kinds = (
    ("all", "program", "program with cones, $p^*$"),
    ("no cones", "program", "without cones (gated ReLU)"),
    ("no cones", "objective", "network with its weights (11x)"),
)
for i, beta in enumerate(betas):
    rows = average[average.beta == beta].pivot(index="seed", columns="study")
    order = np.argsort(rows["program"]["all"].to_numpy())
    for j, (study, quantity, label) in enumerate(kinds):
        values.plot(
            np.arange(len(order)) + i * (len(order) + 1),
            rows[quantity][study].to_numpy()[order],
            marker=style.MARKERS[j],
            label=label if not i else None,
            **{**style.look(j), "linewidth": 0.8},
        )
    drop = 1 - rows["program"]["no cones"] / rows["program"]["all"]
    drops.plot(
        i + np.linspace(-0.2, 0.2, len(drop)),
        drop,
        linestyle="",
        marker=style.MARKERS[i],
        color=style.COLOURS[i],
    )
    drops.plot([i - 0.3, i + 0.3], [drop.median()] * 2, color="0.15", linewidth=1.4)
seeds = average.seed.nunique()
values.set(yscale="log", ylabel="value", xlabel="instance, in the order of $p^*$")
values.set_xticks(
    [(seeds - 1) / 2 + i * (seeds + 1) for i in range(len(betas))],
    [rf"$\beta = {beta:g}$" for beta in betas],
)
values.set_ylim(top=average.objective.max() * 12)
values.legend(loc="upper left")
drops.axhline(0.5, **style.THEORY)
drops.set(
    xticks=range(len(betas)),
    xlim=(-0.5, len(betas) - 0.5),
    ylim=(0, 1),
    xlabel=r"$\beta$",
    ylabel="relative drop of the value without cones",
)
drops.set_xticklabels([f"{beta:g}" for beta in betas])
drops.set_title(f"{seeds} instances; bar: median", loc="right")
style.save(fig, path, [average], tables)
