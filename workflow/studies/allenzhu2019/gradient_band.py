"""P4: the gradient is large whenever the loss is: the band of rho, and what its edge follows."""

import numpy as np

from cnntheory import images
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
    slope,
)
from workflow.studies.allenzhu2019.looks import (
    descent_numbers,
    median_curve,
    plain_ticks,
    power_line,
    room,
    ticks,
)
from workflow.studies.verdicts import Measured

# Exponents of the lower edge: claim to table, what is varied, and which edge.
EXPONENTS = {
    "P4e": ("times_kernel_pairs", "delta", "lambda_min"),
    "P4f": ("pairs", "delta", "least_ratio"),
    "P4g": ("times_samples", "samples", "least_ratio"),
    "P4h": ("times_samples", "samples", "lambda_min"),
}


def judge(tables, claims, rng):
    table = tables["descent"]
    table = table.assign(
        edge=table.least_ratio / (2 * table.lambda_min),
        top=table.greatest_ratio / (2 * table.lambda_max),
    )
    found = {
        "P4": lambda rows: lowest(medians_by(rows, "width", "edge", rng)),
        "P4b": lambda rows: least(rows, "edge"),
        "P4c": lambda rows: most(rows, "top"),
        "P4d": lambda rows: edge_spread(rows, rng),
    }
    findings = {"trials": table, "judged": sorted(claims["P4"].rows(table).width.unique())}
    for name, claim in claims.items():
        if name in EXPONENTS:
            which, x, y = EXPONENTS[name]
            findings[name] = slope(claim.rows(tables[which]), x, y, rng)
        else:
            findings[name] = found[name](claim.rows(table))
    return findings


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
    fig, axes = style.plt.subplots(2, 3, figsize=(style.DOUBLE, 5.2), layout="constrained")
    for letter, axis in zip("abcde", axes.flat, strict=False):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
    (total, last, edges), (separated, samples, legend) = axes
    legend.axis("off")
    drawn = exponents(separated, samples, legend, findings, tables)

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
    if found := findings.get(images.FASHION):
        again = found["trials"]
        edges.plot(
            1.15 * again.width,
            again.least_ratio,
            linestyle="",
            marker="x",
            color="0.45",
            markersize=3,
            markeredgewidth=0.7,
            label=images.FASHION,
        )
        drawn.append(again.assign(panel="(c)"))
    edges.set(
        xscale="log", yscale="log", xlabel="width $m$", ylabel=r"edges of $\rho_t$ along the path"
    )
    ticks(edges, regular.width)
    room(edges, above=0.3)
    edges.legend(loc="upper right", ncols=2, handlelength=1.8, columnspacing=1, borderaxespad=0)
    drawn.append(regular.assign(panel="(c)"))
    total.legend(loc="upper right", bbox_to_anchor=(1, 0.86))
    return fig, drawn


def exponents(separated, samples, legend, findings, tables):
    """The lower edge against delta and against n, for residuals met and for the worst one."""
    pairs, kernels, counts = (
        tables[name][tables[name].width == tables[name].width.max()]
        for name in ("pairs", "times_kernel_pairs", "times_samples")
    )
    cells = (
        (separated, pairs, kernels, "delta", 1, -1),
        (samples, counts, counts, "samples", -2, 0),
    )
    drawn = []
    for axis, met, rows, x, exponent, anchor in cells:
        rows = rows.assign(worst=2 * rows.lambda_min)
        drawn.append(median_curve(axis, met, x, "least_ratio", 0))
        drawn.append(median_curve(axis, rows, x, "worst", 1, fill="none"))
        values = sorted(rows[x].unique())
        ends = [values[0], min(values[-1], 2.2 * values[0])]
        level = rows.worst[rows[x] == values[0]].median() * (0.45 if exponent > 0 else 1)
        text = f"slope {exponent}".replace("-", "\N{MINUS SIGN}")
        power_line(axis, ends, level, exponent, text, anchor, (3, -7) if exponent > 0 else (3, 6))
        axis.set(xscale="log", yscale="log", ylabel=r"lower edge of $\rho_t$")
        ticks(axis, rows[x])
        plain_ticks(axis, "y")
    separated.set(xlabel=r"distance $\delta$ within a pair")
    samples.set(xlabel="number of images $n$")
    samples.set_title(f"$m = {counts.width.max()}$", loc="right")
    for i, (label, fill, ids) in enumerate(
        (
            (r"path: $\min_t \rho_t$", "full", ("P4f", "P4g")),
            (r"worst residual: $2\lambda_{\min}/m$", "none", ("P4e", "P4h")),
        )
    ):
        look = style.look(i) | {"marker": style.MARKERS[i], "fillstyle": fill}
        for name, one in zip((r"\delta", "n"), ids, strict=True):
            label += f"\nslope in ${name}$: {findings[one].text()}"
        legend.plot([], [], label=label, **look)
    legend.plot([], [], label="theorem's exponent,\na lower bound", **style.THEORY)
    legend.legend(loc="center left", title="(d), (e)")
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
