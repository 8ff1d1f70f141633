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
from workflow.studies.allenzhu2019.looks import judged, median_curve, room
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
        "from": claims["P11x"].rows(initial).width.min(),
        "claims": claims,
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
    fig, axes = style.panels(3, rows=2, height=5.1)
    stops, vanishes, trains, norms, backward, residual = axes
    drawn = [curves]
    draw_duplicates(stops, vanishes, findings, curves[curves.study == "duplicates"])

    style.title(trains, "c", "a deep network trains with variance $2/m$ only")
    rows = curves[(curves.study == "variances") & (curves.seed < SHOWN)]
    draw_variances(trains, findings, rows)

    style.title(norms, "d", "other variances blow the signal up or let it fade")
    rows = findings["growth"]
    for variance, look in looks(rows.variance).items():
        part = rows[rows.variance == variance]
        drawn.append(style.curve(norms, part, "layer", "growth", look, None))
        at = np.array(sorted(part.layer.unique()))
        norms.plot(at, (variance / 2) ** (at / 2), **style.THEORY)
    norms.plot([], [], label="theory: $(c/2)^{l/2}$", **style.THEORY)
    norms.set(yscale="log", xlabel="layer $l$", ylabel=r"$\|h_l\| / \|h_0\|$")
    judged(norms, findings, "N3b", "exponent at $l = 8$:", (0.03, 0.9))
    room(norms, above=0.3)
    style.legend_below(norms, ncols=2)

    style.title(backward, "e", "likewise the backward vectors")
    flat = initial[(initial.study == "backward") & (initial.width >= findings["from"])]
    for variance, look in looks(flat.variance).items():
        part = flat[flat.variance == variance]
        drawn.append(median_curve(backward, part, "layer", "value", look))
    claim = findings["claims"]["P11x"]
    style.criterion(backward, claim.at_least, claim.at_most, at=0.02, inside=False)
    backward.set(yscale="log", xlabel="layer $a$", ylim=(0.7, 20))
    backward.set_ylabel(r"$\|B D_L W_L \cdots D_a W_a\| / \sqrt{m}$")
    style.plain_ticks(backward, "y")
    judged(backward, findings, "P11x", "worst\nmedian", (0.97, 0.87))
    style.legend_below(backward)

    style.title(residual, "f", "residual networks blow up unless the skips are scaled")
    rows = initial[initial.study == "residual"]
    for scale, look in (
        ("1 / L", style.measured(0, label=r"$\tau = 1/L$")),
        ("1", style.control(r"$\tau = 1$")),
    ):
        part = rows[rows.skip_scale == scale]
        drawn.append(style.curve(residual, part, "depth", "value", look, None))
    depths = np.array(sorted(rows.depth.unique()))
    residual.plot(depths, 2.0 ** (depths / 2), label="theory: $2^{L/2}$", **style.THEORY)
    style.criterion(residual, at_most=findings["claims"]["N4b"].at_most, inside=False)
    residual.set(xscale="log", yscale="log", xlabel="depth $L$", ylabel=r"$\|h_L\| / \|h_0\|$")
    residual.set(ylim=(0.03, 1e7))
    style.ticks(residual, depths)
    style.judged(residual, findings["N4b"], "deepest: {}", (0.97, 0.06))
    power = np.floor(np.log10(findings["N4x"].value))
    blown = findings["N4x"]._replace(
        **{name: getattr(findings["N4x"], name) / 10**power for name in ("value", "low", "high")}
    )
    deepest = f"control, deepest:\n{{}} $\\times 10^{{{{{power:.0f}}}}}$"
    style.judged(residual, blown, deepest, (0.03, 0.9), digits=1, color=style.VERMILLION)
    style.legend_below(residual, ncols=2)
    return fig, drawn


def looks(variances):
    """Looks of the variances c/m: 2 is what the theorems ask for, all others are controls."""
    found = {}
    for i, c in enumerate(sorted(set(variances))):
        usual = style.measured(0, label="$c = 2$")
        found[c] = usual if c == 2 else style.control(f"$c = {c:g}$", i + 1)
    return found


def draw_duplicates(stops, vanishes, findings, rows):
    """Loss and gradient where every input comes with two labels."""
    style.title(stops, "a", "an input with two labels: the loss stops short of zero")
    style.title(vanishes, "b", "the gradient vanishes there, though the loss does not")
    closed = rows.assign(plateau=rows.relative_loss / (1 + rows.excess_loss))
    closed = closed.assign(least=closed.gradient_ratio / closed.relative_loss)
    thin = {"linewidth": 0.7, "markersize": 2.5, "alpha": 0.8}
    lines(stops, closed, "relative_loss", **style.control("two labels", **thin))
    first = closed[closed.seed == closed.seed.min()]
    level = first.plateau.iloc[0]
    stops.axhline(level, label=r"theory: $\sum (y_i - y_j)^2 / 4$, first run", **style.THEORY)
    style.criterion(stops, at_most=findings["claims"]["N1x"].at_most, at=0.02)
    stops.set(xscale="log", yscale="log", xlabel="iteration $+ 1$", ylabel="$F_t / F_0$")
    stops.set(ylim=(1e-8, 3))
    off = findings["N1b"].value
    note = rf"off the closed form: $\leq 10^{{{np.ceil(np.log10(off)):.0f}}}$" if off else ""
    stops.text(0.03, 0.5, note, transform=stops.transAxes, fontsize=style.SMALL, color=style.INK)
    style.judged(
        stops,
        findings["N1x"],
        "control: least end {}",
        (0.03, 0.42),
        color=style.VERMILLION,
    )
    style.legend_below(stops)

    lines(vanishes, closed, "least", **style.control("two labels", **thin))
    vanishes.set(xscale="log", yscale="log", xlabel="iteration $+ 1$")
    vanishes.set_ylabel(r"$\rho_t / \rho_0$, $\rho = \|\nabla F\|^2 / F$")
    judged(vanishes, findings, "P4x", "end over\nthe kernel's edge:\n", (0.03, 0.2))
    style.legend_below(vanishes)


def draw_variances(axis, findings, rows):
    """Training curves for every variance, with the step of the usual one."""
    for variance, look in looks(rows.variance).items():
        part = rows[(rows.variance == variance) & (rows.relative_loss < 1e6)]
        lines(axis, part, "relative_loss", **look | {"linewidth": 0.7, "markersize": 2.5})
    style.criterion(axis, at_most=findings["tolerance"], at=0.02)
    axis.set(xscale="log", yscale="log", xlabel="iteration $+ 1$", ylabel="$F_t / F_0$")
    axis.set(ylim=(1e-4, 1e6))
    judged(axis, findings, "N3c", "$c = 2$, share:\n", (0.97, 0.86))
    judged(axis, findings, "N3x", "best share\n", (0.97, 0.57))
    style.legend_below(axis, ncols=2)


def lines(axis, rows, column, label, **look):
    """A line a run, labelled once, with few marks."""
    for number, (_, run) in enumerate(rows.groupby(["seed", "subset"])):
        run = run[(run[column] > 1e-30) & (run[column] < 1e30)]
        at = {"markevery": max(1, len(run) // 4), "label": None if number else label}
        axis.plot(run.iteration + 1, run[column], **at | look)


if __name__ == "__main__":
    study.main(judge, draw)
