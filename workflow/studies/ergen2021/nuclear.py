"""Claim 12: the linear network without pooling, descent with m = 1 .. rank + 1 filters."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.ergen2021.common import best, excess, judged, strip
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
        "judged": reached,
    }


def draw(findings, tables):
    table = tables["nuclear"].assign(excess=lambda t: excess(t))
    gaps = findings["gaps"]
    ranks = sorted(findings["judged"]["rank"].unique())
    fig, axes = style.panels(len(ranks), height=3.0, sharey=True)
    colours = style.sequential(gaps.beta_fraction)
    titles = ("optimum of rank {0}: {0} filters reach it, one does not",) * len(ranks)
    for letter, axis, rank, title in zip(
        "abcdef", np.atleast_1d(axes), ranks, titles, strict=False
    ):
        if len(ranks) > 1:
            style.title(axis, letter, title.format(rank))
        draw_rank(axis, rank, table[table["rank"] == rank], gaps[gaps["rank"] == rank], colours)
        span = np.array([rank - 0.45, rank + 0.45])
        low, high = axis.get_xlim()
        left, right = (span - low) / (high - low)
        at = left if left <= 0.5 else right
        style.criterion(axis, at_most=findings["bound"], span=tuple(span), at=at)
    axes[0].set_ylabel("(end objective $- p^*$) / $p^*$")
    judged(axes[-1], findings["12"], "rank filters: largest {}", (0.02, 0.08))
    text = "control: largest {}"
    judged(axes[-1], findings["12x"], text, (0.98, 0.86), color=style.VERMILLION)
    style.legend_below(fig)
    return fig, [table]


def draw_rank(axis, rank, rows, gaps, colours):
    """All restarts of the instances of one rank, and the best of each."""
    grey = dict(linestyle="", marker="_", markersize=4, color="0.7", zorder=1)
    axis.plot(rows.width + 0.36, rows.excess.clip(lower=FLOOR), label="a restart", **grey)
    for i, (fraction, color) in enumerate(colours.items()):
        for width, own in gaps[gaps.beta_fraction == fraction].groupby("width"):
            usual = style.measured(i, color=color)
            look = style.control(i=i) if width == 1 else usual
            label = rf"best, $\beta = {fraction:g}\,\beta_{{\max}}$"
            values = own.excess.clip(lower=FLOOR)
            where = width + 0.3 * (i - (len(colours) - 1) / 2)
            strip(axis, where, values, look, label if width == rank else None, 0.24)
    axis.plot([], [], **style.control("one filter", linestyle=""))
    axis.axvline(rank - 0.47, label="theory: enough filters from here on", **style.THEORY)
    widths = sorted(rows.width.unique())
    axis.set(yscale="log", xlabel="filters $m$", xticks=widths, ylim=(FLOOR / 3, 1e3))
    axis.set_xlim(widths[0] - 0.6, widths[-1] + 0.6)
    instances = len(gaps[gaps.width == rank])
    style.corner(axis, f"{instances} instances", "upper right")


if __name__ == "__main__":
    study.main(judge, draw)
