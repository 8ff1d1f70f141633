"""P7, P8: what a perturbation changes in the signals and in the gradient."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import highest, slope, slopes_by
from workflow.studies.allenzhu2019.looks import kinds, median_curve, power_line, room, ticks

CHANGES = {"forward_change": "P7", "backward_change": "P8 P8b", "gradient_change": "P8c P8d"}


def judge(tables, claims, rng):
    omega, found, in_omega = tables["perturbed_omega"], {}, {}
    for column, names in CHANGES.items():
        in_omega[column] = slopes_by(omega, "perturbation", "omega", column, rng)
        for name in names.split():
            rows = claims[name].rows(omega)
            found[name] = slope(rows, "omega", column, rng)
            # The figure prints what is judged.
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
    return found | {"drawn": drawn, "in omega": in_omega, "in depth": deep, "variance": exploding}


def in_depth(rows, rng):
    """Slope in the depth for every kind of perturbation; a trial is a seed and an omega."""
    return slopes_by(rows.assign(subset=rows.omega), "perturbation", "depth", "forward_change", rng)


def draw(findings, tables):
    table, depth = tables["perturbed_omega"], tables["perturbed_depth"]
    exploding = tables["perturbed_variance"]
    fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 5.0), layout="constrained")
    for letter, axis in zip("abcd", axes.ravel(), strict=True):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
    forward, backward, gradient, deep = axes.ravel()
    drawn = []

    ends = np.array([table.omega.min(), table.omega.max()])

    def level(kind, column):
        """Where a theory line starts: the kind's median at the least omega."""
        rows = table[(table.perturbation == kind) & (table.omega == ends[0])]
        return rows[column].median()

    changes = (
        (forward, "forward_change", r"$\|h_L(W') - h_L\|$"),
        (backward, "backward_change", "relative change of the\nbackward vector"),
        (gradient, "gradient_change", r"relative change of $\nabla f$"),
    )
    for axis, column, ylabel in changes:
        for i, kind in kinds(table):
            rows = table[table.perturbation == kind]
            drawn.append(
                median_curve(
                    axis, rows, "omega", column, i, kind, slope=findings["in omega"][column][kind]
                ).assign(panel=axis.get_title("left"))
            )
        axis.set(xscale="log", yscale="log", xlabel=r"$\omega = \|W'\|_2$", ylabel=ylabel)
    drawn.append(
        median_curve(
            backward,
            findings["drawn"],
            "omega",
            "backward_change",
            0,
            f"$m = {findings['drawn'].width.max()}$",
            "none",
            findings["P8e"],
            linewidth=0.8,
        ).assign(panel="(b)")
    )
    power_line(forward, ends, 2 * level("gradient", "forward_change"), 1, "slope 1")
    for axis, column, _ in changes[1:]:
        power_line(axis, ends, 1.35 * level("adversary", column), 1 / 3, "slope 1/3")
        power_line(axis, ends, level("gaussian", column) / 1.4, 1 / 2, "slope 1/2")
    for axis, _, _ in changes:
        room(axis, below=0.25)
        axis.legend(loc="lower right")
    first = table.iloc[0]
    forward.set_title(
        f"$m = {first.width}$, $L = {first.depth}$, {table.seed.nunique()} seeds", loc="right"
    )

    # In proportion to omega, as (a) shows: the median over omega keeps the depth alone.
    for rows_of, slopes, fill, name in (
        (depth, findings["in depth"], "full", "{}"),
        (exploding, findings["variance"], "none", "{}, variance 8/m"),
    ):
        for i, kind in kinds(rows_of):
            rows = rows_of[rows_of.perturbation == kind]
            rows = rows.assign(share=rows.forward_change / rows.omega)
            drawn.append(
                median_curve(
                    deep, rows, "depth", "share", i, name.format(kind), fill, slopes.get(kind)
                ).assign(panel="(d)")
            )
    depths = np.sort(depth.depth.unique())
    usual = depth[depth.depth == depths[0]]
    power_line(
        deep, depths[[0, -1]], 1.5 * (usual.forward_change / usual.omega).median(), 2.5, "slope 5/2"
    )
    deep.set(
        xscale="log",
        yscale="log",
        xlabel="depth $L$",
        ylabel=r"$\|h_L(W') - h_L\| \,/\, \omega$",
    )
    ticks(deep, depths)
    deep.set_title(f"$m = {depth.width.iloc[0]}$, {depth.seed.nunique()} seeds", loc="right")
    room(deep, above=0.42)
    deep.legend(loc="upper left")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
