"""The paper's table of implicit regularisers as we understand it, tested; and claim 10."""

import numpy as np
import pandas as pd

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, best, excess, name, present
from workflow.studies.verdicts import exactly

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
        "10": exactly(
            above.min(),
            seeds=seeds,
            note="Medians: "
            + ", ".join(f"{name} {value:.2g}" for name, value in medians.items())
            + ".",
        ),
        "10b": exactly(((lower.nuclear - lower.objective) / lower.objective).max(), seeds=seeds),
        "10c": exactly(excess(unshared).abs().max(), seeds=seeds),
        "10x": exactly(loose.max(), seeds=seeds, note=f"Median difference {loose.median():.2g}."),
        "rows": tested(convex, tables["sgd"], tables["restarts"]),
        "bound": claims["10c"].at_most,
    }


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


def power(value):
    """A small number in a cell."""
    if abs(value) < FLOOR:
        return "0"
    mantissa, exponent = f"{value:.0e}".split("e")
    return rf"${mantissa} \cdot 10^{{{int(exponent)}}}$"


def draw(findings, tables):
    convex, rows = tables["convex"], list(findings["rows"].values())
    fig = style.plt.figure(figsize=(style.DOUBLE, 4.9), layout="constrained")
    upper, lower = fig.subfigures(2, 1, height_ratios=(1.25, 1))
    axis = upper.subplots()
    axis.set_axis_off()
    cells = [
        [
            row["architecture"],
            row["regulariser"],
            power(row["dual gap"]),
            power(row["network"]),
            row["reached"],
            power(row["below"]),
        ]
        for row in rows
    ]
    heads = [
        "architecture",
        r"regulariser, times $\beta$",
        "largest\nduality gap",
        "|network $- p^*$|\nlargest, rel.",
        "descent within\n$10^{-4}$",
        "least of all\nends $- p^*$, rel.",
    ]
    body = axis.table(
        cells,
        colLabels=heads,
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
    axis.set_title("(a)", loc="left", fontweight="bold")
    axes = lower.subplots(1, 3)
    drawn = [pd.DataFrame(rows)]
    for panel, key in zip(axes, ("unpooled", "two_relu_shared", "two_relu_unshared"), strict=True):
        own = convex[convex.architecture == key].sort_values(["beta_fraction", "seed"])
        places = np.arange(len(own))
        if key == "two_relu_unshared":
            kinds = (("program", "$p_F$ (Frobenius)"),)
        else:
            kinds = (("frobenius", "$p_F$ (Frobenius)"), ("nuclear", "$p_N$ (nuclear)"))
        for i, (quantity, label) in enumerate(kinds):
            difference = (1 - own[quantity] / own.objective).abs().clip(lower=FLOOR)
            panel.plot(
                places,
                difference,
                linestyle="",
                marker=style.MARKERS[i],
                markersize=2.8,
                color=style.COLOURS[i],
                label=label,
            )
        panel.axhline(findings["bound"], **style.THEORY)
        groups = own.groupby("beta_fraction").size()
        middle = np.cumsum(groups) - groups / 2 - 0.5
        panel.set_xticks(middle, [f"{fraction:g}" for fraction in groups.index])
        panel.set(yscale="log", ylim=(FLOOR / 3, 1e4), xlabel=r"$\beta / \beta_{\max}$")
        panel.set_title(name(key), loc="right")
        panel.legend(loc="upper left", ncols=2, handletextpad=0.2, columnspacing=0.8)
    axes[0].set_ylabel("|relaxed value $- p^*$| / $p^*$")
    for letter, panel in zip("bcd", axes, strict=True):
        panel.set_title(f"({letter})", loc="left", fontweight="bold")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
