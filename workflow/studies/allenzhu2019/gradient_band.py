"""P4: the gradient is large whenever the loss is: the band of rho, and what its edge follows."""

import numpy as np

from cnntheory import images
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import (
    LEVEL,
    NOTHING,
    by_seed,
    data_of,
    lowest,
    medians_by,
    most,
    slope,
    with_least,
)
from workflow.studies.allenzhu2019.looks import (
    by_width,
    judged,
    median_curve,
    quartiles,
    room,
    second,
    trials,
)
from workflow.studies.verdicts import Measured

# Exponents of the lower edge: claim to table, what is varied, and which edge.
EXPONENTS = {
    "P4e": ("times_kernel_pairs", "delta", "lambda_min"),
    "P4f": ("pairs", "delta", "least_ratio"),
    "P4g": ("times_samples", "samples", "least_ratio"),
    "P4h": ("times_samples", "samples", "lambda_min"),
}

UPPER, LOWER = style.measured(0), style.measured(1)  # the two edges
WORDS = {"P4": "least median", "P4b": "least lower quartile\n", "P4c": "largest"}


def judge(tables, claims, rng):
    table = tables["descent"]
    table = table.assign(
        edge=table.least_ratio / (2 * table.lambda_min),
        top=table.greatest_ratio / (2 * table.lambda_max),
    )
    found = {
        "P4": lambda rows: lowest(medians_by(rows, "width", "edge", rng)),
        "P4b": lambda rows: with_least(
            lowest(medians_by(rows, "width", "edge", rng, part=0.25)), rows.edge
        ),
        "P4c": lambda rows: most(rows, "top"),
        "P4d": lambda rows: edge_spread(rows, rng),
    }
    wide = sorted(claims["P4"].rows(table).width.unique())
    findings = {"trials": table, "judged": wide, "claims": claims}
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

    medians = np.array([np.nanmedian(part) for part in groups])
    replicas = np.stack(
        [
            np.nanmedian(part[rng.integers(len(part), size=(2000, len(part)))], axis=(1, 2))
            for part in groups
        ]
    )
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(replicas.max(axis=0) / replicas.min(axis=0), [tail, 100 - tail])
    note = "Median edge " + ", ".join(f"{edge:.2f} (m = {m})" for m, edge in edges.items()) + "."
    least = min(map(len, groups))
    return Measured(medians.max() / medians.min(), low, high, least, data_of(rows), note)


def draw(findings, tables):
    table, wide = findings["trials"], findings["judged"]
    regular = table[table.lambda_min > 1e-10 * table.lambda_max]
    fig, axes = style.panels(3, rows=2, height=5.1)
    path, edges, lower, upper, separated, samples = axes
    drawn = [regular, *draw_path(path, tables["descent_curves"], table, wide)]

    style.title(edges, "b", "its edges hardly depend on the width")
    for look, column, name, level in (
        (UPPER, "greatest_ratio", r"$\max_t \rho_t$", "lambda_max"),
        (LOWER, "least_ratio", r"$\min_t \rho_t$", "lambda_min"),
        (style.measured(5), "least_last_ratio", r"$\min_t$, last layer", None),
    ):
        trials(edges, regular.width, regular[column], look)
        median = regular.groupby("width")[column].median()
        edges.plot(median.index, median, **look | {"label": name})
        if level:
            limit = 2 * regular.groupby("width")[level].median()
            edges.plot(limit.index, limit, **style.THEORY)
    edges.set(yscale="log", ylabel=r"edges of $\rho_t$ along the path")
    judged(edges, findings, "P4d", "largest / least lower edge\nfrom $m = 256$:", (0.03, 0.13))
    room(edges, below=0.3)

    style.title(lower, "c", "the least gradient: that of the kernel at the start")
    style.title(upper, "d", "the largest gradient stays within the kernel's")
    for axis, look, column, names, ylabel in (
        (lower, LOWER, "edge", ("P4", "P4b"), r"$\min_t \rho_t \,/\, (2\lambda_{\min}/m)$"),
        (upper, UPPER, "top", ("P4c",), r"$\max_t \rho_t \,/\, (2\lambda_{\max}/m)$"),
    ):
        trials(axis, regular.width, regular[column], look)
        median = regular.groupby("width")[column].median()
        axis.plot(median.index, median, **look)
        if found := findings.get(images.FASHION):
            second(axis, 1.12 * found["trials"].width, found["trials"][column])
            drawn.append(found["trials"].assign(panel=ylabel))
        axis.axhline(1, **style.THEORY)
        claim = findings["claims"][names[0]]
        edges_of = {"at_least": claim.at_least, "at_most": claim.at_most}
        start = min(wide) / 1.2
        style.criterion(axis, **edges_of, label="", span=(start, None))
        if "P4b" in names:
            asked = findings["claims"]["P4b"].at_least
            drawn.append(quartiles(axis, regular, column, asked, start).assign(panel="(c)"))
        axis.set(yscale="log", ylabel=ylabel)
        room(axis, above=0.25, below=0.3)
        style.plain_ticks(axis, "y")
        for one, y in zip(names, (0.93, 0.12), strict=False):
            judged(axis, findings, one, WORDS[one], (0.97, y))
    for axis in (edges, lower, upper):
        axis.set(xscale="log", xlabel="width $m$")
        style.ticks(axis, regular.width, apart=0.15)
    drawn += exponents(separated, samples, findings, tables)
    style.legend_below(fig)
    return fig, drawn


