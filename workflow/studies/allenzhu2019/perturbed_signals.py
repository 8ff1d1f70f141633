"""P7, P8: what a perturbation changes in the signals and in the gradient."""

import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import highest, slope, slopes_by
from workflow.studies.allenzhu2019.looks import judged, kinds, median_curve, room

CHANGES = {"forward_change": "P7", "backward_change": "P8 P8b", "gradient_change": "P8c P8d"}


def judge(tables, claims, rng):
    omega, found, in_omega = tables["perturbed_omega"], {}, {}
    for column, names in CHANGES.items():
        in_omega[column] = slopes_by(omega, "perturbation", "omega", column, rng)
        for name in names.split():
            rows = claims[name].rows(omega)
            found[name] = slope(rows, "omega", column, rng)
            # The CSV tells what is judged.
            in_omega[column] |= dict.fromkeys(rows.perturbation, found[name])
    drawn = claims["P8e"].rows(tables["perturbed_drawn"])
    found["P8e"] = slope(drawn, "omega", "backward_change", rng)
    control = claims["P8x"].rows(tables["perturbed_control"])
    found["P8x"] = slope(control, "omega", "backward_change", rng)
    deep, exploding = (
        in_depth(claims[name].rows(tables[table]), rng)
        for name, table in (("P7b", "perturbed_depth"), ("P7x", "perturbed_variance"))
    )
    found["P7b"] = highest(deep, "For the {} perturbation.")
    found["P7x"] = highest(exploding, "For the {} perturbation.")
    return found | {"drawn": drawn, "in omega": in_omega, "claims": claims}


def in_depth(rows, rng):
    """Slope in the depth for every kind of perturbation; a trial is a seed and an omega."""
    return slopes_by(rows.assign(subset=rows.omega), "perturbation", "depth", "forward_change", rng)


def draw(findings, tables):
    table, depth = tables["perturbed_omega"], tables["perturbed_depth"]
    claims, looks = findings["claims"], kinds(tables["perturbed_omega"])
    fig, axes = style.panels(3, rows=2, height=4.9)
    forward, backward, gradient, slopes, extrapolated, deep = axes
    style.title(forward, "a", "the last layer moves in proportion to the weights")
    style.title(backward, "b", "backward vectors change by roots of that")
    style.title(gradient, "c", "so does the gradient")
    style.title(slopes, "d", "a cube root at worst, a square root along the gradient")
    style.title(extrapolated, "e", "wide networks, small steps: the adversary's 1/3")
    style.title(deep, "f", "within a power of the depth; with variance $8/m$ beyond it")
    drawn = []

    for axis, column, ylabel in (
        (forward, "forward_change", r"$\|h_L(W') - h_L\|$"),
        (backward, "backward_change", "relative change, backward vector"),
        (gradient, "gradient_change", r"relative change of $\nabla f$"),
    ):
        for kind, look in looks.items():
            rows = table[table.perturbation == kind]
            drawn.append(median_curve(axis, rows, "omega", column, look, kind))
        axis.set(xscale="log", yscale="log", xlabel=r"$\omega = \|W'\|_2$", ylabel=ylabel)
    rows = claims["P8x"].rows(tables["perturbed_control"])
    look = style.control("gradient, anew")
    drawn.append(median_curve(backward, rows, "omega", "backward_change", look))
    for axis in (backward, gradient):
        style.plain_ticks(axis, "y")
    first = table.iloc[0]
    note = f"$m = {first.width}$, $L = {first.depth}$,\n{table.seed.nunique()} seeds"
    style.corner(forward, note, "lower right")

    cells = {
        "P7": ("(a)", "gradient"),
        "P8": ("(b)", "adversary"),
        "P8b": ("(b)", "gradient"),
        "P8x": ("(b)", "control"),
        "P8c": ("(c)", "adversary"),
        "P8d": ("(c)", "gradient"),
    }
    for y, (name, (_, kind)) in enumerate(cells.items()):
        one, claim = findings[name], claims[name]
        asked = (claim.at_least, y - 0.35), claim.at_most - claim.at_least, 0.7
        slopes.add_patch(Rectangle(*asked, facecolor="0.88", linewidth=0, zorder=0.5))
        look = style.control() if kind == "control" else looks[kind]
        error = [[one.value - one.low], [one.high - one.value]]
        slopes.errorbar(one.value, y, xerr=error, capsize=2, **look)
    for exponent in (1 / 3, 1 / 2, 1):
        slopes.axvline(exponent, **style.THEORY)
    slopes.plot([], [], label="theory: exponents", **style.THEORY)
    names = [f"{panel} {kind}" for panel, kind in cells.values()]
    slopes.set(yticks=range(len(cells)), yticklabels=names, ylim=(len(cells) + 0.1, -0.6))
    slopes.set(xlabel=r"slope in $\omega$ (grey: criteria)", xlim=(0.2, 1.15))
    for column, found in findings["in omega"].items():
        drawn.append(pd.DataFrame(found.values()).assign(curve=list(found), quantity=column))

    wide = findings["drawn"]
    drawn.append(median_curve(extrapolated, wide, "omega", "backward_change", looks["adversary"]))
    omega = np.sort(wide.omega.unique())
    middle = wide[wide.omega == omega[0]].backward_change.median()
    line = 1.15 * middle * (omega / omega[0]) ** (1 / 3)
    extrapolated.plot(omega, line, **style.THEORY)
    extrapolated.set(xscale="log", yscale="log", xlabel=r"$\omega$")
    extrapolated.set_ylabel("relative change, backward vector")
    style.plain_ticks(extrapolated, "y")
    room(extrapolated, below=0.25)
    judged(extrapolated, findings, "P8e", "slope", (0.97, 0.1), digits=3)
    style.corner(extrapolated, f"$m = {wide.width.max()}$", "upper left")

    # In proportion to omega, as (a) shows: the median over omega keeps the depth alone.
    for kind, look in looks.items():
        rows = depth[depth.perturbation == kind]
        rows = rows.assign(share=rows.forward_change / rows.omega)
        drawn.append(median_curve(deep, rows, "depth", "share", look))
    rows = claims["P7x"].rows(tables["perturbed_variance"])
    rows = rows.assign(share=rows.forward_change / rows.omega)
    look = style.control("variance $8/m$", i=1)
    drawn.append(median_curve(deep, rows, "depth", "share", look))
    depths = np.sort(depth.depth.unique()).astype(float)
    usual = depth[(depth.depth == depths[0]) & (depth.perturbation == "gradient")]
    line = 1.5 * (usual.forward_change / usual.omega).median() * (depths / depths[0]) ** 2.5
    style.bound(deep, depths, line, "below", at=1).set_label("theorem: at most as $L^{5/2}$")
    deep.set(xscale="log", yscale="log", xlabel="depth $L$")
    deep.set_ylabel(r"$\|h_L(W') - h_L\| \,/\, \omega$")
    style.ticks(deep, depths)
    room(deep, above=0.2, below=0.2)
    judged(deep, findings, "P7b", "largest slope", (0.97, 0.09))
    judged(deep, findings, "P7x", "slope", (0.03, 0.92))
    style.legend_below(fig)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
