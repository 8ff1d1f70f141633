"""Theorem 3.3: what is lost by averaging close patches, beside the recalled and corrected bound."""

import numpy as np
import pandas as pd
from scipy import stats

from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly

LEVEL = 0.95


def judge(tables, claims, rng):
    table = tables["closeness"]
    seeds = table.seed.nunique()
    lost = table.gamma_avg - table.gamma
    recalled = lost - 4 * (1 - np.cos(table.rho))
    cells = recalled.groupby([table.base_sigma, table.spread])
    top = cells.mean().idxmax()
    # The level is divided among the cells, since the worst is chosen.
    reach = stats.t.isf((1 - LEVEL) / 2 / cells.ngroups, seeds - 1) * cells.sem()[top]
    value = cells.mean()[top]
    chosen = (table.base_sigma == top[0]) & (table.spread == top[1])
    rho = table[chosen].rho.mean()
    return {
        "9a": exactly((lost - table.boundary_mass).max(), seeds=seeds),
        "9b": Measured(value, value - reach, value + reach, seeds, note=f"At rho = {rho:.2g}."),
        "9c": exactly((table.l_cross / (3 * table.mu)).max()),
        "worst": {"base_sigma": top[0], "rho": rho, "lost": lost[chosen].mean()},
    }


def draw(findings, tables):
    table = tables["closeness"]
    bases = sorted(table.base_sigma.unique())
    fig, (*axes, cross) = style.panels(len(bases) + 1, height=3)
    fate = "fails" if findings["9b"].low > 0 else "is not seen to fail"
    seen = (
        "little mass at the boundary: both bounds hold",
        f"much mass: the recalled bound {fate}",
    )
    drawn = []
    for letter, axis, base, text in zip("abcdef", axes, bases, seen, strict=False):
        style.title(axis, letter, text)
        drawn += draw_lost(axis, table[table.base_sigma == base])
        style.corner(axis, rf"base $\sigma = {base:g}$", "upper left")
    axes[0].set_ylabel(r"lost by averaging, $\gamma_{avg} - \gamma$ at 30°")
    worst = findings["worst"]
    crossed = axes[bases.index(worst["base_sigma"])]
    circle = {"markersize": 9, "markerfacecolor": "none", "color": style.INK, "linestyle": ""}
    crossed.plot(worst["rho"], worst["lost"], "o", **circle)
    for claim, said, y in (("9b", "over by", 0.12), ("9a", "over the corrected:", 0.05)):
        found, ends = findings[claim], ("value", "low", "high")
        found = found._replace(**{end: 1e4 * getattr(found, end) for end in ends})
        text = said + r" {} $\cdot 10^{{-4}}$"
        style.judged(crossed, found, text, (0.97, y), digits=1)
    style.corner(axes[0], f"{table.seed.nunique()} seeds", "lower right")
    style.title(cross, "abcdef"[len(bases)], r"$L_{cross}$ stays far below $3\mu$")
    drawn += draw_cross(cross, table, bases)
    style.judged(cross, findings["9c"], r"largest $L_{{cross}} / 3\mu$: {}", (0.97, 0.05), digits=3)
    style.legend_below(fig)
    return fig, drawn


def draw_lost(axis, rows):
    """What is lost by averaging, with the corrected bound and the recalled one."""
    rho = rows.groupby("spread").rho.mean()
    rows = rows.assign(rho=rows.spread.map(rho), lost=rows.gamma_avg - rows.gamma)
    look = style.measured(0, label="measured")
    drawn = [style.curve(axis, rows, "rho", "lost", look, None, log=True)]
    mass = rows.groupby("rho").boundary_mass.median()
    mass = mass[mass > 0]
    style.bound(axis, mass.index, mass, "below", at=0.6)
    axis.plot([], [], label="corrected bound: mass near the boundary", **style.BOUND)
    recalled = 4 * (1 - np.cos(rho))
    axis.plot(rho, recalled, label=r"theory as we recall it: $4(1 - \cos\rho)$", **style.THEORY)
    axis.set(
        xscale="log", yscale="log", xlabel=r"reach of the patches $\rho$ (rad)", ylim=(1e-7, 3)
    )
    drawn += [
        mass.rename("boundary_mass").reset_index(),
        pd.DataFrame({"rho": rho, "recalled": recalled}),
    ]
    return [part.assign(base_sigma=rows.base_sigma.iloc[0]) for part in drawn]


def draw_cross(axis, table, bases):
    """L_cross and three times the density at the boundary, a look a base law."""
    drawn = []
    for i, base in enumerate(bases):
        rows = table[table.base_sigma == base].drop_duplicates("spread")
        look = style.measured((1, 3)[i % 2], label=rf"$L_{{cross}}$, $\sigma = {base:g}$")
        axis.plot(rows.spread, rows.l_cross, **look)
        name = rf"Theorem 3.3: $3\mu$, $\sigma = {base:g}$"
        style.bound(axis, rows.spread.to_numpy(), 3 * rows.mu, "below", at=0.15 + 0.7 * i)
        offset = {"xytext": (2, (4, -5)[i % 2]), "textcoords": "offset points"}
        aligned = {"va": ("bottom", "top")[i % 2], "fontsize": style.SMALL}
        axis.annotate(name, (rows.spread.iloc[0], 3 * rows.mu.iloc[0]), **offset, **aligned)
        drawn.append(rows[["base_sigma", "spread", "l_cross", "mu"]])
    axis.set(xscale="log", yscale="log", xlabel="half-width of the spread (rad)")
    axis.set_ylim(0.3 * table.l_cross.min(), 15 * table.mu.max())
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
