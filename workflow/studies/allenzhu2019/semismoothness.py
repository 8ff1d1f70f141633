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
    }


def draw(findings, tables):
    table = findings["shares"]
    fig, (misses, shares) = style.panels(2, height=3.0)
    drawn = []

    width = table.width.max()
    start = table[(table.iteration == 0) & (table.width == width)]
    for i, kind in kinds(start):
        rows = start[start.perturbation == kind]
        drawn.append(
            median_curve(
                misses, rows, "omega", "size", i, kind, slope=findings["slopes"][kind]
            ).assign(panel="(a)")
        )
    # The two theory lines start together above the data, where nothing else is drawn.
    omega = np.sort(table.omega.unique())
    ends = np.array([1, (omega[-1] / omega[0]) ** 0.35]) * omega[0]
    above = 300 * start[start.omega == omega[0]]["size"].max()
    power_line(misses, ends, above, 1, "slope 1")
    power_line(misses, ends, above, 2, "slope 2")
    misses.set(
        xscale="log",
        yscale="log",
        xlabel=r"$\|W'\|_2$",
        ylabel=r"$|F(W+W') - F(W) - \langle\nabla F(W), W'\rangle|$",
    )
    misses.set_title(f"$m = {width}$, {start.seed.nunique()} seeds", loc="right")

    largest = table.groupby(["perturbation", "omega"])[["share", "free"]].max().reset_index()
    for i, kind in kinds(table):
        rows = largest[largest.perturbation == kind]
        for column, fill in (("share", "full"), ("free", "none")):
            above = rows[rows[column] > 0]
            shares.plot(
                above.omega,
                above[column],
                marker=style.MARKERS[i],
                fillstyle=fill,
                **style.look(i),
            )
    for fill, label in (("full", "the bound"), ("none", "without its growth in $m$")):
        shares.plot([], [], linestyle="", marker="o", color="0.3", fillstyle=fill, label=label)
    shares.legend(loc="lower right", handlelength=1)
    shares.axhline(1, **style.THEORY)
    shares.set(
        xscale="log",
        yscale="log",
        xlabel=r"$\|W'\|_2$",
        ylabel="largest residual over the bound",
    )
    widths = ", ".join(map(str, sorted(table.width.unique())))
    shares.set_title(f"$m =$ {widths}; {table.iteration.nunique()} times", loc="right")
    drawn.append(largest.assign(panel="(b)"))
    room(misses, below=0.25)
    misses.legend(loc="lower right")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
