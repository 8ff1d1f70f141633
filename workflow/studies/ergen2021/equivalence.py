"""Claims 1, 1b: end objectives of many restarts beside the optimum of the convex program."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.ergen2021.common import excess, name, present, share
from workflow.studies.verdicts import exactly

FLOOR = 1e-11
INSTANCE = ["architecture", "seed", "beta_fraction"]


def judge(tables, claims, rng):
    trained = tables["sgd"].assign(excess=excess(tables["sgd"]))
    seeds = trained.seed.nunique()
    lowest = trained.groupby("architecture").excess.min()
    best = trained.groupby(INSTANCE).agg(
        objective=("objective", "min"), program=("program", "first"), excess=("excess", "min")
    )
    best = best.reset_index()
    judged = claims["1b"].rows(best)
    return {
        "1": exactly(
            trained.excess.min(), seeds=seeds, note=f"Lowest for {lowest.idxmin()} networks."
        ),
        "1b": share(claims["1b"], judged, seeds, note=by_architecture(claims["1b"], judged, best)),
        "1x": doubled_decay(claims["1x"].rows(trained), tables["convex_average"]),
        "best": best,
        "within": claims["1b"].given["within"],
    }


def by_architecture(claim, judged, best):
    """The share of every architecture, and the worst gap where nothing is judged."""
    shares = claim.succeeded(judged).groupby(judged.architecture).mean()
    said = ", ".join(f"{name} {value:.0%}" for name, value in shares.items())
    rest = best.drop(judged.index).excess
    worst = f" Smaller beta, not judged: worst gap {rest.max():.1g}." if len(rest) else ""
    return f"By architecture: {said}.{worst}"


def doubled_decay(trained, convex):
    """Control 1x: the optimum of twice the decay in place of the right one."""
    trained = trained.merge(convex[[*INSTANCE, "doubled"]], on=INSTANCE)
    wrong = excess(trained, "doubled")
    return exactly(
        wrong.min(), seeds=trained.seed.nunique(), note=f"Median difference {wrong.median():.2g}."
    )


def draw(findings, tables):
    table, best = tables["sgd"].assign(excess=excess(tables["sgd"])), findings["best"]
    fractions = sorted(table.beta_fraction.unique(), reverse=True)
    fig, (scatter, gaps) = style.panels(2, height=3.0, width_ratios=(1, 1.5))
    for i, architecture in present(best):
        rows = best[best.architecture == architecture]
        scatter.plot(
            rows.program,
            rows.objective,
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            markerfacecolor="none",
            markeredgewidth=0.7,
            label=name(architecture),
        )
    ends = np.array([best.program.min() / 1.5, best.program.max() * 1.5])
    scatter.plot(ends, ends, label="equal", **style.THEORY)
    scatter.set(
        xscale="log",
        yscale="log",
        xlabel="optimum of the convex program $p^*$",
        ylabel=f"best of {table.restart.nunique()} restarts, $m = 2n$",
        xlim=(ends[0], 20 * ends[1]),
    )
    scatter.legend(loc="lower right", handlelength=1.2, labelspacing=0.25, borderaxespad=0)
    ticks = []
    for i, architecture in present(table):
        ticks.append(name(architecture))
        for j, fraction in enumerate(fractions):
            rows = table[(table.architecture == architecture) & (table.beta_fraction == fraction)]
            place = len(ticks) - 1 + 0.26 * (j - (len(fractions) - 1) / 2)
            gaps.plot(
                np.full(len(rows), place),
                rows.excess.clip(lower=FLOOR),
                linestyle="",
                marker="_",
                markersize=5,
                color="0.75",
                zorder=1,
                rasterized=True,
            )
            lowest = best[(best.architecture == architecture) & (best.beta_fraction == fraction)]
            gaps.plot(
                np.full(len(lowest), place),
                lowest.excess.clip(lower=FLOOR),
                linestyle="",
                marker=style.MARKERS[j],
                color=style.COLOURS[j],
                alpha=0.8,
                markersize=3,
                label=rf"$\beta = {fraction:g}\,\beta_{{\max}}$" if not i else None,
            )
    gaps.plot([], [], linestyle="", marker="_", color="0.75", label="every restart")
    gaps.axhline(findings["within"], **style.THEORY)
    gaps.set(
        yscale="log",
        ylim=(FLOOR / 3, 1e4),
        ylabel="(end objective $- p^*$) / $p^*$",
        xticks=range(len(ticks)),
    )
    gaps.set_title(f"{table.seed.nunique()} instances each", loc="right")
    gaps.set_xticklabels(ticks, rotation=35, ha="right", rotation_mode="anchor")
    gaps.legend(loc="upper left", ncols=2)
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
