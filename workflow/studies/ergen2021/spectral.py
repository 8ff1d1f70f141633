"""Claim 9: sparse spectra of the circular network, and when its program is exact."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, best, share, strip
from workflow.studies.verdicts import Measured, exactly

# Claim to its data sets, and what they are.
CASES = {
    "9b": ("three", "$L = 3$"),
    "9b-product": ("product", "$L = 4$,\nproduct"),
    "9x": ("wrong", "control:\n$\\kappa = 1$"),
    "9y": ("short", "control:\nshort"),
    "9z": ("layers", "control:\neach"),
}


def judge(tables, claims, rng):
    spectra, circular = tables["spectra"], tables["circular"]
    by = ["dimension", "penalty"]
    medians = {group: exactly(rows.nonzero.median()) for group, rows in spectra.groupby(by)}
    sparse = {
        group: median_count(rows, rng) for group, rows in claims["9"].rows(spectra).groupby(by)
    }
    said = ", ".join(f"{found.value:g} of {d}" for (d, _), found in sparse.items())
    worst = max((below(found, d) for (d, _), found in sparse.items()), key=lambda m: m.value)
    dense = claims["9c"].rows(spectra)
    gaps = best(circular, ["study", "seed"])
    wrong = best(circular, ["study", "seed"], "wrong_program")
    return {
        "9": worst._replace(note=f"Medians {said}."),
        "9b": exact(claims["9b"], gaps),
        "9b-product": exact(claims["9b-product"], gaps),
        "9c": filled(dense, rng),
        "9x": control(claims["9x"], wrong),
        "9y": control(claims["9y"], gaps),
        "9z": control(claims["9z"], gaps),
        "medians": medians | sparse,
        "gaps": dict(list(gaps.groupby("study"))) | {"wrong": claims["9x"].rows(wrong)},
        "within": claims["9b"].given["within"],
        "share": claims["9b"].at_least,
    }


def median_count(rows, rng):
    """Median number of frequencies of a filter, bootstrapped over the seeds."""
    counts = [group.nonzero.to_numpy() for _, group in rows.groupby("seed")]

    def median(picks, axis):
        return np.median(np.concatenate([counts[i] for i in picks]))

    everyone = np.arange(len(counts))
    return Measured(median(everyone, 0), *bootstrap(everyone, rng, median), len(counts))


def filled(rows, rng):
    """Share of the frequencies that are not zero, bootstrapped over the seeds."""
    counts = rows.groupby("seed")[["nonzero", "dimension"]].sum().to_numpy()

    def share(drawn, axis):
        found, everything = drawn.sum(axis=0)
        return found / everything

    return Measured(share(counts, 0), *bootstrap(counts, rng, share), len(counts))


def below(found, d):
    """A number of frequencies less d."""
    return found._replace(value=found.value - d, low=found.low - d, high=found.high - d)


def exact(claim, gaps):
    """Share of the data sets whose best restart reaches the program."""
    rows = claim.rows(gaps)
    note = f"Worst gap {rows.excess.max():.1g}, lowest {rows.excess.min():.1g}."
    return share(claim, rows, rows.seed.nunique(), note=note)


def control(claim, gaps):
    """Share of the instances of another program that are within reach of it."""
    rows = claim.rows(gaps)
    note = f"Median difference {rows.excess.abs().median():.2g}."
    return share(claim, rows, len(rows), note=note)


def draw(findings, tables):
    table = tables["spectra"]
    fig, (counts, gaps, shares) = style.panels(3, height=3.3, width_ratios=(1.1, 1.5, 1))
    style.title(counts, "a", "circular filters are sparse in frequency")
    style.title(gaps, "b", "descent reaches the program, hardly ever a wrong one")
    style.title(shares, "c", "in nearly every data set")
    drawn = [draw_counts(counts, findings, table), *draw_gaps(gaps, findings)]
    drawn.append(draw_shares(shares, findings))
    style.legend_below(fig)
    return fig, drawn


def draw_counts(axis, findings, table):
    """Frequencies of active filters, the area of a mark the share of the filters."""
    names, drawn = [], []
    looks = {
        "spectral": style.measured(0, label="spectral $\\ell_1$ (circular)"),
        "group": style.measured(1, label="group $\\ell_2$"),
    }
    for place, ((d, penalty), rows) in enumerate(table.groupby(["dimension", "penalty"])):
        sizes = rows.nonzero.value_counts().sort_index()
        look = looks[penalty]
        area = 60 * np.sqrt(sizes / sizes.sum())
        marks = {"s": area, "linewidth": 0, "alpha": 0.8}
        where = np.full(len(sizes), place)
        axis.scatter(where, sizes.index, color=look["color"], marker=look["marker"], **marks)
        middle = findings["medians"][d, penalty].value
        axis.plot([place - 0.38, place + 0.38], [middle] * 2, color=style.INK, linewidth=1.4)
        names.append(f"{d}")
        drawn.append(sizes.reset_index().assign(dimension=d, penalty=penalty))
        if not place % 2:
            label = None if place else "theory: all $d$ frequencies"
            axis.plot([place - 0.45, place + 1.45], [d, d], label=label, **style.THEORY)
    for look in looks.values():
        axis.plot([], [], **look | {"linestyle": ""})
    axis.plot([], [], color=style.INK, linewidth=1.4, label="median")
    axis.set(xlabel="length of the signal $d$", ylabel="non-zero frequencies of a filter")
    axis.set(xticks=range(len(names)), ylim=(0, 1.4 * table.dimension.max()))
    axis.set_xticklabels(names)
    style.judged(axis, findings["9"], "spectral, median $- d$:\n{}", (0.02, 0.93), digits=1)
    style.judged(axis, findings["9c"], "group: share\n{}", (0.02, 0.56), digits=3)
    return pd.concat(drawn)


def draw_gaps(axis, findings):
    """Distance of the best restart to a program, a mark a data set."""
    for place, (_, (case, said)) in enumerate(CASES.items()):
        ends = findings["gaps"][case].excess.abs()
        look = style.measured(0, label="program as we understand it")
        look = style.control("another program") if said.startswith("control") else look
        label = look["label"] if place in (0, 2) else None
        strip(axis, place, ends.clip(lower=FLOOR), look, label, 0.6)
        yield findings["gaps"][case].assign(study=case)
    style.criterion(axis, at_most=findings["within"], label="reached", at=0.98)
    axis.set(yscale="log", ylim=(FLOOR / 3, 10), ylabel="|best restart $- p^*$| / $p^*$")
    axis.set_xticks(range(len(CASES)), [said for _, said in CASES.values()], fontsize=style.SMALL)
    axis.set_xlim(-0.5, len(CASES) - 0.5)


def draw_shares(axis, findings):
    """Share of the data sets that reach the program, with its Wilson interval."""
    found = pd.DataFrame([findings[claim]._asdict() | {"claim": claim} for claim in CASES])
    for place, (row, (_, said)) in enumerate(zip(found.itertuples(), CASES.values(), strict=True)):
        look = style.control() if said.startswith("control") else style.measured(0)
        away = np.clip([[row.value - row.low], [row.high - row.value]], 0, None)
        axis.errorbar(place, row.value, away, capsize=2, elinewidth=0.9, **look)
    style.criterion(axis, findings["share"], inside=False)
    names = [said.replace("control:\n", "") for _, said in CASES.values()]
    axis.set_xticks(range(len(names)), names, rotation=90, fontsize=style.SMALL)
    axis.set(ylim=(-0.04, 1.04), xlim=(-0.6, len(names) - 0.4), ylabel="share of data sets reached")
    return found


if __name__ == "__main__":
    study.main(judge, draw)
