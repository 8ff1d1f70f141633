"""Claim 4: end objectives of many restarts against the number of filters."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, sign_test
from workflow.studies import study, style
from workflow.studies.ergen2021.common import best, excess, judged, share, strip
from workflow.studies.verdicts import Measured, exactly

FLOOR = 1e-9


def judge(tables, claims, rng):
    table = tables["widths"].assign(excess=excess(tables["widths"]))
    seeds = table.seed.nunique()
    gaps = best(table, ["beta", "seed", "width", "samples", "filters"])
    thin = claims["4"].rows(gaps)
    pairs = instance_shares(claims["4b"], table)
    few, many = pairs.to_numpy().T
    wins, unequal, p_value = sign_test(many - few)
    shares = {
        group: mean_share(claims["4c"], rows, rng)
        for group, rows in table.groupby(["beta", "width"])
    }

    def judged_group(claim):
        """The share that a claim speaks of: its rows are of one beta and one width."""
        (group,) = claim.rows(table).groupby(["beta", "width"]).groups
        return group

    _, full = judged_group(claims["4c"])
    by_beta = {beta: found.value for (beta, width), found in shares.items() if width == full}
    said = ", ".join(f"{value:.0%} at {beta:g}" for beta, value in by_beta.items())
    return {
        "1y": share(claims["1y"], claims["1y"].rows(gaps), seeds),
        "4": exactly(
            thin.excess.min(),
            seeds=seeds,
            note=f"{len(thin)} of {gaps.groupby(['beta', 'seed']).ngroups} instances have m* >= 2.",
        ),
        "4b": exactly(p_value, seeds=seeds, note=f"More in {wins} of {unequal} pairs."),
        "4c": shares[judged_group(claims["4c"])]._replace(note=f"By beta: {said}."),
        "4x": shares[judged_group(claims["4x"])],
        "shares": shares,
        "best": gaps,
        "pairs": pairs,
        "full": judged_group(claims["4c"]),
        "half": claims["4c"].at_least,
        "least": claims["4"].at_least,
        "reached": claims["1y"].given["within"],
    }


def instance_shares(claim, table):
    """Share of the restarts that succeed: a row an instance, a column a width."""
    rows = claim.rows(table)
    by = [rows.beta, rows.seed, rows.width]
    return claim.succeeded(rows).groupby(by).mean().unstack("width")


def mean_share(claim, rows, rng):
    """Share of the restarts that succeed, mean over the seeds with its bootstrap interval."""
    shares = claim.succeeded(rows).groupby(rows.seed).mean().to_numpy()
    return Measured(shares.mean(), *bootstrap(shares, rng, np.mean), len(shares))


def draw(findings, tables):
    table = tables["widths"].assign(excess=excess(tables["widths"]))
    fig, (ends, shares, pairs) = style.panels(3, height=3.0, width_ratios=(1.3, 1.1, 1))
    style.title(ends, "a", "one filter is too few, more come nearer")
    full, half = findings["4c"], findings["half"]
    part = (
        "at least half"
        if full.low >= half
        else "fewer than half"
        if full.high < half
        else "about half"
    )
    style.title(shares, "b", rf"with a dozen {part} of the restarts reach it at large $\beta$")
    style.title(pairs, "c", "more of them than with three")
    colours = style.sequential(table.beta)
    drawn = [
        draw_ends(ends, findings, table, colours),
        draw_shares(shares, findings, table, colours),
        draw_pairs(pairs, findings, colours),
    ]
    for axis in (ends, shares):
        style.legend_below(axis, ncols=1)
    return fig, drawn


def draw_ends(axis, findings, table, colours):
    """The best restart of every instance; control: one filter."""
    widths, best = sorted(table.width.unique()), findings["best"]
    for i, (beta, color) in enumerate(colours.items()):
        label = rf"best restart, $\beta = {beta:g}$"
        for place, width in enumerate(widths):
            rows = best[(best.beta == beta) & (best.width == width)]
            look = style.measured(i, color=color)
            if width == 1:
                look = style.control(i=i)
            values = rows.excess.clip(lower=FLOOR)
            where = place + 0.4 * (i - (len(colours) - 1) / 2)
            strip(axis, where, values, look, label if place == len(widths) - 1 else None)
    axis.plot([], [], **style.control("one filter", linestyle=""))
    needed = np.interp(best.filters.max(), widths, range(len(widths)))
    axis.axvline(needed, label="theory: enough filters from here on", **style.THEORY)
    style.criterion(axis, at_most=findings["reached"], label="reached", at=0.02)
    too_few = {"at_least": findings["least"], "span": (-0.5, 0.5), "at": 0.02, "inside": False}
    style.criterion(axis, label="too few", **too_few)
    axis.set(yscale="log", ylim=(FLOOR / 3, 1e3), xlim=(-0.5, len(widths) - 0.5))
    axis.set(xlabel="filters $m$", ylabel="(best restart $- p^*$) / $p^*$")
    axis.set_xticks(range(len(widths)), widths)
    judged(axis, findings["4"], "one filter:\nleast {}", (0.02, 0.12), color=style.VERMILLION)
    return best


def draw_shares(axis, findings, table, colours):
    """Share of the restarts that succeed; control: one filter at the judged beta."""
    widths, drawn = sorted(table.width.unique()), []
    for i, (beta, color) in enumerate(colours.items()):
        found = pd.DataFrame([findings["shares"][beta, width] for width in widths])
        look = style.measured(i, color=color, label=rf"$\beta = {beta:g}$")
        ends = np.clip((found.value - found.low, found.high - found.value), 0, None)
        places = np.arange(len(widths)) + 0.12 * (i - (len(colours) - 1) / 2)
        axis.errorbar(places, found.value, ends, elinewidth=0.8, capsize=1.5, **look)
        found = found[["value", "low", "high"]].rename(columns={"value": "share"})
        drawn.append(found.assign(width=widths, beta=beta))
    beta, width = findings["full"]
    place = widths.index(width)
    axis.plot(0, findings["4x"].value, zorder=7, **style.control("one filter", linestyle=""))
    span = (place - 0.4, place + 0.4)
    style.criterion(axis, findings["half"], span=span, at=0.6)
    axis.set(xlim=(-0.4, len(widths) - 0.6), ylim=(-0.04, 1.04))
    axis.set(xlabel="filters $m$", ylabel="share of restarts at the optimum")
    axis.set_xticks(range(len(widths)), widths)
    style.judged(axis, findings["4c"], rf"$\beta = {beta:g}$: {{}}", (0.03, 0.95))
    return pd.concat(drawn)


def draw_pairs(axis, findings, colours):
    """Share of the restarts at few and at many filters, a mark an instance."""
    pairs = findings["pairs"]
    few, many = pairs.columns
    # Shares are eighths: marks that fall on each other are set a little apart.
    for i, (beta, own) in enumerate(pairs.groupby("beta")):
        apart = 0.012 * (np.arange(len(own)) % 5 - 2)
        look = style.measured(i, color=colours[beta], linestyle="")
        beside = 0.04 * (i - (len(colours) - 1) / 2)
        axis.plot(own[few] + apart + beside, own[many] + apart[::-1], clip_on=False, **look)
    axis.plot([0, 1], [0, 1], label="equal", **style.THEORY)
    axis.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04))
    axis.set(xlabel=f"share with $m = {few}$", ylabel=f"share with $m = {many}$")
    axis.set_xticks([0, 0.5, 1])
    tiny = findings["4b"].value < 1e-16
    text = "sign test\n$p < 10^{{-16}}$" if tiny else "sign test\n$p =$ {}"
    judged(axis, findings["4b"], text, (0.97, 0.14))
    axis.annotate("equal", (0.62, 0.6), fontsize=style.SMALL, va="top", color=style.INK)
    return pairs.stack().rename("share").reset_index()


if __name__ == "__main__":
    study.main(judge, draw)
