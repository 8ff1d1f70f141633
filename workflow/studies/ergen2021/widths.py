"""Claim 4: end objectives of many restarts against the number of filters."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, sign_test
from workflow.studies import study, style
from workflow.studies.ergen2021.common import best, excess, share
from workflow.studies.verdicts import Measured, exactly

FLOOR = 1e-9


def judge(tables, claims, rng):
    table = tables["widths"].assign(excess=excess(tables["widths"]))
    seeds = table.seed.nunique()
    gaps = best(table, ["beta", "seed", "width", "samples", "filters"])
    thin = claims["4"].rows(gaps)
    few, many = instance_shares(claims["4b"], table).to_numpy().T
    wins, pairs, p_value = sign_test(many - few)
    shares = {
        group: mean_share(claims["4c"], rows, rng)
        for group, rows in table.groupby(["beta", "width"])
    }

    def judged(claim):
        """The share that a claim speaks of: its rows are of one beta and one width."""
        (group,) = claim.rows(table).groupby(["beta", "width"]).groups
        return group

    _, full = judged(claims["4c"])
    by_beta = {beta: found.value for (beta, width), found in shares.items() if width == full}
    said = ", ".join(f"{value:.0%} at {beta:g}" for beta, value in by_beta.items())
    return {
        "1y": share(claims["1y"], claims["1y"].rows(gaps), seeds),
        "4": exactly(
            thin.excess.min(),
            seeds=seeds,
            note=f"{len(thin)} of {gaps.groupby(['beta', 'seed']).ngroups} instances have m* >= 2.",
        ),
        "4b": exactly(p_value, seeds=seeds, note=f"More in {wins} of {pairs} pairs."),
        "4c": shares[judged(claims["4c"])]._replace(note=f"By beta: {said}."),
        "4x": shares[judged(claims["4x"])],
        "shares": shares,
        "within": claims["4c"].given["within"],
        "half": claims["4c"].at_least,
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
    betas = tables["widths"].beta.nunique()
    fig, axes = style.panels(betas + 1, height=2.5, width_ratios=[1.3] * betas + [1])
    share_axis, drawn = axes[-1], []
    everything = tables["widths"].assign(excess=lambda t: excess(t))
    for i, (axis, (beta, table)) in enumerate(zip(axes, everything.groupby("beta"), strict=False)):
        full = 2 * table.samples.iloc[0]
        widths = sorted(table.width.unique())
        places = np.arange(len(widths))
        for quantity, how, j in (("median restart", "median", 0), ("best restart", "min", 1)):
            values = (
                table.groupby(["seed", "width"]).excess.agg(how).clip(lower=FLOOR).reset_index()
            )
            values["place"] = values.width.map(dict(zip(widths, places, strict=True)))
            drawn.append(values.assign(beta=beta, quantity=quantity))
            axis.plot(
                values.place + 0.16 * (2 * j - 1),
                values.excess,
                linestyle="",
                marker=style.MARKERS[j],
                color=style.COLOURS[j],
                alpha=0.7,
                label=quantity,
            )
        filters = table.groupby("seed").filters.first()
        for k, count in enumerate(sorted(filters.unique())):
            axis.axvline(
                np.interp(count, widths, places),
                color="0.15",
                linestyle=":",
                linewidth=0.5 + 3 * (filters == count).mean(),
                zorder=0,
                label="$m^*$ of the optimum" if not k else None,
            )
        axis.axhline(findings["within"], **style.THEORY)
        axis.set(yscale="log", xlabel="filters $m$", xticks=places, ylim=(FLOOR / 300, 1e4))
        axis.set_xticklabels([f"{m}" + ("\n$= 2n$" if m == full else "") for m in widths])
        axis.set_title(rf"$\beta = {beta:g}$, {table.seed.nunique()} seeds", loc="right")
        axis.legend(loc="lower left", labelspacing=0.25)
        found = pd.DataFrame([findings["shares"][beta, width] for width in widths])
        share_axis.errorbar(
            places,
            found.value,
            (found.value - found.low, found.high - found.value),
            marker=style.MARKERS[i],
            elinewidth=0.7,
            label=rf"$\beta = {beta:g}$",
            **style.look(i),
        )
        found = found[["value", "low", "high"]].rename(columns={"value": "share"})
        drawn.append(found.assign(width=widths, beta=beta))
    axes[0].set_ylabel("(end objective $- p^*$) / $p^*$")
    share_axis.axhline(findings["half"], **style.THEORY)
    share_axis.set(
        xlabel="filters $m$",
        ylabel=f"share of restarts within $10^{{{np.log10(findings['within']):.0f}}}$",
        ylim=(-0.03, 1.03),
        xticks=places,
    )
    share_axis.set_xticklabels(map(str, widths))
    share_axis.legend(loc="upper left")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
