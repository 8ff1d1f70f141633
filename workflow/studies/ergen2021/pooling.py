"""Claim 8: max beside average pooling: sign patterns, optima and the ordering constraints."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.ergen2021.common import drops
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    relaxed = drops(tables["relaxations"])
    seeds = relaxed.seed.nunique()
    ordering, unordered = (claims[claim].rows(relaxed) for claim in ("8", "8x"))
    merged = claims["8b"].rows(tables["arrangements"])
    return {
        "8": exactly(
            ordering["drop"].min(), seeds=seeds, note=f"Median {ordering['drop'].median():.2g}."
        ),
        "8b": exactly((merged.cells / merged.formula).max(), seeds=merged.seed.nunique()),
        "8x": exactly(
            unordered.miss.max(),
            seeds=seeds,
            note=f"Least drop of the value {unordered['drop'].min():.2g}.",
        ),
        "least": claims["8"].at_least,
    }


def draw(findings, tables):
    table, counts = tables["relaxations"], tables["arrangements"]
    fig, (patterns, optima, lost) = style.panels(3, height=2.5)
    drawn = []
    merged = counts[(counts.study == "max") & (counts.patch_size < 4)]
    for i, (h, rows) in enumerate(merged.groupby("patch_size")):
        K = rows.patches.iloc[0]
        average = counts[
            (counts.study == "general") & (counts.patch_size == h) & (counts.patches == K)
        ]
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
        lost.plot(
            i + np.linspace(-0.2, 0.2, len(drop)),
            drop,
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
        )
    ends = np.array([values.min(axis=None) / 1.3, values.max(axis=None) * 1.3])
    optima.plot(ends, ends, label="equal", **style.THEORY)
    optima.set(
        xscale="log", yscale="log", xlabel="$p^*$, average pooling", ylabel="$p^*$, max pooling"
    )
    optima.legend(loc="upper left")
    least = findings["least"]
    lost.axhline(least, **style.THEORY)
    lost.text(-0.4, least + 0.01, f"{100 * least:g} % (claim 8)", fontsize=6.5)
    lost.set(
        xticks=range(len(betas)),
        xlim=(-0.5, len(betas) - 0.5),
        ylim=(0, None),
        ylabel="drop of the value without ordering",
        xlabel=r"$\beta$",
    )
    lost.set_xticklabels([f"{beta:g}" for beta in betas])
    lost.set_title(f"{table.seed.nunique()} instances", loc="right")
    return fig, [*drawn, table]


if __name__ == "__main__":
    study.main(judge, draw)
