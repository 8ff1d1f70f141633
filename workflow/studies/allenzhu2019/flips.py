"""P6: how many activations a perturbation flips."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import data_of, farthest, median, slope, slopes_by
from workflow.studies.allenzhu2019.looks import (
    kinds,
    median_curve,
    power_line,
    room,
    sizes,
    ticks,
)


def judge(tables, claims, rng):
    omega, depth = tables["perturbed_omega"], tables["perturbed_depth"]
    depth = depth.assign(share=depth.most_flipped / (depth.omega ** (2 / 3) * depth.depth))
    deep = claims["P6c"].rows(depth)
    shares = deep.groupby(["seed", "depth"]).share.median().unstack("depth")
    growth = shares[shares.columns.max()] / shares[shares.columns.min()]
    adversary, control = (
        slope(claims[name].rows(omega), "omega", "flipped", rng) for name in ("P6", "P6x")
    )
    generic = slopes_by(claims["P6b"].rows(omega), "perturbation", "omega", "flipped", rng)
    return {
        "P6": adversary,
        "P6b": farthest(generic, claims["P6b"], "For the {} perturbation."),
        "P6c": median(growth.to_numpy()[:, None], rng, data_of(deep)),
        "P6x": control,
        "slopes": generic | {"adversary": adversary},
        "shares": deep,
    }


def draw(findings, tables):
    table, depth = tables["perturbed_omega"], tables["perturbed_depth"]
    fig, (flips, bound) = style.panels(2, height=2.8)
    drawn = []

    for i, kind in kinds(table):
        rows = table[table.perturbation == kind]
        drawn.append(
            median_curve(
                flips, rows, "omega", "flipped", i, kind, slope=findings["slopes"].get(kind)
            ).assign(panel="(a)")
        )
    ends = np.array([table.omega.min(), table.omega.max()])
    for kind, beside, exponent, text in (
        ("adversary", 1.5, 2 / 3, "slope 2/3"),
        ("gaussian", 0.55, 1, "slope 1"),
    ):
        rows = table[(table.perturbation == kind) & (table.omega == ends[0])]
        power_line(flips, ends, beside * rows.flipped.median(), exponent, text)
    flips.set(
        xscale="log",
        yscale="log",
        xlabel=r"$\omega = \|W'\|_2$",
        ylabel="share of activations flipped",
    )
    first = table.iloc[0]
    flips.set_title(
        f"$m = {first.width}$, $L = {first.depth}$, {table.seed.nunique()} seeds", loc="right"
    )
    room(flips, below=0.12)
    flips.legend(loc="lower right")

    adversary = findings["shares"]
    for i, omega in sizes(adversary.omega):
        rows = adversary[adversary.omega == omega]
        label = rf"$\omega = {omega:.2g}$"
        drawn.append(
            median_curve(bound, rows, "depth", "share", i, label).assign(panel="(b)", omega=omega)
        )
    bound.set(
        xscale="log",
        xlabel="depth $L$",
        ylabel=r"share in the worst layer / $(\omega^{2/3} L)$",
        ylim=(0, None),
    )
    ticks(bound, depth.depth)
    bound.set_title(f"$m = {depth.width.iloc[0]}$, {depth.seed.nunique()} seeds", loc="right")
    bound.legend(loc="upper right")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
