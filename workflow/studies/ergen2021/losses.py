"""Claim 15: the logistic loss, certified and trained."""

import numpy as np
import pandas as pd

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, excess, judged, share, strip
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
    return findings | {
        "bound": claims["15"].at_most,
        "within": claims["15b"].given["within"],
        "share": claims["15b"].at_least,
    }


def draw(findings, tables):
    table = tables["logistic"].assign(excess=lambda t: excess(t))
    wide, narrow = table[table.width > 1], table[(table.width == 1) & (table.filters >= 2)]
    fig, (gaps, ends, shares) = style.panels(3, height=3.0, width_ratios=(1, 1.1, 0.9))
    style.title(gaps, "a", "every optimum of the logistic loss is certified")
    style.title(ends, "b", "training comes to it, one filter does not")
    style.title(shares, "c", "nearly every data set is solved")
    fractions = sorted(wide.beta_fraction.unique())
    names = [rf"${fraction:g}\,\beta_{{\max}}$" for fraction in fractions]
    kinds = ((wide, style.measured(0)), (narrow, style.control()))
    labels = (f"best restart, $m = {wide.width.iloc[0]}$", "control: $m = 1$")
    for place, fraction in enumerate(fractions):
        own = wide[wide.beta_fraction == fraction].gap.clip(lower=FLOOR)
        strip(gaps, place, own, style.measured(2), None, 0.6)
        for i, ((rows, look), label) in enumerate(zip(kinds, labels, strict=True)):
            values = rows[rows.beta_fraction == fraction].excess.clip(lower=FLOOR)
            strip(ends, place + 0.4 * (i - 0.5), values, look, None if place else label, 0.3)
    for axis in (gaps, ends):
        axis.set_xticks(range(len(fractions)), names)
        axis.set(xlim=(-0.5, len(fractions) - 0.5), xlabel=r"$\beta$", yscale="log")
    gaps.set(ylabel="duality gap $(p^* - d^*)\\, /\\, p^*$", ylim=(None, 1e-6))
    ends.set(ylabel="(best restart $- p^*$) $/\\, p^*$")
    style.criterion(gaps, at_most=findings["bound"])
    judged(gaps, findings["15"], "largest {}", (0.97, 0.96))
    style.criterion(ends, at_most=findings["within"], label="reached")
    found = pd.DataFrame([findings["15b"], findings["15x"]])
    for place, (row, (_, look)) in enumerate(zip(found.itertuples(), kinds, strict=True)):
        away = np.clip([[row.value - row.low], [row.high - row.value]], 0, None)
        shares.errorbar(place, row.value, away, capsize=2, elinewidth=0.9, **look)
    style.criterion(shares, findings["share"], at=0.98)
    shares.set(ylim=(-0.04, 1.04), xlim=(-0.6, 1.6), ylabel="share of data sets reached")
    shares.set_xticks([0, 1], [f"$m = {wide.width.iloc[0]}$", "control:\n$m = 1$"])
    style.judged(shares, findings["15b"], "{}", (0.03, 0.6))
    style.legend_below(fig)
    return fig, [table, found[["value", "low", "high"]].assign(width=["wide", "control: 1"])]


if __name__ == "__main__":
    study.main(judge, draw)
