"""Claim 3, Theorem 2.1: recovery against the loss of the start, and the two controls."""

import numpy as np
import pandas as pd

from workflow.studies import study, style
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    table = tables["basin"]
    claim, seeds = claims["3"], table.seed.nunique()
    table = table.assign(recovered=claim.succeeded(table), below=table.start_loss < 1)
    regular = claim.rows(table)
    shares = regular.groupby("law").recovered.mean()
    note = f"{len(regular)} starts below l(0), {shares.size} laws."
    found = {"3": exactly(shares.min(), seeds=seeds, note=note)}
    for control in ("3x", "3y"):
        rows = claims[control].rows(table)
        note = f"Median loss at the end: {rows.end_loss.median():.2g} of l(0)."
        found[control] = exactly(rows.recovered.mean(), seeds=seeds, note=note)
    return found | {
        "shares": table.groupby(["below", "law"]).recovered.agg(["mean", "size"]),
        "tolerance": claim.given["tolerance"],
    }


def draw(findings, tables):
    table = tables["basin"]
    fig, (starts, shares) = style.panels(2, height=3.4)

    def name(law):
        """Name of a law in mathematical type, with the control it is."""
        extra = {
            "one-sided cap": " (3x)",
            "rank 3 in R^5": " (3y)",
            "two-sided cap": "\n(beyond hypotheses)",
        }.get(law, "")
        law = law.replace("R^5", "$R^5$").replace("sigma = inf", "SIGMA = $\\infty$")
        law = law.replace("sigma", "SIGMA").replace("SIGMA", r"$\sigma$")
        return law + extra

    for i, (law, group) in enumerate(table.groupby("law", sort=False)):
        shown = group.filter_error.clip(lower=1e-17)
        starts.plot(
            group.start_loss,
            shown,
            linestyle="",
            marker=style.MARKERS[i],
            markersize=2.2,
            alpha=0.55,
            rasterized=True,
            color=style.COLOURS[i],
            label=name(law),
        )
    starts.axhline(findings["tolerance"], **style.THEORY)
    starts.axvline(1, color="0.4", linewidth=0.8)
    starts.text(0.85, 2e-18, r"$l(w_0) < l(0)$", ha="right", fontsize=6.5)
    starts.set(
        xscale="log",
        yscale="log",
        xlabel=r"loss of the start, $l(w_0) / l(0)$",
        ylabel=r"$\|w_T - w^*\| / \|w^*\|$",
        ylim=(3e-19, 1e3),
        title="end of gradient descent",
    )
    laws = list(table.law.unique())
    drawn = []
    for below, marker, shift in ((True, "o", -0.2), (False, "s", 0.2)):
        shown = findings["shares"].query("below == @below").droplevel("below")
        part = shown.reindex(laws)
        places = np.arange(len(laws)) + shift
        shares.plot(
            part["mean"],
            places,
            linestyle="",
            marker=marker,
            color=style.COLOURS[0 if below else 1],
            label=r"$l(w_0) < l(0)$" if below else r"$l(w_0) \geq l(0)$",
        )
        for y, n in zip(places, part["size"], strict=True):
            if np.isfinite(n):
                shares.text(0.5, y, f"n = {n:.0f}", fontsize=6, va="center", ha="center")
        drawn.append(part.reset_index().assign(below=below))
    shares.set(
        yticks=range(len(laws)),
        yticklabels=[name(law) for law in laws],
        xlabel="share of starts that recover $w^*$",
        xlim=(-0.05, 1.05),
        ylim=(len(laws) - 0.5, -0.5),
        title=f"{table.seed.nunique()} seeds",
    )
    shares.legend(loc="upper center", bbox_to_anchor=(0.4, -0.16), ncols=2, handlelength=1)
    starts.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, handlelength=1)
    return fig, [pd.concat(drawn)]


if __name__ == "__main__":
    study.main(judge, draw)
