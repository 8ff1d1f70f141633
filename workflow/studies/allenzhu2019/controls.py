"""N1, N3, N4: where a hypothesis is broken."""

import numpy as np

from cnntheory.stats import wilson
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import (
    by_seed,
    data_of,
    farthest,
    highest,
    least,
    median,
    medians_by,
    slope,
)
from workflow.studies.verdicts import Measured, exactly

SHOWN = 12  # networks of variance 2/m whose curves are drawn: of the others there are no more


def judge(tables, claims, rng):
    table, initial = tables["controls"], tables["initial"]
    twice, again, broken, usual = (
        claims[name].rows(table) for name in ("N1x", "P4x", "N3x", "N3c")
    )
    ratio = claims["N1b"].rows(table).plateau_ratio
    backward = medians_by(claims["P11x"].rows(initial), ["width", "layer"], "value", rng)
    growth = relative_norms(claims["N3b"].rows(initial))
    deep = growth[growth.layer == growth.depth]
    return {
        "P4x": median(by_seed(again, "least_ratio"), rng, data_of(again)),
        "P11x": farthest(backward, claims["P11x"], "m = {}, a = {}."),
        "N1x": least(
            twice, "end_loss", note=f"F over the closed form {twice.plateau_ratio.median():.6g}."
        ),
        "N1b": exactly((ratio - 1).abs().max(), seeds=twice.seed.nunique(), data=data_of(twice)),
        "N3x": highest(shares(broken, claims["N3x"]), "c = {:g}."),
        "N3b": slope(deep, "half", "growth", rng),
        "N3c": highest(shares(usual, claims["N3c"]), "c = {:g}."),
        "N4x": blow_up(claims["N4x"].rows(initial), rng),
        "N4b": blow_up(claims["N4b"].rows(initial), rng),
        "growth": growth,
        "tolerance": claims["N3c"].given["tolerance"],
    }


def shares(rows, claim):
    """Share of trials that succeed at every variance, with Wilson's interval."""
    counts = claim.succeeded(rows).groupby(rows.variance).agg(["sum", "size"])
    return {
        variance: Measured(part / trials, *wilson(part, trials), trials, data_of(rows))
        for variance, part, trials in counts.itertuples()
    }


def relative_norms(rows):
    """Norms of the layers over the one of layer 0, and half the variance's constant c."""
    start = rows[rows.layer == 0].set_index(["variance", "seed"]).value
    first = start.loc[list(zip(rows.variance, rows.seed, strict=True))].to_numpy()
    return rows.assign(growth=rows.value / first, half=rows.variance / 2)


def blow_up(rows, rng):
    """Median ||h_L|| / ||h_0|| at the largest depth."""
    depth = rows.depth.max()
    deepest = rows[rows.depth == depth]
    found = median(by_seed(deepest, "value"), rng, data_of(rows))
    return found._replace(note=f"L = {depth}.")


def draw(findings, tables):
    curves, initial = tables["controls_curves"], tables["initial"]
    fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 4.6), layout="constrained")
    (twice, deep), (norms, residual) = axes
    for letter, axis in zip("abcd", axes.flat, strict=True):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
    drawn = []

    rows = curves[curves.study == "duplicates"]
    thin = dict(linewidth=0.7, alpha=0.8)
    lines(twice, rows, "excess_loss", r"$F / F_\infty - 1$", color=style.COLOURS[0], **thin)
    lines(
        twice,
        rows,
        "gradient_ratio",
        r"$\|\nabla F\|^2 / \|\nabla F_0\|^2$",
        color=style.COLOURS[1],
        linestyle=style.LINES[1],
        **thin,
    )
    twice.set(
        xscale="log",
        yscale="log",
        xlabel="iteration + 1",
        title=r"duplicates: $F_\infty = \sum (y_i - y_j)^2/4$",
        ylim=(1e-18, 1e4),
    )
    twice.legend(loc="lower left")

    rows = curves[(curves.study == "variances") & (curves.seed < SHOWN)]
    for i, (variance, part) in enumerate(rows.groupby("variance")):
        lines(
            deep,
            part[part.relative_loss < 1e6],
            "relative_loss",
            f"$c = {variance:g}$",
            color=style.COLOURS[i],
            linestyle=style.LINES[i],
            **thin,
        )
    deep.axhline(findings["tolerance"], **style.THEORY)
    deep.set(
        xscale="log",
        yscale="log",
        xlabel="iteration + 1",
        ylabel="$F_t / F_0$",
        title="variance $c/m$, step of $c = 2$",
        ylim=(3e-4, 1e6),
    )
    deep.legend(loc="upper left", ncols=3)

    rows = findings["growth"]
    for i, (variance, part) in enumerate(rows.groupby("variance")):
        drawn.append(
            style.curve(
                norms, part, "layer", "growth", i, f"$c = {variance:g}$", markers=True
            ).assign(panel="c")
        )
        at = np.array(sorted(part.layer.unique()))
        norms.plot(at, (variance / 2) ** (at / 2), **style.THEORY)
    norms.plot([], [], label="$(c/2)^{l/2}$", **style.THEORY)
    norms.set(yscale="log", xlabel="layer $l$", ylabel=r"$\|h_l\| / \|h_0\|$")
    norms.legend(loc="lower left", ncols=2)
    norms.set_title(f"$m = {rows.width.iloc[0]}$, {rows.seed.nunique()} networks")

    rows = initial[initial.study == "residual"]
    for i, (scale, part) in enumerate(rows.groupby("skip_scale", sort=False)):
        label = r"$\tau = 1$" if scale == "1" else r"$\tau = 1/L$"
        drawn.append(
            style.curve(residual, part, "depth", "value", i, label, markers=True).assign(panel="d")
        )
    depths = np.array(sorted(rows.depth.unique()))
    residual.plot(depths, 2.0 ** (depths / 2), label=r"$2^{L/2}$", **style.THEORY)
    residual.set(xscale="log", yscale="log", xlabel="depth $L$", ylabel=r"$\|h_L\| / \|h_0\|$")
    residual.set_xticks(depths, depths)
    residual.xaxis.minorticks_off()
    residual.legend(loc="upper left")
    residual.set_title(f"residual, $m = {rows.width.iloc[0]}$, {rows.seed.nunique()} networks")
    return fig, [curves, *drawn]


def lines(axis, rows, column, label, **look):
    for number, (_, run) in enumerate(rows.groupby(["seed", "subset"])):
        run = run[(run[column] > 1e-30) & (run[column] < 1e30)]
        axis.plot(run.iteration + 1, run[column], label=label if number == 0 else None, **look)


if __name__ == "__main__":
    study.main(judge, draw)
