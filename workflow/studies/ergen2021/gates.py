"""Claim 7: the optimum over the cells of T sampled gates."""

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, excess, judged, strip
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
    table = tables["gates"].assign(excess=lambda t: excess(t).clip(lower=FLOOR))
    nested, fresh = (table[table.study == kind] for kind in ("nested", "fresh"))
    fig, (falls, rises, coverage) = style.panels(3, height=2.9)
    style.title(falls, "a", "more gates of one sequence: the gap only falls")
    style.title(rises, "b", "with gates drawn anew it rises now and then")
    style.title(coverage, "c", "many cells are still unfound where gaps close")
    style.runs(falls, nested, "gates", "excess", label="an instance")
    falls.set(xscale="log", yscale="log", xlabel="sampled gates $T$", ylim=(FLOOR / 3, 30))
    falls.set_ylabel("$(p_T - p^*)\\, /\\, p^*$")
    for place, (rows, look) in enumerate(
        (
            (nested, style.measured(0, label="gates of one sequence")),
            (fresh, style.control("drawn anew")),
        )
    ):
        wide = rows.pivot(index="seed", columns="gates", values="excess")
        steps = wide.diff(axis=1).max(axis=1).clip(lower=FLOOR)
        strip(rises, place, steps, look, look["label"], 0.5)
    style.criterion(rises, at_most=findings["bound"])
    rises.set(yscale="log", ylim=(FLOOR / 3, 30), ylabel="largest rise of an instance")
    rises.set_xticks([0, 1], ["one sequence", "control:\ndrawn anew"])
    rises.set_xlim(-0.5, 1.5)
    judged(falls, findings["7"], "least {}", (0.03, 0.08))
    judged(rises, findings["7b"], "largest {}", (0.03, 0.3))
    judged(rises, findings["7x"], "largest {}", (0.97, 0.96), color=style.VERMILLION)
    nested = nested.assign(share=lambda t: t.cells / t.all_cells)
    look = style.measured(0)
    drawn = style.curve(coverage, nested, "gates", "share", look, "cells found")
    coverage.axhline(1, label="all cells", **style.THEORY)
    coverage.set(xscale="log", xlabel="sampled gates $T$", ylim=(0, 1.05))
    coverage.set_ylabel("share of the cells found")
    style.legend_below(fig)
    return fig, [table, drawn]


if __name__ == "__main__":
    study.main(judge, draw)
