"""Claims 1, 1b: end objectives of many restarts beside the optimum of the convex program."""

import numpy as np
import pandas as pd

from workflow.studies import study, style
from workflow.studies.ergen2021.common import excess, name, present, share
from workflow.studies.verdicts import exactly

FLOOR = 1e-11
INSTANCE = ["architecture", "seed", "beta_fraction"]


def judge(tables, claims, rng):
    few, many = (with_excess(tables[name]) for name in ("sgd", "restarts"))
    every = pd.concat([few, many])
    lowest = every.groupby("architecture").excess.min()
    best = best_restarts(many)
    return {
        "1": exactly(
            every.excess.min(),
            seeds=many.seed.nunique(),
            note=f"Lowest for {lowest.idxmin()} networks.",
        ),
        **{name: reached(claims[name], best) for name in claims if name.startswith("1b-")},
        "1x": doubled_decay(claims["1x"].rows(few), tables["convex_average"]),
        "best": best,
        "within": claims["1b-average"].given["within"],
    }


def with_excess(table):
    """End objectives with their distance to the optimum."""
    return table.assign(excess=excess(table))


def best_restarts(table):
    """The best start of every instance, and how many there were."""
    found = table.groupby(INSTANCE).agg(
        objective=("objective", "min"),
        program=("program", "first"),
        excess=("excess", "min"),
        starts=("restart", "size"),
    )
    return found.reset_index()


def reached(claim, best):
    """Share of an architecture's data sets whose best start is at the optimum."""
    rows = claim.rows(best)
    missed = rows[~claim.succeeded(rows)]
    note = f"At most {rows.starts.max()} starts, {rows.starts.median():.0f} in the median; "
    note += f"{len(missed)} missed, worst gap {rows.excess.max():.1g}."
    return share(claim, rows, len(rows), note=note)


def doubled_decay(trained, convex):
    """Control 1x: the optimum of twice the decay in place of the right one."""
    trained = trained.merge(convex[[*INSTANCE, "doubled"]], on=INSTANCE)
    wrong = excess(trained, "doubled")
    return exactly(
        wrong.min(), seeds=trained.seed.nunique(), note=f"Median difference {wrong.median():.2g}."
    )


def draw(findings, tables):
    few, best = with_excess(tables["sgd"]), findings["best"]
    shown = few[~few.beta_fraction.isin(best.beta_fraction)]
    ends = pd.concat([with_excess(tables["restarts"]), shown])
    lowest = pd.concat([best, best_restarts(shown)])
    fig, (scatter, gaps) = style.panels(2, height=3.3, width_ratios=(1, 1.5))
    draw_scatter(scatter, best, findings, tables)
    fractions, ticks = sorted(lowest.beta_fraction.unique(), reverse=True), []
    for i, architecture in present(ends):
        ticks.append(name(architecture))
        for j, fraction in enumerate(fractions):
            place = len(ticks) - 1 + 0.26 * (j - (len(fractions) - 1) / 2)
            label = rf"best, $\beta = {fraction:g}\,\beta_{{\max}}$" if not i else None
            draw_gaps(gaps, place, ends, lowest, (architecture, fraction), j, label)
    gaps.plot([], [], linestyle="", marker="_", color="0.75", label="every start")
    gaps.axhspan(FLOOR / 3, findings["within"], color="0.93", zorder=0)
    gaps.set(
        yscale="log",
        ylim=(FLOOR / 3, 1e2),
        ylabel="(end objective $- p^*$) / $p^*$",
        xticks=range(len(ticks)),
    )
    gaps.text(
        len(ticks) - 0.5, findings["within"], "within 1e-4", fontsize=6.5, va="top", ha="right"
    )
    gaps.set_title("(b) the best start reaches the optimum", loc="left")
    gaps.set_xticklabels(ticks, rotation=35, ha="right", rotation_mode="anchor")
    handles, labels = (
        a + b
        for a, b in zip(*(x.get_legend_handles_labels() for x in (scatter, gaps)), strict=True)
    )
    fig.legend(handles, labels, loc="outside lower center", ncols=5, columnspacing=1)
    return fig, [ends]


def draw_scatter(axis, best, findings, tables):
    """The best start of every data set against the optimum, and control 1x."""
    for i, architecture in present(best):
        rows = best[best.architecture == architecture]
        look = dict(marker=style.MARKERS[i], color=style.COLOURS[i], markersize=2.5)
        axis.plot(rows.program, rows.objective, linestyle="", label=name(architecture), **look)
    few = with_excess(tables["sgd"])
    few = best_restarts(few[few.architecture == "average"])
    wrong = few.merge(tables["convex_average"][[*INSTANCE, "doubled"]], on=INSTANCE)
    axis.plot(
        wrong.doubled,
        wrong.objective,
        linestyle="",
        marker="X",
        markerfacecolor="none",
        color=style.COLOURS[3],
        markersize=4,
        label="control: $p^*$ at $2\\beta$",
    )
    ends = np.array([best.program.min() / 1.5, best.program.max() * 1.5])
    axis.plot(ends, ends, label="equal", **style.THEORY)
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="optimum of the convex program $p^*$",
        ylabel="best restart",
    )
    axis.set_title("(a) equal", loc="left")


def draw_gaps(axis, place, ends, best, instance, j, label):
    """All starts of an architecture at one beta, grey, and the best of every data set."""
    for table, look in (
        (ends, dict(marker="_", markersize=5, color="0.75", zorder=1, rasterized=True)),
        (
            best,
            dict(marker=style.MARKERS[j], markersize=2.5, color=style.COLOURS[j], label=label),
        ),
    ):
        rows = table[(table.architecture == instance[0]) & (table.beta_fraction == instance[1])]
        spread = np.linspace(-0.08, 0.08, len(rows)) if table is best else np.zeros(len(rows))
        axis.plot(place + spread, rows.excess.clip(lower=FLOOR), linestyle="", **look)


if __name__ == "__main__":
    study.main(judge, draw)
