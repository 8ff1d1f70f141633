"""Claim 14: a rigorous duality gap for every end point of SGD on row profiles of images."""

import pandas as pd

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, judged, strip
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    table = tables["image_profiles"]
    ends, bounded, blind = (claims[claim].rows(table) for claim in ("14", "14b", "14x"))
    more = {"seeds": ends.seed.nunique(), "data": ends["data"].iloc[0]}
    own = (ends.objective - ends.dual_bound) / ends.objective
    true = (bounded.objective - bounded.program_bound) / bounded.program
    above = (blind.sampled_bound - blind.program) / blind.program
    return {
        "14": exactly(
            claims["14"].succeeded(ends).mean(),
            note=f"{len(ends)} end points; gap by their own certificate {own.median():.2g} "
            f"(median), to the certified optimum {true.median():.2g}.",
            **more,
        ),
        "14b": exactly(true.min(), **more),
        "14x": exactly(
            claims["14x"].succeeded(blind).mean(),
            note=f"Largest excess over p* {above.max():.2g}.",
            **more,
        ),
        "slack": claims["14"].given["slack"],
    }


def cells_of(table):
    """Tables of what is drawn side by side, by name: data set, n and beta where they differ."""
    by = ["data", "samples", "beta_fraction"]
    many = len(table[by[1:]].drop_duplicates()) > 1
    for (data, n, fraction), rows in table.groupby(by, sort=False):
        more = f"\n$n = {n}$, ${fraction:g}\\,\\beta_{{\\max}}$" if many else ""
        yield data + more, rows


def draw(findings, tables):
    replicas = [found["image_profiles"] for found in tables.values() if isinstance(found, dict)]
    table = pd.concat([tables["image_profiles"], *replicas])
    fig, (gaps, bounds) = style.panels(2, height=3.1)
    style.title(gaps, "a", "every end point of SGD gets a gap, and lies above the optimum")
    style.title(bounds, "b", "every bound by exact prices is valid, many by ten gates are not")
    names = []
    for place, (name, rows) in enumerate(cells_of(table)):
        names.append(name)
        draw_gaps(gaps, place, rows)
        draw_bounds(bounds, place, rows)
    for axis in (gaps, bounds):
        axis.set_xticks(range(len(names)), names)
        axis.set_xlim(-0.5, len(names) - 0.5)
    gaps.set(yscale="log", ylabel="duality gap / objective")
    slack = findings["slack"]
    style.criterion(bounds, at_most=1 + slack, label="valid", at=0.46)
    highest = (table.sampled_bound / table.program).max()
    bounds.set(ylabel="dual bound of an end point / $p^*$", ylim=(None, 1.2 * highest - 0.2))
    # Each data set has its own findings; the later ones stand under their labels.
    sets = [findings, *(found for found in findings.values() if isinstance(found, dict))]
    for place, found in enumerate(sets):
        x = (place + 0.5) / len(names)
        if "14b" in found:
            judged(gaps, found["14b"], "least above $p^*$\n{}", (x, 0.5), ha="center")
        for name, y, template, look in (
            ("14", 0.06, "valid: {:.0%}", {}),
            ("14x", 0.96, "control valid: {:.0%}", {"color": style.VERMILLION}),
        ):
            if name in found:
                text = template.format(found[name].value)
                style.judged(bounds, found[name], text, (x, y), ha="center", **look)
    for axis in (gaps, bounds):
        style.legend_below(axis, ncols=1)
    return fig, [table]


def draw_gaps(axis, place, rows):
    """Gaps of end points by two dual points, and those of the optimal networks."""
    ends, own = (rows[rows.method == method] for method in ("sgd", "convex"))
    kinds = (
        ((ends.objective - ends.dual_bound) / ends.objective, "SGD, by its own residual"),
        ((ends.objective - ends.program_bound) / ends.objective, "SGD, by the optimum's dual"),
        ((own.objective - own.program_bound) / own.objective, "certified optimal network"),
    )
    for i, (values, label) in enumerate(kinds):
        strip(
            axis,
            place + 0.27 * (i - 1),
            values.clip(lower=FLOOR),
            style.measured(i),
            None if place else label,
            0.2,
        )


def draw_bounds(axis, place, rows):
    """Dual bounds by exact prices and by those over sampled gates."""
    ends = rows[rows.method == "sgd"]
    kinds = (
        ("dual_bound", "exact prices", style.measured(0)),
        ("sampled_bound", "control: prices over ten gates", style.control(i=1)),
    )
    for i, (quantity, label, look) in enumerate(kinds):
        values = ends[quantity] / ends.program
        strip(axis, place + 0.34 * (i - 0.5), values, look, None if place else label, 0.24)


if __name__ == "__main__":
    study.main(judge, draw)
