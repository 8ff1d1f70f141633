"""Claim 7, Theorem 3.1: where gamma > 6 L_cross, and the drop per step inside and outside."""

import numpy as np
from matplotlib.colors import TwoSlopeNorm

from workflow.studies import study, style
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    table = tables["convolution_rate"]
    seeds = table.seed.nunique()
    inside, outside = claims["7"].rows(table), claims["7b"].rows(table)
    cells = inside.groupby(["base_sigma", "patch_sigma"]).ngroups
    return {
        "7": exactly(inside.margin.min(), seeds=seeds, note=f"{cells} cells."),
        "7b": exactly(claims["7b"].succeeded(outside).mean(), seeds=seeds),
        "7x": exactly(claims["7x"].rows(table).margin.max(), seeds=seeds),
        "guaranteed": claims["7"].at_least,
    }


def draw(findings, tables):
    condition, rate = tables["condition"], tables["convolution_rate"]
    fig, (plane, drops) = style.panels(2, height=2.6)
    ratio = condition.assign(ratio=np.log10(condition.gamma / (6 * condition.l_cross)))
    grid = ratio.pivot(index="base_sigma", columns="patch_sigma", values="ratio")
    reach = float(abs(grid.to_numpy()).max())
    mesh = plane.pcolormesh(
        np.arange(grid.shape[1] + 1),
        np.arange(grid.shape[0] + 1),
        grid,
        cmap="RdBu",
        norm=TwoSlopeNorm(0, -reach, reach),
        edgecolors="white",
        linewidth=0.3,
    )
    for row, (_, values) in enumerate(grid.iterrows()):
        for column, value in enumerate(values):
            if value > 0:
                plane.text(
                    column + 0.5,
                    row + 0.5,
                    "+",
                    ha="center",
                    va="center",
                    color="0.05",
                    fontweight="bold",
                )
    chosen = rate.drop_duplicates(["base_sigma", "patch_sigma"])
    plane.plot(
        grid.columns.get_indexer(chosen.patch_sigma) + 0.8,
        grid.index.get_indexer(chosen.base_sigma) + 0.8,
        linestyle="",
        marker="o",
        markersize=2.5,
        color="0.1",
    )
    plane.set(
        xticks=np.arange(grid.shape[1]) + 0.5,
        yticks=np.arange(grid.shape[0]) + 0.5,
        xlabel=r"spread of the patches $\sigma_2$ (rad)",
        ylabel=r"base $\sigma$ (rad)",
        title="+ Theorem 3.1 applies   • trained",
    )
    plane.set_xticklabels([f"{s:g}" for s in grid.columns], rotation=45)
    plane.set_yticklabels([f"{s:g}" for s in grid.index])
    plane.grid(False)
    degrees = np.degrees(condition.phi.iloc[0])
    ratio = rf"\gamma({degrees:.0f}°) / 6 L_{{\mathrm{{cross}}}}"
    fig.colorbar(mesh, ax=plane, label=rf"$\log_{{10}}\ {ratio}$")

    inside = rate[rate.valid]
    cells = list(
        inside.drop_duplicates(["base_sigma", "patch_sigma"])[
            ["base_sigma", "patch_sigma"]
        ].itertuples(index=False)
    )
    for i, (rule, label) in enumerate((("theorem", "theorem's step"), ("1", r"$\eta = 1$"))):
        for at, cell in enumerate(cells):
            rows = inside[
                (inside.base_sigma == cell.base_sigma)
                & (inside.patch_sigma == cell.patch_sigma)
                & (inside.rule == rule)
            ]
            drops.plot(
                np.full(len(rows), at + 0.2 * (i - 0.5)),
                rows.margin,
                linestyle="",
                alpha=0.5,
                marker=style.MARKERS[i],
                color=style.COLOURS[i],
                label=label if at == 0 else None,
            )
    drops.axhline(findings["guaranteed"], **style.THEORY)
    drops.text(
        len(cells) - 0.5,
        findings["guaranteed"],
        "guaranteed",
        fontsize=6.5,
        ha="right",
        va="bottom",
    )
    share = findings["7b"].value
    drops.set(
        yscale="log",
        xticks=range(len(cells)),
        xlim=(-0.6, len(cells) - 0.4),
        ylabel=r"least drop / $\frac{\eta}{2}(\gamma - 6 L_{\mathrm{cross}})$",
        xlabel=r"cell $(\sigma, \sigma_2)$ inside the condition",
        title=f"{rate.seed.nunique()} seeds a cell",
    )
    drops.set_xticklabels([f"{c.base_sigma:g}\n{c.patch_sigma:g}" for c in cells])
    drops.legend(
        loc="upper right", handlelength=1, title=f"outside, $\\eta = 1$: {share:.0%} converge"
    )
    drawn = [
        condition,
        rate.groupby(["base_sigma", "patch_sigma", "valid", "rule"])[["margin", "end_error"]]
        .agg(["min", "max"])
        .pipe(lambda t: t.set_axis(["_".join(c) for c in t.columns], axis=1))
        .reset_index(),
    ]
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
