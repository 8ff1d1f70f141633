"""P5: what the first-order expansion of the loss misses, and its share of the bound."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import data_of, farthest, most, slopes_by
from workflow.studies.allenzhu2019.looks import kinds, median_curve, power_line, room
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    table = tables["semismoothness"]
    factor = np.sqrt(table.width * np.log(table.width))
    table = table.assign(
        share=table.residual / (table.kink_term + table.smooth_term),
        free=table.residual / (table.kink_term / factor + table.smooth_term / table.width),
        size=table.residual.abs(),
    )
    middle = table.groupby(["seed", "perturbation", "omega"])["size"].median().reset_index()
    middle = middle.assign(data=data_of(table))
    slopes = slopes_by(middle, "perturbation", "omega", "size", rng)
    return {
        "P5": most(table, "share"),
        "P5b": farthest(slopes, claims["P5b"], "For {}."),
        "P5c": exactly(
            claims["P5c"].succeeded(table).mean(), seeds=table.seed.nunique(), data=data_of(table)
        ),
        "P5x": most(table, "free"),
        "slopes": slopes,
        "shares": table,
        "claims": claims,
    }


def draw(findings, tables):
    table = findings["shares"]
    fig, axes = style.panels(2, rows=2, height=4.7)
    misses, grows, shares, signs = axes
    style.title(misses, "a", "what the expansion misses grows faster than $\\|W'\\|$")
    style.title(grows, "b", "nearly the square, whatever the direction")
    style.title(shares, "c", "far below the bound; without its growth in $m$ it is violated")
    style.title(signs, "d", "the residual is mostly positive")
    looks, drawn = kinds(table), []

    width = table.width.max()
    start = table[(table.iteration == 0) & (table.width == width)]
    for kind, look in looks.items():
        rows = start[start.perturbation == kind]
        drawn.append(median_curve(misses, rows, "omega", "size", look, kind).assign(panel="(a)"))
    omega = np.sort(table.omega.unique())
    ends = omega[0] * np.array([1, (omega[-1] / omega[0]) ** 0.35])
    above = 1000 * start[start.omega == omega[0]]["size"].max()
    power_line(misses, ends, above, 1, "slope 1")
    power_line(misses, ends, above, 2, "slope 2")
    misses.set(ylabel=r"$|F(W+W') - F(W) - \langle\nabla F(W), W'\rangle|$")
    style.corner(
        misses, f"$m = {width}$, at the start, {start.seed.nunique()} seeds", "lower right"
    )

    for y, (kind, look) in enumerate(looks.items()):
        one = findings["slopes"][kind]
        error = [[one.value - one.low], [one.high - one.value]]
        grows.errorbar(one.value, y, xerr=error, capsize=2, **look)
    claim = findings["claims"]["P5b"]
    style.criterion(grows, claim.at_least, claim.at_most, along="x")
    grows.set(yticks=range(len(looks)), yticklabels=looks, xlim=(0.8, 2.5))
    grows.set(ylim=(len(looks) - 0.5, -0.5), xlabel="log-log slope in $\\|W'\\|$")

    largest = table.groupby(["perturbation", "omega"])[["share", "free"]].max().reset_index()
    for kind, look in looks.items():
        rows = largest[largest.perturbation == kind]
        shares.plot(rows.omega, rows.share.where(rows.share > 0), **look)
    free = table.groupby("omega").free.max()
    shares.plot(free.index, free, **style.control("bound without $m$"))
    style.criterion(shares, at_most=findings["claims"]["P5"].at_most, at=0.02, inside=False)
    shares.set(ylabel="largest residual / bound")
    style.judged(shares, findings["P5"], "largest: {}", (0.97, 0.5))
    style.judged(
        shares, findings["P5x"], "control: {}", (0.97, 0.95), digits=0, color=style.VERMILLION
    )

    positive = table.assign(share=table.residual >= 0)
    for kind, look in looks.items():
        rows = positive[positive.perturbation == kind].groupby("omega").share.mean()
        signs.plot(rows.index, rows, label=kind, **look)
        drawn.append(rows.reset_index().assign(perturbation=kind, panel="(d)"))
    style.criterion(signs, at_least=findings["claims"]["P5c"].at_least, at=0.02, inside=False)
    signs.set(ylabel="share of residuals $\\geq 0$", ylim=(0, 1.04))
    style.judged(signs, findings["P5c"], "all together {}", (0.97, 0.1))
    for axis in (misses, shares, signs):
        axis.set(xscale="log", xlabel=r"$\|W'\|_2$")
    for axis in (misses, shares):
        axis.set(yscale="log")
    room(shares, above=0.1)
    style.legend_below(fig)
    return fig, [*drawn, largest.assign(panel="(c)")]


if __name__ == "__main__":
    study.main(judge, draw)
