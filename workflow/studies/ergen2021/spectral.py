"""Claim 9: sparse spectra of the circular network, and when its program is exact."""

import numpy as np

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, best, share
from workflow.studies.verdicts import Measured, exactly


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
        "9c": exactly((dense.nonzero / dense.dimension).min(), seeds=dense.seed.nunique()),
        "9x": control(claims["9x"], wrong),
        "9y": control(claims["9y"], gaps),
        "9z": control(claims["9z"], gaps),
        "medians": medians | sparse,
        "gaps": dict(list(gaps.groupby("study"))) | {"wrong": claims["9x"].rows(wrong)},
        "within": claims["9b"].given["within"],
    }


def median_count(rows, rng):
    """Median number of frequencies of a filter, bootstrapped over the seeds."""
    counts = [group.nonzero.to_numpy() for _, group in rows.groupby("seed")]

    def median(picks, axis):
        return np.median(np.concatenate([counts[i] for i in picks]))

    everyone = np.arange(len(counts))
    return Measured(median(everyone, 0), *bootstrap(everyone, rng, median), len(counts))


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
    fig, (counts, gaps) = style.panels(2, height=2.7, width_ratios=(1, 1.5))
    drawn, ticks = [], []
    labels = {"spectral": "spectral $\\ell_1$ (circular)", "group": "group $\\ell_2$"}
    for d, rows in table.groupby("dimension"):
        for i, (penalty, label) in enumerate(labels.items()):
            chosen = rows[rows.penalty == penalty]
            sizes = chosen.nonzero.value_counts().sort_index()
            place = len(ticks)
            ticks.append(f"{d}")
            counts.scatter(
                np.full(len(sizes), place),
                sizes.index,
                s=60 * np.sqrt(sizes / sizes.sum()),
                color=style.COLOURS[i],
                marker=style.MARKERS[i],
                alpha=0.8,
                linewidth=0,
                label=label if place < 2 else None,
            )
            median = findings["medians"][d, penalty].value
            counts.plot([place - 0.35, place + 0.35], [median] * 2, color="0.1", linewidth=1.4)
            drawn.append(sizes.reset_index().assign(dimension=d, penalty=penalty))
        counts.plot([len(ticks) - 2.5, len(ticks) - 0.5], [d, d], **style.THEORY)
    counts.set(
        xticks=range(len(ticks)),
        xlabel="length of the signal $d$",
        ylabel="non-zero frequencies of a filter",
        ylim=(0, 1.45 * table.dimension.max()),
    )
    counts.set_xticklabels(ticks)
    counts.set_title(f"{table.seed.nunique()} instances, rank {table['rank'].iloc[0]}", loc="right")
    legend = counts.legend(loc="upper left")
    for handle in legend.legend_handles:
        handle.set_sizes([14])
    names = {
        "circular_three": "$L = 3$\nfull length",
        "circular_product": "$L = 4$\nproduct bounded",
        "wrong": "control:\n$\\kappa = 1$",
        "circular_short": "control:\nshort",
        "circular_layers": "control:\neach bounded",
    }
    for place, case in enumerate(names):
        ends = findings["gaps"][case.removeprefix("circular_")].set_index("seed").excess.abs()
        gaps.plot(
            place + np.linspace(-0.3, 0.3, len(ends)),
            ends.clip(lower=FLOOR),
            linestyle="",
            marker=style.MARKERS[0 if place < 2 else 1],
            color=style.COLOURS[0 if place < 2 else 3],
            markerfacecolor=style.COLOURS[0] if place < 2 else "none",
            markersize=2.4,
            label={0: "exact", 2: "control"}.get(place),
        )
        drawn.append(ends.reset_index().assign(study=case))
    gaps.axhline(findings["within"], **style.THEORY)
    gaps.set(
        yscale="log",
        ylim=(FLOOR / 3, 1e3),
        ylabel="|best restart $- p^*$| / $p^*$",
        xticks=range(len(names)),
    )
    gaps.set_xticklabels(names.values(), fontsize=6)
    gaps.legend(loc="upper left", ncols=2)
    gaps.set_title(f"$d = {tables['circular'].dimension.iloc[0]}$", loc="right")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
