"""Claim 14: a rigorous duality gap for every end point of SGD on row profiles of images."""

import numpy as np
import pandas as pd

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR
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
    fig, (gaps, bounds) = style.panels(2, height=2.9)
    names = []
    for place, (name, rows) in enumerate(cells_of(table)):
        names.append(name)
        ends, own = (rows[rows.method == method] for method in ("sgd", "convex"))
        kinds = (
            ((ends.objective - ends.dual_bound) / ends.objective, "SGD, by its own residual"),
            ((ends.objective - ends.program_bound) / ends.objective, "SGD, by the optimum's dual"),
            ((own.objective - own.program_bound) / own.objective, "certified optimal network"),
        )
        for i, (values, label) in enumerate(kinds):
            look = dict(marker=style.MARKERS[i], color=style.COLOURS[(0, 2, 4)[i]])
            strip(gaps, place + 0.24 * (i - 1), values.clip(lower=FLOOR), label, look)
        exact = dict(marker="o", color=style.COLOURS[0])
        control = dict(marker="D", color=style.COLOURS[3], markerfacecolor="none")
        for i, (quantity, label, look) in enumerate(
            (
                ("dual_bound", "exact prices", exact),
                ("sampled_bound", "control: prices over ten gates", control),
            )
        ):
            values = ends[quantity] / ends.program
            strip(bounds, place + 0.3 * (i - 0.5), values, label, look)
    for axis in (gaps, bounds):
        axis.set_xticks(range(len(names)), names)
        axis.set_xlim(-0.5, len(names) - 0.5)
    gaps.axhspan(FLOOR / 3, findings["slack"], color="0.93", zorder=0)
    gaps.set(yscale="log", ylim=(FLOOR / 3, 10), ylabel="duality gap / objective")
    gaps.set_title("(a) every end point of SGD has a gap", loc="left")
    bounds.axhline(1, **style.THEORY)
    bounds.set_ylabel("dual bound of an end point / $p^*$")
    bounds.set_title("(b) ten gates: above 1, no bound", loc="left")
    for axis in (gaps, bounds):
        handles, labels = axis.get_legend_handles_labels()
        first = dict(zip(labels[::-1], handles[::-1], strict=True))
        axis.legend(
            list(first.values())[::-1],
            list(first)[::-1],
            loc="upper center",
            bbox_to_anchor=(0.5, -0.14),
            labelspacing=0.25,
        )
    return fig, [table]


def strip(axis, place, values, label, look):
    """One value an end point, spread a little around its place."""
    spread = np.linspace(-0.09, 0.09, len(values))
    axis.plot(place + spread, values, linestyle="", markersize=2.6, label=label, **look)


if __name__ == "__main__":
    study.main(judge, draw)
