"""P4: the gradient is large whenever the loss is: rho stays in the band of the kernel."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import (
    LEVEL,
    NOTHING,
    by_seed,
    data_of,
    least,
    lowest,
    medians_by,
    most,
)
from workflow.studies.allenzhu2019.looks import descent_numbers, room, ticks
from workflow.studies.verdicts import Measured


def judge(tables, claims, rng):
    table = tables["descent"]
    table = table.assign(
        edge=table.least_ratio / (2 * table.lambda_min),
        top=table.greatest_ratio / (2 * table.lambda_max),
    )
    rows = {name: claim.rows(table) for name, claim in claims.items()}
    return {
        "P4": lowest(medians_by(rows["P4"], "width", "edge", rng)),
        "P4b": least(rows["P4b"], "edge"),
        "P4c": most(rows["P4c"], "top"),
        "P4d": edge_spread(rows["P4d"], rng),
        "judged": sorted(rows["P4"].width.unique()),
    }


def edge_spread(rows, rng):
    """Largest over least of the widths' median lower edges."""
    edges = rows.groupby("width").least_ratio.median()
    groups = [by_seed(part, "least_ratio") for _, part in rows.groupby("width")]
    if not groups:
        return NOTHING

    def spread(parts):
        values = [np.nanmedian(part) for part in parts]
        return max(values) / min(values)

    replicas = [
        spread([part[rng.integers(len(part), size=len(part))] for part in groups])
        for _ in range(2000)
    ]
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(replicas, [tail, 100 - tail])
    note = "Median edge " + ", ".join(f"{edge:.2f} (m = {m})" for m, edge in edges.items()) + "."
    return Measured(spread(groups), low, high, min(map(len, groups)), data_of(rows), note)


def draw(findings, tables):
    table, curves = tables["descent"], tables["descent_curves"]
    fig, (total, last, edges) = style.panels(3, height=2.8)
    drawn = []

    wide = findings["judged"]
    numbers = descent_numbers(table)
    for axis, column in ((total, "ratio"), (last, "last_ratio")):
        for width in wide:
            rows = curves[curves.width == width]
            path_of = rows.groupby("iteration")[column].agg(["median", "min", "max", "size"])
            # The median ends when half of the trials have converged, the range with the last.
            running = path_of["size"] >= path_of["size"].max() / 2
            axis.fill_between(
                path_of.index + 1,
                path_of["min"],
                path_of["max"],
                color=style.COLOURS[numbers[width]],
                alpha=0.13,
                linewidth=0,
            )
            axis.plot(
                path_of.index[running] + 1,
                path_of["median"][running],
                label=f"$m = {width}$",
                **style.look(numbers[width]),
            )
        axis.set(xscale="log", yscale="log", xlabel=r"iteration $+ 1$")
        drawn.append(curves[curves.width.isin(wide)].assign(panel=axis.get_title("left")))
    judged = table[table.width.isin(wide)]
    for column, text, x, side in (
        ("lambda_min", r"$2\lambda_{\min}/m$", 0.02, "left"),
        ("lambda_max", r"$2\lambda_{\max}/m$", 0.98, "right"),
    ):
        level = 2 * judged[column].median()
        total.axhline(level, **style.THEORY)
        total.annotate(
            text,
            (x, level),
            (0, 2.5),
            xycoords=total.get_yaxis_transform(),
            textcoords="offset points",
            ha=side,
            fontsize=6.5,
        )
    total.set_ylabel(r"$\rho_t = \|\nabla F\|_F^2 \,/\, (F m)$")
    last.set_ylabel(r"$\|\nabla_{W_L} F\|_F^2 \,/\, (F m)$")

    regular = table[table.lambda_min > 1e-10 * table.lambda_max]
    for i, (column, label, level) in enumerate(
        (
            ("greatest_ratio", r"$\max_t \rho_t$", "lambda_max"),
            ("least_ratio", r"$\min_t \rho_t$", "lambda_min"),
            ("least_last_ratio", "last layer", None),
        )
    ):
        edges.plot(
            regular.width,
            regular[column],
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            fillstyle="none",
            markersize=2.6,
            alpha=0.4,
        )
        median = regular.groupby("width")[column].median()
        edges.plot(median.index, median, marker=style.MARKERS[i], label=label, **style.look(i))
        if level:
            bound = 2 * regular.groupby("width")[level].median()
            edges.plot(bound.index, bound, **style.THEORY)
    edges.set(
        xscale="log", yscale="log", xlabel="width $m$", ylabel=r"edges of $\rho_t$ along the path"
    )
    ticks(edges, regular.width)
    room(edges, above=0.2)
    edges.legend(loc="upper right", ncols=2, handlelength=1.8, columnspacing=1, borderaxespad=0)
    drawn.append(regular.assign(panel="(c)"))
    total.legend(loc="upper right", bbox_to_anchor=(1, 0.86))
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