def draw_path(axis, curves, table, wide):
    """Gradient over loss along the path, the widths that are judged."""
    style.title(axis, "a", "the gradient stays large while the loss falls")
    drawn = []
    for width in wide:
        rows, look = curves[curves.width == width], by_width(width, marker="")
        along = rows.groupby("iteration").ratio.agg(["median", "min", "max", "size"])
        # The median ends when half of the trials have converged, the range with the last.
        running = along["size"] >= along["size"].max() / 2
        band = {"color": look["color"], "alpha": 0.13, "linewidth": 0}
        axis.fill_between(along.index + 1, along["min"], along["max"], **band)
        middle = along["median"][running]
        axis.plot(middle.index + 1, middle, **look | {"label": f"$m = {width}$"})
        drawn.append(rows.assign(panel="(a)"))
    judged = table[table.width.isin(wide)]
    for column in ("lambda_min", "lambda_max"):
        label = "theory: kernel at the start" if column == "lambda_min" else None
        axis.axhline(2 * judged[column].median(), label=label, **style.THEORY)
    axis.set(xscale="log", yscale="log", xlabel=r"iteration $+ 1$")
    axis.set_ylabel(r"$\rho_t = \|\nabla F\|_F^2 \,/\, (F m)$")
    return drawn


def exponents(separated, samples, findings, tables):
    """The lower edge against delta and against n, for residuals met and for the worst one."""
    style.title(separated, "e", "close pairs: what training meets falls faster than $\\delta$")
    style.title(samples, "f", "with more images it falls far less than the theorem allows")
    pairs, kernels, counts = (
        tables[name][tables[name].width == tables[name].width.max()]
        for name in ("pairs", "times_kernel_pairs", "times_samples")
    )
    drawn = []
    for axis, met, rows, x, exponent, start, names in (
        (separated, pairs, kernels, "delta", 1, -1, ("P4f", "P4e")),
        (samples, counts, counts, "samples", -2, 0, ("P4g", "P4h")),
    ):
        rows = rows.assign(worst=2 * rows.lambda_min)
        looks = style.measured(3, label="residuals met"), style.measured(4, label="worst residual")
        drawn.append(median_curve(axis, met, x, "least_ratio", looks[0]))
        drawn.append(median_curve(axis, rows, x, "worst", looks[1]))
        values = np.sort(rows[x].unique())
        level = 0.9 * met.groupby(x).least_ratio.median().iloc[start]
        line = level * (values / values[start]) ** exponent
        words = r"theorem: at least as $\delta / n^2$"
        inside = line > 0.1 * rows.worst.min()
        style.bound(axis, values[inside], line[inside], "above", at=0.6).set_label(words)
        axis.set(xscale="log", yscale="log", ylabel=r"lower edge of $\rho_t$")
        style.ticks(axis, rows[x])
        style.plain_ticks(axis, "y")
        room(axis, below=0.35)
        judged(axis, findings, names[0], "met:", (0.97, 0.27))
        judged(axis, findings, names[1], "worst:", (0.97, 0.08))
    separated.set(xlabel=r"distance $\delta$ within a pair")
    samples.set(xlabel="number of images $n$")
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
