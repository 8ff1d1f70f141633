"""P6: how many activations a perturbation flips."""

import numpy as np
import pandas as pd

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import farthest, highest, slope, slopes_by
from workflow.studies.allenzhu2019.looks import judged, kinds, median_curve, room


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
        "claims": claims,
    }


def draw(findings, tables):
    table, claims = tables["perturbed_omega"], findings["claims"]
    fig, axes = style.panels(2, rows=2, height=4.7)
    flips, slopes, extrapolated, bound = axes
    style.title(flips, "a", "an adversary flips far more activations than chance")
    style.title(slopes, "b", "only the adversary has the lemma's exponent, nearly")
    style.title(extrapolated, "c", "at small $\\omega$ its exponent is close to 2/3")
    style.title(bound, "d", "deep networks flip hardly more, though allowed")
    looks, drawn = kinds(table), []

    for kind, look in looks.items():
        rows = table[table.perturbation == kind]
        drawn.append(median_curve(flips, rows, "omega", "flipped", look, kind))
    rows = tables["perturbed_control"]
    rows = claims["P6x"].rows(rows)
    drawn.append(median_curve(flips, rows, "omega", "flipped", style.control("gaussian, anew")))
    flips.set(xscale="log", yscale="log", xlabel=r"$\omega = \|W'\|_2$")
    flips.set_ylabel("share of activations flipped")
    first = table.iloc[0]
    style.corner(flips, f"$m = {first.width}$, {table.seed.nunique()} seeds", "lower right")
    room(flips, below=0.1)

    cells = {kind: (findings["slopes"][kind], look) for kind, look in looks.items()}
    cells["control: gaussian, anew"] = findings["P6x"], style.control()
    drawn.append(dots(slopes, cells))
    slopes.set(yticks=range(len(cells)), yticklabels=cells, ylim=(len(cells) - 0.5, -0.9))
    slopes.set(xlabel=r"log-log slope in $\omega$ (grey: criteria)", xlim=(0.55, 1.12))
    for name in ("P6", "P6b"):
        style.criterion(slopes, claims[name].at_least, claims[name].at_most, "", "x")
    for exponent in (2 / 3, 1):
        slopes.axvline(exponent, **style.THEORY)

    widths = findings["by width"]
    found = pd.DataFrame(widths.values()).assign(width=list(widths))
    ends = found.value - found.low, found.high - found.value
    look = looks["adversary"]
    extrapolated.errorbar(found.width, found.value, ends, capsize=2, **look)
    extrapolated.axhline(2 / 3, label="theory: exponent", **style.THEORY)
    claim = claims["P6d"]
    style.criterion(extrapolated, claim.at_least, claim.at_most)
    extrapolated.set(xscale="log", xlabel="width $m$", ylabel=r"adversary's slope in $\omega$")
    extrapolated.set(ylim=(0.63, 0.7))
    style.ticks(extrapolated, found.width)
    style.judged(extrapolated, findings["P6d"], "widest: {}", (0.97, 0.06), digits=3)
    drawn.append(found)

    shares = findings["shares"]
    sizes = shares[shares.perturbation == "adversary"].omega.unique()
    at = sizes[np.abs(np.log(sizes / 0.03)).argmin()]
    for kind, look, label in (
        ("adversary", looks["adversary"], None),
        ("split adversary", style.measured(5), "adversary, one budget split"),
    ):
        rows = shares[shares.perturbation == kind]
        rows = rows[rows.omega == at] if kind == "adversary" else rows
        drawn.append(median_curve(bound, rows, "depth", "share", look, label))
    start = shares[shares.depth == shares.depth.min()].share.median()
    depths = np.sort(shares.depth.unique()).astype(float)
    line = 1.1 * start * depths / depths[0]
    style.bound(bound, depths, line, "below", at=0.5).set_label("theorem: at most as $L$")
    bound.set(xscale="log", yscale="log", xlabel="depth $L$")
    bound.set_ylabel(r"share in the worst layer / $\omega^{2/3}$")
    style.plain_ticks(bound, "y")
    style.ticks(bound, depths)
    judged(bound, findings, "P6c", "larger slope", (0.97, 0.1))
    room(bound, below=0.3)
    style.legend_below(fig)
    return fig, drawn


def dots(axis, cells):
    """Findings with their intervals, one a row: name to finding and look."""
    for y, (one, look) in enumerate(cells.values()):
        error = [[one.value - one.low], [one.high - one.value]]
        axis.errorbar(one.value, y, xerr=error, capsize=2, **look)
    return pd.DataFrame([one for one, _ in cells.values()]).assign(curve=list(cells))


if __name__ == "__main__":
    study.main(judge, draw)
