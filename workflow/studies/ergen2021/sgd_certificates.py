"""Claim 14: a rigorous duality gap for every end point of SGD on row profiles of images."""

import numpy as np

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


def draw(findings, tables):
    table = tables["image_profiles"]
    ends = table[table.method == "sgd"]
    cells = sorted({(n, f) for n, f in zip(table.samples, table.beta_fraction, strict=True)})
    fig, (gaps, bounds) = style.panels(2, height=2.7)
    for place, (n, fraction) in enumerate(cells):
        rows = ends[(ends.samples == n) & (ends.beta_fraction == fraction)]
        own = table[(table.samples == n) & (table.beta_fraction == fraction)]
        own = own[own.method == "convex"]
        kinds = (
            ((rows.objective - rows.dual_bound) / rows.objective, "SGD, by its own residual"),
            ((rows.objective - rows.program_bound) / rows.objective, "SGD, by the optimum's dual"),
            ((own.objective - own.program_bound) / own.objective, "certified optimal network"),
        )
        for i, (values, label) in enumerate(kinds):
            gaps.plot(
                place + 0.24 * (i - 1) + np.linspace(-0.08, 0.08, len(values)),
                values.clip(lower=FLOOR),
                linestyle="",
                marker=style.MARKERS[i],
                markersize=2.6,
                color=style.COLOURS[i],
                label=label if not place else None,
            )
        for i, (quantity, label) in enumerate(
            (("dual_bound", "exact prices"), ("sampled_bound", "ten sampled gates (14x)"))
        ):
            bounds.plot(
                place + 0.24 * (i - 0.5) + np.linspace(-0.1, 0.1, len(rows)),
                rows[quantity] / rows.program,
                linestyle="",
                marker=style.MARKERS[3 * i],
                markersize=2.6,
                color=style.COLOURS[3 * i],
                label=label if not place else None,
            )
    names = [rf"$n = {n}$" + "\n" + rf"${f:g}\,\beta_{{\max}}$" for n, f in cells]
    for axis in (gaps, bounds):
        axis.set_xticks(range(len(cells)), names)
    gaps.axhline(findings["slack"], **style.THEORY)
    gaps.set(yscale="log", ylim=(FLOOR / 3, 1e5), ylabel="duality gap / objective")
    gaps.legend(loc="upper left", labelspacing=0.25)
    per_cell = len(ends) // len(cells)
    gaps.set_title(f"{per_cell} end points each", loc="right")
    bounds.axhline(1, **style.THEORY)
    bounds.set_ylabel("dual bound of an end point / $p^*$")
    bounds.text(0.02, 0.03, "valid: at most 1", transform=bounds.transAxes, fontsize=6.5)
    low, high = bounds.get_ylim()
    bounds.set_ylim(low, high + 0.25 * (high - low))
    bounds.legend(loc="upper left")
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
