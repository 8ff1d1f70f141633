"""P6: how many activations a perturbation flips."""

import numpy as np
import pandas as pd

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import farthest, highest, slope, slopes_by
from workflow.studies.allenzhu2019.looks import (
    kinds,
    median_curve,
    plain_ticks,
    power_line,
    room,
    ticks,
)


def judge(tables, claims, rng):
    omega, drawn = tables["perturbed_omega"], tables["perturbed_drawn"]
    spent = [claims["P6c"].rows(tables[name]) for name in ("perturbed_depth", "perturbed_split")]
    deep = pd.concat(spent, ignore_index=True)
    deep = deep.assign(share=deep.most_flipped / deep.omega ** (2 / 3), subset=deep.omega)
    growth = slopes_by(deep, "perturbation", "depth", "most_flipped", rng)
    generic = slopes_by(claims["P6b"].rows(omega), "perturbation", "omega", "flipped", rng)
    adversary = slope(claims["P6"].rows(omega), "omega", "flipped", rng)
    return {
        "P6": adversary,
        "P6b": farthest(generic, claims["P6b"], "For the {} perturbation."),
        "P6c": highest(growth, "For the {}."),
        "P6d": slope(claims["P6d"].rows(drawn), "omega", "flipped", rng),
        "P6x": slope(claims["P6x"].rows(tables["perturbed_control"]), "omega", "flipped", rng),
        "slopes": generic | {"adversary": adversary},
        "by width": slopes_by(drawn, "width", "omega", "flipped", rng),
        "growth": growth,
        "shares": deep,
    }


def draw(findings, tables):
    table, depth = tables["perturbed_omega"], tables["perturbed_depth"]
    fig, (flips, extrapolated, bound) = style.panels(3, height=2.8)
    drawn = []

    for i, kind in kinds(table):
        rows = table[table.perturbation == kind]
        drawn.append(
            median_curve(
                flips,
                rows,
                "omega",
                "flipped",
                i,
                kind,
                slope=findings["slopes"].get(kind),
                narrow=True,
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
    flips.set_title(f"$m = {first.width}$, {table.seed.nunique()} seeds", loc="right")
    room(flips, below=0.45)
    flips.legend(loc="lower right")

    for width, found in findings["by width"].items():
        error = [[found.value - found.low], [found.high - found.value]]
        extrapolated.errorbar(width, found.value, error, marker="o", capsize=2, **style.look(0))
    extrapolated.axhline(2 / 3, **style.THEORY)
    extrapolated.set(
        xscale="log", xlabel="width $m$", ylabel=r"exponent in $\omega$", ylim=(0.57, 0.72)
    )
    ticks(extrapolated, tables["perturbed_drawn"].width, apart=0.3)
    extrapolated.set_title(f"{tables['perturbed_drawn'].seed.nunique()} seeds", loc="right")
    extrapolated.annotate("2/3", (0.3, 2 / 3 + 0.004), xycoords=("axes fraction", "data"))
    widths = [dict(width=width, **found._asdict()) for width, found in findings["by width"].items()]
    drawn.append(pd.DataFrame(widths).assign(panel="(b)"))

    shares = findings["shares"]
    sizes = shares[shares.perturbation == "adversary"].omega.unique()
    at = sizes[np.abs(np.log(sizes / 0.03)).argmin()]
    labels = {"adversary": "a budget a layer", "split adversary": "one budget, split"}
    for i, (kind, label) in enumerate(labels.items()):
        rows = shares[shares.perturbation == kind]
        rows = rows[rows.omega == at] if kind == "adversary" else rows
        found = findings["growth"].get(kind)
        drawn.append(
            median_curve(
                bound, rows, "depth", "share", 3 * i, label, slope=found, narrow=True
            ).assign(panel="(c)")
        )
    start = shares[shares.depth == shares.depth.min()].share.median()
    power_line(bound, np.sort(depth.depth.unique())[[0, 1]], start, 1, "slope 1", offset=(-32, 2))
    bound.set(
        xscale="log",
        yscale="log",
        xlabel="depth $L$",
        ylabel=r"share in the worst layer / $\omega^{2/3}$",
        ylim=(0.5, 3),
    )
    plain_ticks(bound, "y")
    ticks(bound, depth.depth)
    bound.set_title(f"{depth.seed.nunique()} seeds", loc="right")
    bound.legend(loc="lower left")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
