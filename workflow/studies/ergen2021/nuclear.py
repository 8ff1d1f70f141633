"""Claim 12: the linear network without pooling, descent with m = 1 .. rank + 1 filters."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.ergen2021.common import best, excess
from workflow.studies.verdicts import exactly

FLOOR = 1e-12


def judge(tables, claims, rng):
    gaps = best(tables["nuclear"], ["seed", "beta_fraction", "rank", "width"])
    reached, stuck = (claims[claim].rows(gaps) for claim in ("12", "12x"))
    return {
        "12": exactly(
            reached.excess.max(),
            seeds=reached.seed.nunique(),
            note=f"{len(reached)} instances.",
        ),
        "12x": exactly(
            stuck.excess.max(),
            seeds=stuck.seed.nunique(),
            note=f"Least gap {stuck.excess.min():.2g}.",
        ),
        "gaps": gaps,
        "bound": claims["12"].at_most,
    }


def draw(findings, tables):
    table = tables["nuclear"].assign(excess=excess(tables["nuclear"]))
    ranks = sorted(table["rank"].unique())
    fig, axes = style.panels(len(ranks), height=2.4, width=style.DOUBLE, sharey=True)
    for axis, rank in zip(np.atleast_1d(axes), ranks, strict=True):
        rows = table[table["rank"] == rank]
        gaps = findings["gaps"][findings["gaps"]["rank"] == rank]
        axis.plot(
            rows.width + 0.13,
            rows.excess.clip(lower=FLOOR),
            linestyle="",
            marker="_",
            markersize=4,
            color="0.7",
            label="every restart",
            rasterized=True,
        )
        for i, (fraction, chosen) in enumerate(gaps.groupby("beta_fraction")):
            axis.plot(
                chosen.width - 0.13 + 0.1 * i,
                chosen.excess.clip(lower=FLOOR),
                linestyle="",
                marker=style.MARKERS[i],
                color=style.COLOURS[i],
                alpha=0.7,
                label=rf"best, $\beta = {fraction:g}\,\beta_{{\max}}$",
            )
        axis.axvline(rank, color="0.15", linestyle=":", linewidth=1)
        axis.axhline(findings["bound"], **style.THEORY)
        axis.set(
            yscale="log",
            xlabel="filters $m$",
            xticks=sorted(rows.width.unique()),
            ylim=(FLOOR / 3, 1e4),
        )
        instances = len(rows.groupby(["seed", "beta_fraction"]))
        axis.set_title(rf"rank$(Z^*) = {rank}$, {instances} instances", loc="right", fontsize=7)
    axes[0].set_ylabel("(end objective $- p^*$) / $p^*$")
    axes[0].legend(loc="upper right")
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
