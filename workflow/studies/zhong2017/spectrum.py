"""Z2-Z5: ends of the Hessian's exact spectrum against patches, the bound, closeness and size."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from cnntheory.stats import log_log_slope
from workflow.studies import study, style
from workflow.studies.verdicts import exactly
from workflow.studies.zhong2017.names import look, name, name_criterion, present, slopes_allowed

TRIAL = ["activation", "seed"]
LABELS = {
    "patches": "patches $r$",
    "kernels": "orthonormal kernels $t$",
    "kappa": r"condition number $\kappa$",
    "smallest": r"$\lambda_{\min}$",
    "largest": r"$\lambda_{\max}$",
}


def slopes(rows, x, y, by):
    """Log-log slopes of `y` against `x`, one for every group."""
    return rows.groupby(by)[[x, y]].apply(lambda g: log_log_slope(g[x], g[y].to_numpy()))


def judge(tables, claims, rng):
    rows = {key: claim.rows(tables["spectrum"]) for key, claim in claims.items()}

    def off(key, found):
        """The largest deviation of slopes from the one claimed."""
        return (found - claims[key].given["slope"]).abs().max()

    def by_patches(key, end):
        found = slopes(rows[key], "patches", end, TRIAL)
        return exactly(off(key, found), seeds=rows[key].seed.nunique())

    worst, plain, exact = rows["Z3"], rows["Z3x"], rows["Z3b"]
    ratios = (worst.smallest / worst.bound).groupby(worst.activation).min()
    told = ", ".join(f"{name(key)} {ratio:.3f}" for key, ratio in ratios.items())
    size = rows["Z5"].groupby(TRIAL)[["smallest", "largest"]]
    growth = np.maximum(
        slopes(rows["Z5b"], "kernels", "smallest", "activation").abs(),
        slopes(rows["Z5b"], "kernels", "largest", "activation") - claims["Z5b"].given["taken_off"],
    )
    tilts = {
        key: slopes(rows[key], "kappa", "smallest", "activation")
        for key in ("Z4-relu", "Z4-square", "Z4-odd")
    }
    return {
        "Z2": by_patches("Z2", "smallest"),
        "Z2b": by_patches("Z2b", "largest"),
        "Z2c": by_patches("Z2c", "largest"),
        "Z3": exactly(
            ratios.min(),
            seeds=worst.seed.nunique(),
            note=f"{told}; {worst.evaluations.median():.0f} teachers tried by each of {len(worst)} "
            "searches.",
        ),
        "Z3b": exactly((exact.smallest / exact.bound - 1).abs().max()),
        "Z3x": exactly(
            (plain.smallest / plain.bound / plain.kappa_lambda).min(), seeds=plain.seed.nunique()
        ),
        "Z5": exactly((size.max() / size.min() - 1).max().max(), seeds=rows["Z5"].seed.nunique()),
        "Z5b": exactly(growth.max()),
        "claims": claims,
        "slopes": {key: slope for found in tilts.values() for key, slope in found.items()},
    } | {key: exactly(off(key, found)) for key, found in tilts.items()}


def draw(findings, tables):
    parts = dict(list(tables["spectrum"].groupby("study")))
    fig, axes = style.panels(3, rows=2, height=5.4)
    least, largest, bound, parallel, constant, growth = axes
    titles = (
        "the least eigenvalue grows in proportion to the patches",
        "the largest as their square, or only in proportion",
        "a search finds no teacher below the bound",
        "near-parallel kernels flatten it, those of the ReLU family most",
        "orthonormal kernels: the bound itself, or more",
        "the largest grows no faster than their number",
    )
    for letter, axis, text in zip("abcdef", axes, titles, strict=True):
        style.title(axis, letter, text)
    drawn = [
        draw_ends(least, parts["patches"], "patches", "smallest"),
        draw_ends(largest, parts["patches"], "patches", "largest"),
        *draw_bound(bound, parts["bound"], parts["search"], findings),
        draw_ends(parallel, parts["parallel"], "kappa", "smallest"),
        draw_constant(constant, parts["orthonormal"], findings),
        draw_ends(growth, parts["orthonormal"], "kernels", "largest"),
    ]
    claims = findings["claims"]
    draw_powers(least, (1, 0.4, "$r$", None))
    draw_powers(largest, (1, 0.4, "$r$", claims["Z2c"]), (2, 3, "$r^2$", claims["Z2b"]))
    draw_powers(
        parallel,
        (-2, 3, r"$\kappa^{-2}$", claims["Z4-odd"]),
        (-3, 0.3, r"$\kappa^{-3}$", claims["Z4-relu"]),
        (-5, 0.3, r"$\kappa^{-5}$", claims["Z4-square"]),
    )
    draw_powers(growth, (1, 2, "$t$", None))
    write_judged(axes, findings)
    found = dict(zip(*reversed(parallel.get_legend_handles_labels()), strict=True))
    style.legend_below(bound)
    style.legend_below(fig, handles=list(found.values()), labels=list(found))
    return fig, drawn


def draw_ends(axis, rows, x, end):
    """Median over the teachers of one end of the spectrum, an activation a curve."""
    drawn = []
    for activation in present(rows):
        median = rows[rows.activation == activation].groupby(x)[end].median()
        axis.plot(median.index, median, **look(activation))
        drawn.append(median.rename("median").reset_index().assign(activation=activation, end=end))
    axis.set(xscale="log", yscale="log", xlabel=LABELS[x], ylabel=LABELS[end])
    if x == "kappa":
        style.plain_ticks(axis, "x")
    else:
        style.ticks(axis, rows[x])
    return pd.concat(drawn)


def write_judged(axes, findings):
    """The numbers judged: by how much slopes are off those of theory."""
    least, largest, _, parallel, _, growth = axes
    for axis, key, text, at, digits in (
        (least, "Z2", "slopes off 1 by {}", (0.03, 0.94), 4),
        (least, "Z5", "the same for all $k > t$ but for {}", (0.97, 0.05), 2),
        (largest, "Z2b", "ReLU family: off 2 by {}", (0.03, 0.94), 2),
        (largest, "Z2c", "others: off 1 by {}", (0.97, 0.05), 2),
        (parallel, "Z4-square", "squared ReLU: off \N{MINUS SIGN}5 by {}", (0.03, 0.05), 2),
        (parallel, "Z4-relu", "ReLU: off \N{MINUS SIGN}3 by {}", (0.03, 0.12), 2),
        (parallel, "Z4-odd", "others: off \N{MINUS SIGN}2 by {}", (0.03, 0.19), 2),
    ):
        style.judged(axis, findings[key], text, at, digits=digits)
    claim = findings["claims"]["Z5b"]
    text = f"exponents above {claim.given['taken_off']:g} by {{}},\n{claim.at_most:g} is allowed"
    style.judged(growth, findings["Z5b"], text, (0.97, 0.08))


def draw_powers(axis, *powers):
    """Powers that theory tells, with a fan of the slopes that a claim allows."""
    lines = [draw_power(axis, *power) for power in powers]
    low, high = axis.get_ylim()
    axis.set_ylim(bottom=low * (low / high) ** 0.2)  # room for what is judged
    for (power, *_, claim), line in zip(powers, lines, strict=True):
        if claim:
            off = claim.at_most
            slopes_allowed(axis, *line, SimpleNamespace(at_least=power - off, at_most=power + off))


def draw_power(axis, power, level, text, _):
    """A power that theory tells, `level` times the extreme curve on that side at its end."""
    curves = [np.array(line.get_xydata()) for line in axis.lines if line.get_marker() != "None"]
    start, end = curves[0][[0, -1], 0]
    # The curve whose own slope is nearest, for the line to stand beside it.
    slope = [np.log(c[-1, 1] / c[-2, 1]) / np.log(c[-1, 0] / c[-2, 0]) for c in curves]
    near = [c for c, own in zip(curves, slope, strict=True) if abs(own - power) < 0.3]
    pick = max if level > 1 else min
    middle = np.sqrt(start * end)
    anchor = pick(near, key=lambda c: c[-1, 1])[-1]
    x = np.array([middle, end])
    y = level * anchor[1] * (x / anchor[0]) ** power
    axis.plot(x, y, label="theory", **style.THEORY)
    axis.annotate(
        text,
        (x[1], y[1]),
        (3, 0),
        textcoords="offset points",
        va="center",
        fontsize=style.SMALL,
        color=style.INK,
        annotation_clip=False,
    )
    return x, y


def draw_bound(axis, random, worst, findings):
    """Least eigenvalue over the bound: random teachers, the worst found, and the control."""
    least = random.assign(ratio=random.smallest / random.bound)
    least = least.assign(plain=least.ratio / least.kappa_lambda).groupby("seed")
    least = least[["kappa", "ratio", "plain"]].min().reset_index()
    shown = style.control(r"without $1/(\kappa^2\lambda)$", linestyle="", markersize=3)
    axis.plot(least.kappa, least.plain, **shown)
    axis.plot(least.kappa, least.ratio, "o", color="0.6", markersize=2.5, label="random teachers")
    for activation in present(worst):
        part = worst[worst.activation == activation]
        shown = look(activation) | {"linestyle": "", "label": None}
        axis.plot(part.kappa, part.smallest / part.bound, **shown)
    style.criterion(axis, findings["claims"]["Z3"].at_least, label="")
    name_criterion(axis)
    text = f"worst found, in colour: least {findings['Z3'].text()}"
    axis.plot([], [], "D", color=style.INK, markersize=3, label=text)
    red = {"color": style.VERMILLION, "digits": 3}
    style.judged(axis, findings["Z3x"], "control: least {}", (0.03, 0.06), **red)
    axis.set(xscale="log", yscale="log", xlabel=LABELS["kappa"])
    axis.set_ylabel(r"$\lambda_{\min} / (r\,\rho(\sigma_t) / (\kappa^2 \lambda))$")
    style.plain_ticks(axis, "x")
    return [least, worst]


def draw_constant(axis, rows, findings):
    for activation in present(rows):
        part = rows[rows.activation == activation]
        axis.plot(part.kernels, part.smallest / part.bound, **look(activation))
    axis.axhline(1, **style.THEORY)
    style.judged(axis, findings["Z3b"], "ReLU, leaky ReLU, sigmoid:\noff 1 by {}", (0.97, 0.9))
    axis.set(xlabel=LABELS["kernels"], ylabel=r"$\lambda_{\min} / (r\,\rho(1))$")
    axis.set_ylim(bottom=0.9)
    return rows.assign(ratio=rows.smallest / rows.bound)


if __name__ == "__main__":
    study.main(judge, draw)
