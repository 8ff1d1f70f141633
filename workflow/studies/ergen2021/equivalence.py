"""Claims 1, 1b: end objectives of many restarts beside the optimum of the convex program."""

import numpy as np
import pandas as pd

from workflow.studies import study, style
from workflow.studies.ergen2021.common import excess, judged, name, present, share, strip
from workflow.studies.verdicts import exactly

SMALLEST = 1e-9  # smaller differences are rounding
# Claims 1b, in the order of `NAMES`.
CLAIMS = {
    "fully_connected": "1b-fully",
    "average": "1b-average",
    "max": "1b-max",
    "linear": "1b-linear",
    "unpooled": "1b-unpooled",
    "circular": "1b-circular",
    "two_relu_unshared": "1b-unshared",
    "two_relu_shared": "1b-shared",
}
INSTANCE = ["architecture", "seed", "beta_fraction"]


def judge(tables, claims, rng):
    few, many = (with_excess(tables[name]) for name in ("sgd", "restarts"))
    every = pd.concat([few, many])
    # The optimum is known within a bracket: what ends inside it is not below.
    below = (every.objective - every.dual_bound) / every.program
    lowest = below.groupby(every.architecture).min()
    wide = ((every.program - every.dual_bound) / every.program).max()
    best = best_restarts(many)
    return {
        "1": exactly(
            below.min(),
            seeds=many.seed.nunique(),
            note=f"Lowest for {lowest.idxmin()} networks; the widest bracket of p* is {wide:.1g}.",
        ),
        **{name: reached(claims[name], best) for name in claims if name.startswith("1b-")},
        "1x": doubled_decay(claims["1x"].rows(few), tables["convex_average"]),
        "best": best,
        "within": claims["1b-average"].given["within"],
        "lowest": claims["1"].at_least,
        "share": claims["1b-average"].at_least,
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
    best, few = findings["best"], with_excess(tables["sgd"])
    shown = few[~few.beta_fraction.isin(best.beta_fraction)]
    ends = pd.concat([with_excess(tables["restarts"]), shown])
    fig, (gaps, shares) = style.panels(2, height=3.6, width_ratios=(1.9, 1), sharey=True)
    style.title(
        gaps,
        "a",
        "no start ends below the certified bound, the best of nearly every data set reaches $p^*$",
    )
    style.title(shares, "b", "nearly every data set is solved")
    wrong = draw_gaps(gaps, ends, best, best_restarts(shown), findings, tables)
    found = draw_shares(shares, findings)
    names = [*(name(key) for _, key in present(best)), "control:\noptimum at $2 \\beta$"]
    gaps.set_yticks(range(len(names)), names)
    gaps.get_yticklabels()[-1].set_color(style.VERMILLION)
    gaps.set_ylim(len(names) + 0.5, -0.5)
    style.legend_below(fig)
    return fig, [ends, wrong, found]


def draw_gaps(axis, ends, best, others, findings, tables):
    """Signed distances of all starts to the optimum, and of the best of every data set."""
    for i, (_, key) in enumerate(present(best)):
        every, own, other = (t[t.architecture == key].excess for t in (ends, best, others))
        look = dict(marker="|", color="0.75", markersize=4, linestyle="", zorder=1)
        axis.plot(every, np.full(len(every), i + 0.3), label=None if i else "a start", **look)
        label = "best start of a data set"
        strip(axis, i - 0.15, own, style.measured(0), None if i else label, 0.3, "x")
        label = r"the same at $\beta = 0.03\, \beta_{\max}$, not in (b)"
        strip(axis, i + 0.1, other, style.measured(1), None if i else label, 0.2, "x")
        own = ends[ends.architecture == key]
        low = ((own.dual_bound - own.program) / own.program).min()
        label = None if i else "widest certified bound"
        axis.plot([low, low], [i - 0.4, i + 0.4], label=label, **style.BOUND)
    few = with_excess(tables["sgd"])
    few = best_restarts(few[few.architecture == "average"])
    wrong = few.merge(tables["convex_average"][[*INSTANCE, "doubled"]], on=INSTANCE)
    wrong = wrong.assign(excess=excess(wrong, "doubled"), curve="control: optimum at 2 beta")
    place = best.architecture.nunique()
    strip(axis, place, wrong.excess, style.control(), None, 0.5, "x")
    axis.axvline(0, label="theory: the optimum $p^*$", **style.THEORY)
    edges = {"at_least": findings["lowest"], "at_most": findings["within"]}
    style.criterion(axis, along="x", at=0.02, **edges)
    axis.set_xscale("symlog", linthresh=SMALLEST, linscale=0.5)
    ticks = [-1, -1e-3, -1e-6, 0, 1e-6, 1e-3, 1]
    axis.set_xticks(ticks, ["$-1$", "$-10^{-3}$", "$-10^{-6}$", "0", "$10^{-6}$", "$10^{-3}$", "1"])
    axis.set(xlim=(-2, 20), xlabel="(end objective $- p^*$) / $p^*$")
    judged(axis, findings["1"], "least above the\ncertified bound\n{}", (0.02, 0.5))
    judged(axis, findings["1x"], "lowest {}", (0.3, 0.06), color=style.VERMILLION)
    return wrong


def draw_shares(axis, findings):
    """Share of the data sets whose best start is at the optimum, with its Wilson interval."""
    found = pd.DataFrame(
        [findings[claim]._asdict() | {"architecture": key} for key, claim in CLAIMS.items()]
    )
    ends = np.clip((found.value - found.low, found.high - found.value), 0, None)
    look = style.measured(0, linestyle="")
    axis.errorbar(found.value, range(len(found)), xerr=ends, elinewidth=0.9, capsize=2, **look)
    style.criterion(axis, findings["share"], along="x", at=0.02)
    axis.set(xlim=(min(0.85, found.low.min() - 0.02), 1.004), xlabel="share of data sets")
    return found


if __name__ == "__main__":
    study.main(judge, draw)
