"""Theorem 3.3: what is lost by averaging close patches, beside the recalled and corrected bound."""

import numpy as np
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
    rho = table[(table.base_sigma == top[0]) & (table.spread == top[1])].rho.mean()
    return {
        "9a": exactly((lost - table.boundary_mass).max(), seeds=seeds),
        "9b": Measured(value, value - reach, value + reach, seeds, note=f"At rho = {rho:.2g}."),
        "9c": exactly((table.l_cross / (3 * table.mu)).max()),
    }


def draw(findings, tables):
    table = tables["closeness"]
    table = table.assign(lost=table.gamma_avg - table.gamma, recalled=4 * (1 - np.cos(table.rho)))
    bases = sorted(table.base_sigma.unique())
    fig, axes = style.panels(len(bases) + 1, height=2.5)
    drawn = []
    for axis, base in zip(axes, bases, strict=False):
        rows = table[table.base_sigma == base]
        rho = rows.groupby("spread").rho.mean()
        rows = rows.assign(rho=rows.spread.map(rho))
        drawn.append(
            style.curve(
                axis,
                rows,
                "rho",
                "lost",
                0,
                r"measured $\gamma_{avg} - \gamma$",
                markers=True,
                log=True,
            ).assign(base_sigma=base)
        )
        drawn.append(
            style.curve(
                axis,
                rows,
                "rho",
                "boundary_mass",
                2,
                "corrected bound (9a)",
                markers=True,
                log=True,
            ).assign(base_sigma=base)
        )
        axis.plot(
            rho,
            4 * (1 - np.cos(rho)),
            label=r"$4(1 - \cos\rho)$, as we"
            "\nreconstruct it (9b)",
            **style.THEORY,
        )
        axis.set(
            xscale="log",
            yscale="log",
            xlabel=r"$\rho$ (rad)",
            ylim=(1e-7, 3),
            title=rf"base $\sigma = {base:g}$",
        )
    axes[0].set_ylabel(rf"lost by averaging ($\phi = 30°$, {table.seed.nunique()} seeds)")
    axes[len(bases) - 1].legend(loc="lower right")
    last = axes[-1]
    for i, base in enumerate(bases):
        rows = table[table.base_sigma == base].drop_duplicates("spread")
        last.plot(
            rows.spread,
            rows.l_cross,
            marker=style.MARKERS[i],
            label=rf"$L_{{cross}}$, $\sigma = {base:g}$",
            **style.look(i),
        )
        last.plot(
            rows.spread,
            3 * rows.mu,
            color=style.COLOURS[i],
            linestyle="--",
            linewidth=0.9,
            label=rf"$3\mu$, $\sigma = {base:g}$",
        )
        drawn.append(rows[["base_sigma", "spread", "l_cross", "mu"]])
    last.set(
        xscale="log",
        yscale="log",
        xlabel="half-width of the spread (rad)",
        ylim=(5e-5, 3e3),
        title=r"$L_{cross} \leq 3\mu$ (9c)",
    )
    last.legend(loc="upper left", ncols=1)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
