"""The paper's table of implicit regularisers as we understand it, tested; and claim 10."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.ergen2021.common import (
    FLOOR,
    best,
    excess,
    judged,
    name,
    power,
    present,
    strip,
)
from workflow.studies.verdicts import Measured, exactly

NORMS = {
    "fully_connected": r"$\sum_i \|c_i\|_2$",
    "average": r"$\sum_i \|c_i\|_2$",
    "max": r"$\sum_i \|c_i\|_2$, ordered cones",
    "linear": r"$\|Z\|_*$",
    "unpooled": r"gauge of rank one, $\geq \sum_i \|C_i\|_*$",
    "circular": r"$\frac{1}{\sqrt{d}} \sum_i \|F z_i\|_1$",
    "two_relu_unshared": r"$\sum_i \|C_i\|_F$",
    "two_relu_shared": r"gauge of rank one, $\geq \sum_i \|C_i\|_*$",
}
# When descent has reached p*: as claim 1b says (tested).
REACHED = "excess <= 1e-4"


def judge(tables, claims, rng):
    convex = tables["convex"]
    strict, lower, unshared, shared = (claims[i].rows(convex) for i in ("10", "10b", "10c", "10x"))
    seeds = strict.seed.nunique()
    above = (strict.nuclear - strict.frobenius) / strict.objective
    medians = above.groupby(strict.architecture).median()
    loose = ((shared.objective - shared.frobenius) / shared.frobenius).abs()
    return {
        "10": typical(above, strict.seed, rng)._replace(
            note=f"Least {above.min():.2g}. Medians: "
            + ", ".join(f"{name} {value:.2g}" for name, value in medians.items())
            + ".",
        ),
        "10b": exactly(((lower.nuclear - lower.objective) / lower.objective).max(), seeds=seeds),
        "10c": exactly(excess(unshared).abs().max(), seeds=seeds),
        "10x": exactly(loose.max(), seeds=seeds, note=f"Median difference {loose.median():.2g}."),
        "rows": tested(convex, tables["sgd"], tables["restarts"]),
        "bound": claims["10c"].at_most,
        "least": claims["10"].at_least,
        "most": claims["10b"].at_most,
    }


def typical(values, seeds, rng):
    """Median over the instances; those of a seed are drawn again together."""
    by_seed = np.array([part.to_numpy() for _, part in values.groupby(seeds)])
    interval = bootstrap(by_seed, rng, lambda drawn, axis: np.median(drawn))
    return Measured(np.median(by_seed), *interval, len(by_seed))


def tested(convex, trained, restarts):
    """The rows of the table: what was found for each architecture."""
    gaps = best(restarts, ["architecture", "seed"])
    return {
        key: {
            "architecture": name(key),
            "regulariser": NORMS[key],
            "dual gap": (1 - own.dual_bound / own.objective).max(),
            "network": excess(own).abs().max(),
            "reached": f"{gaps[gaps.architecture == key].eval(REACHED).mean():.0%}",
            "below": trained[trained.architecture == key].pipe(excess).min(),
        }
        for _, key in present(convex)
        for own in [convex[convex.architecture == key]]
    }


def draw(findings, tables):
    convex, rows = tables["convex"], findings["rows"]
    fig = style.plt.figure(figsize=(style.DOUBLE, 5.4), layout="constrained")
    upper, lower = fig.subfigures(2, 1, height_ratios=(1.15, 1))
    draw_table(upper.subplots(), rows.values())
    strict, nuclear, exact = lower.subplots(1, 3)
    draw_relaxed(strict, nuclear, findings, convex)
    draw_exact(exact, findings, convex)
    style.legend_below(lower)
    return fig, [pd.DataFrame(rows.values()), convex]


def draw_table(axis, rows):
    """The table of regularisers, a row an architecture."""
    axis.set_axis_off()
    style.title(axis, "a", "each regulariser gives the optimum of its architecture")
    heads = {
        "architecture": "architecture",
        "regulariser": r"regulariser, times $\beta$",
        "dual gap": "largest\nduality gap",
        "network": "|network $- p^*$|\nlargest, rel.",
        "reached": "descent within\n$10^{-4}$",
        "below": "least of all\nends $- p^*$, rel.",
    }
    cells = [
        [row[key] if isinstance(row[key], str) else power(row[key]) for key in heads]
        for row in rows
    ]
    body = axis.table(
        cells,
        colLabels=list(heads.values()),
        loc="center",
        cellLoc="left",
        colWidths=[0.17, 0.29, 0.12, 0.15, 0.13, 0.14],
        edges="horizontal",
    )
    body.auto_set_font_size(False)
    body.set_fontsize(6.8)
    for (row, _), cell in body.get_celld().items():
        cell.set_height(0.155 if not row else 0.098)
        cell.set_linewidth(0.5)
        cell.set_edgecolor("0.6")
        if not row:
            cell.set_text_props(fontweight="bold", ha="left")


def draw_relaxed(strict, nuclear, findings, convex):
    """Frobenius and nuclear norm where neither is known to be exact."""
    style.title(strict, "b", "the Frobenius norm is smaller, but for matrices of rank one")
    style.title(nuclear, "c", "the nuclear norm is never larger")
    keys = ("unpooled", "two_relu_shared")
    for place, key in enumerate(keys):
        own = convex[convex.architecture == key].sort_values(["beta_fraction", "seed"])
        above = (own.nuclear - own.frobenius) / own.objective
        beyond = (own.nuclear - own.objective) / own.objective
        for i, (fraction, color) in enumerate(style.sequential(own.beta_fraction).items()):
            chosen, look = own.beta_fraction == fraction, style.measured(i, color=color)
            label = None if place else rf"$\beta = {fraction:g}\,\beta_{{\max}}$"
            where = place + 0.26 * (i - 1)
            strip(strict, where, above[chosen].clip(lower=FLOOR), look, label, 0.2)
            strip(nuclear, where, beyond[chosen], look, None, 0.2)
    style.criterion(strict, findings["least"], at=0.02)
    strict.set(yscale="log", ylim=(FLOOR / 3, 10), ylabel="$(p_N - p_F) / p^*$")
    style.judged(strict, findings["10"], "median {}", (0.97, 0.95))
    style.criterion(nuclear, at_most=findings["most"], at=0.02)
    nuclear.set_yscale("symlog", linthresh=1e-8, linscale=0.6)
    ticks = {-1e-1: "$-10^{-1}$", -1e-4: "$-10^{-4}$", 0: "0", 1e-6: "$10^{-6}$"}
    nuclear.set_yticks(list(ticks), ticks.values())
    nuclear.set(ylim=(-1, 1e-3), ylabel="$(p_N - p^*) / p^*$")
    judged(nuclear, findings["10b"], "largest {}", (0.97, 0.95))
    for axis in (strict, nuclear):
        axis.set_xticks([0, 1], ["no pooling", "two ReLUs,\nshared"])
        axis.set_xlim(-0.5, 1.5)


def draw_exact(axis, findings, convex):
    """The Frobenius norm with a filter for each patch; control: with one for all."""
    style.title(axis, "d", "Frobenius is exact for unshared filters only")
    unshared, shared = (
        convex[convex.architecture == f"two_relu_{kind}"] for kind in ("unshared", "shared")
    )
    off = (
        excess(unshared).abs(),
        ((shared.objective - shared.frobenius) / shared.frobenius).abs(),
    )
    for place, (values, look) in enumerate(
        zip(off, (style.measured(6), style.control("shared filters")), strict=True)
    ):
        strip(axis, place, values.clip(lower=FLOOR), look, look.get("label"), 0.5)
    style.criterion(axis, at_most=findings["bound"], at=0.98)
    axis.set(yscale="log", ylim=(1e-13, 1e2), ylabel="$|p^* - p_F| / p_F$", xlim=(-0.5, 1.5))
    axis.set_xticks([0, 1], ["two ReLUs,\nunshared", "control:\nshared"])
    judged(axis, findings["10c"], "largest {}", (0.03, 0.06))
    judged(axis, findings["10x"], "largest {}", (0.97, 0.95), color=style.VERMILLION)


if __name__ == "__main__":
    study.main(judge, draw)
