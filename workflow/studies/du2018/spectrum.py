"""Claim 12d: filter error along the eigenvectors of E[Z_pp Z_pp^T] at w*, over epochs."""

import numpy as np

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.du2018.image_runs import RUN, at_the_end, of_runs
from workflow.studies.verdicts import Measured


def judge(tables, claims, rng):
    last, claim = at_the_end(tables["image_training"]), claims["12d"]
    spectrum = of_runs(tables["image_spectrum"], last[claim.succeeded(last)])
    about = {"seeds": last.seed.nunique(), "data": last.data.iloc[0]}
    half = claim.given["low"]
    end = shares_low(at_the_end(spectrum), half, about, rng)
    start = shares_low(claims["12x"].rows(spectrum), half, about, rng)
    return {
        "12d": min(end.values(), key=lambda measured: measured.value),
        "12x": max(start.values(), key=lambda measured: measured.value),
        "shares": {"end": end, "start": start},
    }


def shares_low(rows, half, about, rng):
    """(teacher, start) to the median share of the squared error in the low directions."""
    low = rows.direction > half * rows.direction.max()
    squares = rows.component**2
    runs = [rows[key] for key in RUN]
    shares = squares.where(low, 0.0).groupby(runs).sum() / squares.groupby(runs).sum()
    return {
        cell: Measured(np.median(values), *bootstrap(values, rng), **about)
        for cell, values in shares.groupby(["teacher", "start_distance"])
    }


def draw(findings, tables):
    fig, axes = style.panels(2, height=2.5, sharey=True)
    drawn = []
    for axis, kind in zip(axes, ("random", "gabor"), strict=True):
        table = tables["image_spectrum"].query("teacher == @kind")
        distance = table.start_distance.min()
        rows = table[table.start_distance == distance]
        last = rows.epoch.max()
        for i, epoch in enumerate(sorted({0, 1, round(last / 4), last})):
            part = rows[rows.epoch == epoch]
            drawn.append(
                style.curve(
                    axis, part, "direction", "component", i, f"epoch {epoch}", markers=True
                ).assign(teacher=kind)
            )
        spectrum = rows.drop_duplicates(["seed", "direction"]).pivot(
            index="seed", columns="direction", values="eigenvalue"
        )
        relative = spectrum.div(spectrum[1], axis=0).median()
        axis.plot(
            relative.index,
            relative,
            color="0.4",
            linestyle=":",
            label=r"eigenvalue, $\lambda_j / \lambda_1$",
        )
        name = "Gabor teacher" if kind == "gabor" else "random teachers"
        axis.set(
            yscale="log",
            xlabel=r"eigenvector of $E[Z_{pp} Z_{pp}^T]$ at $w^*$ (largest first)",
            title=rf"{name}, $r_0 = {distance:g}$, {rows.seed.nunique()} seeds",
            xlim=(0.5, rows.direction.max() + 0.5),
        )
        axis.set_ylim(1e-6, 2)
    axes[0].set_ylabel(r"$|\langle w - w^*, v_j\rangle| / \|w^*\|$")
    fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
