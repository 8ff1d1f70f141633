"""Claim 15: the logistic loss, certified and trained."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, excess, share
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    table = tables["logistic"]
    table = table.assign(excess=excess(table))
    certified = claims["15"].rows(table)
    findings = {"15": exactly(certified.gap.max(), seeds=certified.seed.nunique())}
    for claim in ("15b", "15x"):
        rows = claims[claim].rows(table)
        findings[claim] = share(
            claims[claim],
            rows,
            rows.seed.nunique(),
            note=f"Median gap {rows.excess.median():.2g}, largest {rows.excess.max():.2g}, "
            f"lowest {rows.excess.min():.1g}.",
        )
    return findings | {"bound": claims["15"].at_most}


def draw(findings, tables):
    table = tables["logistic"]
    table = table.assign(excess=excess(table))
    fig, (gaps, ends) = style.panels(2)
    wide = table[table.width > 1]
    for i, (fraction, rows) in enumerate(wide.groupby("beta_fraction")):
        values = np.clip(np.sort(rows.gap), FLOOR, None)
        place = np.arange(1, len(values) + 1) / len(values)
        label = rf"$\beta = {fraction:g}\, \beta_{{\max}}$"
        gaps.plot(place, values, marker=style.MARKERS[i], label=label, **style.look(i))
    gaps.axhline(findings["bound"], **style.THEORY)
    gaps.set(
        yscale="log",
        xlabel="share of data sets",
        ylabel="duality gap $(p^* - d^*)\\, /\\, p^*$",
        ylim=(FLOOR / 3, 1e-5),
    )
    for width, rows in table[table.filters >= 2].groupby("width"):
        values = np.clip(np.sort(rows.excess), FLOOR, None)
        place = np.arange(1, len(values) + 1) / len(values)
        if width == 1:
            label = "control: $m = 1$"
            look = dict(color="#D55E00", linestyle="", marker="o", markerfacecolor="none")
        else:
            label, look = f"$m = {width}$", style.look(0) | dict(marker=style.MARKERS[0])
        ends.plot(place, values, label=label, **look)
    ends.axhline(1e-4, **style.THEORY)
    ends.set(
        yscale="log",
        xlabel="share of data sets with two or more filters",
        ylabel="(best restart $- p^*$) $/\\, p^*$",
        ylim=(FLOOR / 3, 1e3),
    )
    for axis in (gaps, ends):
        axis.legend(loc="upper left")
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
