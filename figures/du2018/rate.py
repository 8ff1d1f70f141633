"""Claim 4, Theorem 2.2: drop of ||w - w*||^2 per step over its guarantee eta gamma / 2."""

import pandas as pd

from figures import style

path, tables = style.read()
table = tables["rate"]
laws = list(table.law.unique())
fig, (steps, margins) = style.panels(2, height=2.6)
drawn = []
for i, (law, rows) in enumerate(table[table.rule == "theorem"].groupby("law", sort=False)):
    label = law.replace("sigma", r"$\sigma$")
    rows = rows.assign(ratio=rows["drop"] / rows.bound)
    wide = rows.pivot(index="seed", columns="iteration", values="ratio").dropna(axis=1)
    lowest, highest = wide.min(), wide.max()
    steps.fill_between(
        wide.columns + 1, lowest, highest, color=style.COLOURS[i], alpha=style.BAND, linewidth=0
    )
    steps.plot(wide.columns + 1, wide.median(), label=label, **style.look(i))
    drawn.append(
        pd.DataFrame(
            {
                "iteration": wide.columns,
                "median": wide.median(),
                "low": lowest,
                "high": highest,
                "curve": law,
            }
        )
    )
for level, label in ((1, r"stated: $\eta\gamma/2$"), (3, r"sharper: $3\eta\gamma/2$")):
    steps.axhline(level, **style.THEORY)
    steps.text(1.1, level, label, fontsize=6.5, va="bottom")
steps.set(
    xscale="log",
    xlabel="iteration + 1",
    yscale="log",
    ylim=(0.7, 300),
    ylabel=r"$(1 - e_{t+1}^2 / e_t^2)\,/\,(\eta\gamma/2)$",
    title=f"the theorem's step, all {table.seed.nunique()} seeds (range)",
)
steps.legend(loc="upper right")
trials = table.drop_duplicates(["law", "rule", "seed"])
constant = trials[trials.rule != "theorem"].assign(eta=lambda t: t.rule.astype(float))
for i, law in enumerate(laws):
    rows = constant[constant.law == law].groupby("eta").margin.agg(["min", "max"]).reset_index()
    margins.plot(
        rows.eta,
        rows["min"],
        marker=style.MARKERS[i],
        **style.look(i),
        label=law.replace("sigma", r"$\sigma$"),
    )
    drawn.append(rows.assign(curve=law, panel="constant steps"))
for level in (1, 3):
    margins.axhline(level, **style.THEORY)
margins.axvline(4, color="0.5", linewidth=0.7)
margins.text(4.05, 3.6, "Gaussian:\nunstable\n(4x)", fontsize=6.5, va="center")
margins.set(
    xlabel=r"constant step $\eta$, far above the theorem's",
    ylabel="least ratio over steps and seeds",
    xlim=(0, 4.9),
    ylim=(-3.2, 4.6),
    title="larger steps cross the guarantee",
)
margins.legend(loc="lower left")
style.save(fig, path, drawn, tables)
