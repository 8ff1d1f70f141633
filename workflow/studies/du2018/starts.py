"""Claim 11, Theorem 3.4: probability of a good random start against its radius and p."""

import numpy as np
from scipy import stats

from cnntheory.stats import wilson
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly

LEVEL = 0.95


def judge(tables, claims, rng):
    table = tables["starts"]
    share = table.successes / table.draws
    error = np.sqrt(table.exact * (1 - table.exact) / table.draws)
    reach = stats.norm.isf((1 - LEVEL) / 2 / len(table)) * error
    size = (share - table.exact).abs()
    worst = (size + reach).idxmax()
    ends = max(size[worst] - reach[worst], 0), size[worst] + reach[worst]
    bounds, large = table[["bound", "sharper_bound"]].max(axis=1), claims["11x"].rows(table)
    return {
        "11": Measured(size[worst], *ends, int(table.draws.min())),
        "11b": exactly((bounds - table.exact).max()),
        "11c": above_the_bound(tables["starts_inside"]),
        "11x": exactly((large.unscaled_bound - large.exact).max()),
    }


def above_the_bound(table):
    """Least excess of the successes' share over the bound; its interval is valid for all laws."""
    found = []
    for row in table.itertuples():
        low, high = wilson(row.successes, row.draws, 1 - (1 - LEVEL) / len(table))
        share = row.successes / row.draws
        found.append(Measured(*(value - row.bound for value in (share, low, high)), row.draws))
    note = "phi* in degrees: " + ", ".join(f"{np.degrees(phi):.1f}" for phi in table.phi) + "."
    return min(found, key=lambda measured: measured.low)._replace(note=note)


def draw(findings, tables):
    table = tables["starts"]
    fig, (radius, dimension, inside) = style.panels(
        3, height=3.4, gridspec_kw={"width_ratios": [1.1, 1.1, 0.9]}
    )
    style.title(radius, "a", "smaller balls are better; every bound is kept")
    style.title(dimension, "b", r"without $\sqrt{p}$ the bound is broken")
    style.title(inside, "c", "starts inside the angle of the corollary recover")
    level = 1 - (1 - LEVEL) / len(table)
    for i, p in enumerate((table.dimension.min(), table.dimension.max())):
        rows = table[table.dimension == p].sort_values("fraction")
        points(radius, rows, "fraction", level, style.measured(i, label=f"drawn, $p = {p}$"))
        radius.plot(rows.fraction, rows.exact, label="theory: exact", **style.THEORY)
    # The paper's bound is the same in every dimension, in units of the largest radius.
    style.bound(radius, rows.fraction, rows.bound, "above", "Theorem 3.4", at=0.34)
    radius.set_xlabel(r"radius of the ball, $\alpha\,/\,\sqrt{1/(2\pi p)}$")
    radius.set_ylabel(r"$P(\|w_0 - w^*\|^2 \leq (1 - \alpha^2)\|w^*\|^2)$")
    style.judged(radius, findings["11"], "largest deviation:\n{}", (0.03, 0.08), digits=3)
    style.corner(radius, f"{table.draws.min():,} draws a point", "upper right")
    fraction = table.fraction.max()
    rows = table[table.fraction == fraction].sort_values("dimension")
    points(dimension, rows, "dimension", level, style.measured(2, label="drawn, largest radius"))
    dimension.plot(rows.dimension, rows.exact, **style.THEORY)
    x = rows.dimension.to_numpy()
    style.bound(dimension, x, rows.sharper_bound, "above", at=0)
    place = {"xytext": (0, -4), "textcoords": "offset points", "ha": "center", "va": "top"}
    end = (x[-2], rows.sharper_bound.iloc[-2])
    dimension.annotate("sharper bound", end, fontsize=style.SMALL, color=style.INK, **place)
    style.bound(dimension, x, rows.bound, "above", "Theorem 3.4", at=0.4)
    look = style.control(r"bound without $\sqrt{p}$", i=3)
    dimension.plot(x, rows.unscaled_bound, **look)
    text = "above the exact\nby up to {}"
    style.judged(dimension, findings["11x"], text, (0.97, 0.93), color=style.VERMILLION)
    over = findings["11b"].value
    kept = "never above the exact" if over <= 0 else f"above the exact by up to {over:.1g}"
    style.judged(dimension, findings["11b"], f"dotted bounds: {kept}", (0.97, 0.155))
    dimension.set(xscale="log", xlabel="dimension $p$")
    style.ticks(dimension, rows.dimension)
    draw_inside(inside, tables["starts_inside"], findings["11c"])
    for axis in (radius, dimension, inside):
        axis.set_ylim(-0.02, 0.56)
    style.legend_below(fig)
    return fig, [table, tables["starts_inside"]]


def points(axis, rows, x, level, look):
    """Shares of good starts with their simultaneous Wilson intervals."""
    share = rows.successes / rows.draws
    ends = [wilson(k, n, level) for k, n in zip(rows.successes, rows.draws, strict=True)]
    low, high = np.array(ends).T
    look = look | {"linestyle": "", "elinewidth": 0.9}
    axis.errorbar(rows[x], share, (share - low, high - share), **look)


def draw_inside(axis, table, finding):
    """Shares of good starts inside phi* against the spread of the patches."""
    level = 1 - (1 - LEVEL) / len(table)
    points(
        axis,
        table,
        "patch_sigma",
        level,
        style.measured(5, marker="D", label="begin inside, recover"),
    )
    axis.plot(table.patch_sigma, table.exact, **style.THEORY)
    style.bound(axis, table.patch_sigma.to_numpy(), table.bound, "above", "Corollary 3.1", at=0.4)
    style.judged(axis, finding, "least excess: {}", (0.97, 0.05))
    style.corner(axis, f"{table.draws.min():,} draws", "upper right")
    axis.set_xticks(table.patch_sigma)
    axis.set_xlabel(rf"patches $\sigma_2$, base $\sigma = {table.base_sigma.iloc[0]:g}$")


if __name__ == "__main__":
    study.main(judge, draw)
