"""Claim 7: the optimum over the cells of T sampled gates."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, excess
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    table = tables["gates"].assign(excess=excess(tables["gates"]))
    seeds = table.seed.nunique()
    nested = claims["7"].rows(table)
    found = nested.groupby("gates")[["cells", "all_cells"]].mean()
    share = found.cells / found.all_cells
    return {
        "7": exactly(
            nested.excess.min(),
            seeds=seeds,
            note="Cells found: "
            + ", ".join(f"{value:.0%} at T = {count}" for count, value in share.items())
            + ".",
        ),
        "7b": exactly(rise(claims["7b"].rows(table)), seeds=seeds),
        "7x": exactly(rise(claims["7x"].rows(table)), seeds=seeds),
        "bound": claims["7b"].at_most,
    }


def rise(table):
    """Largest increase of the excess from one number of gates to the next."""
    by_gates = table.pivot(index="seed", columns="gates", values="excess").sort_index(axis=1)
    return by_gates.diff(axis=1).max(axis=None)


def draw(findings, tables):
    table = tables["gates"].assign(excess=excess(tables["gates"]))
    fig, (gap, coverage) = style.panels(2, height=2.5)
    looks = {
        "nested": (0, "prefixes of one sequence"),
        "fresh": (1, "drawn anew for each $T$ (7x)"),
    }
    drawn = []
    for kind, (i, label) in looks.items():
        rows = table[table.study == kind]
        for seed, run in rows.groupby("seed"):
            gap.plot(
                run.gates,
                run.excess.clip(lower=FLOOR),
                marker=style.MARKERS[i],
                linewidth=0.8,
                alpha=0.8,
                label=label if not seed else None,
                **style.look(i),
            )
        drawn.append(rows)
    nested = table[table.study == "nested"].assign(share=lambda t: t.cells / t.all_cells)
    drawn.append(style.curve(coverage, nested, "gates", "share", 0, "cells found", markers=True))
    gap.axhline(findings["bound"], **style.THEORY)
    gap.set(
        xscale="log",
        yscale="log",
        xlabel="sampled gates $T$",
        ylabel="$(p_T - p^*)\\, /\\, p^*$",
    )
    gap.set_title(f"{table.seed.nunique()} instances, $n = {table.samples.iloc[0]}$", loc="right")
    gap.legend(loc="lower left")
    coverage.axhline(1, color="0.4", linewidth=0.8)
    coverage.set(
        xscale="log", xlabel="sampled gates $T$", ylabel="share of all cells found", ylim=(0, 1.03)
    )
    cells = np.unique(nested.all_cells)
    count = f"{cells.min()}" if len(cells) == 1 else f"{cells.min()}-{cells.max()}"
    coverage.set_title(f"of {count} cells", loc="right")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
