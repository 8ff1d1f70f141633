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
        "arrived": float(claims["7b"].success.split()[-1]),
    }


def draw(findings, tables):
    condition, rate = tables["condition"], tables["convolution_rate"]
    fig, (plane, drops, ends) = style.panels(
        3, height=3.1, gridspec_kw={"width_ratios": [1.35, 1, 1]}
    )
    style.title(plane, "a", "the theorem needs close patches and inputs off the boundary")
    style.title(drops, "b", "inside, every step keeps the promise; a far larger one does not")
    style.title(ends, "c", "outside, descent arrives as well")
    draw_plane(fig, plane, condition, rate)
    draw_drops(drops, rate[rate.valid], findings)
    draw_ends(ends, rate[~rate.valid & (rate.rule == "1")], findings)
    style.legend_below(fig)
    drawn = [
        condition,
        rate.groupby(["base_sigma", "patch_sigma", "valid", "rule"])[["margin", "end_error"]]
        .agg(["min", "max"])
        .pipe(lambda t: t.set_axis(["_".join(c) for c in t.columns], axis=1))
        .reset_index(),
    ]
    return fig, drawn


def draw_plane(fig, axis, condition, rate):
    """Map of gamma over 6 L_cross, in powers of ten, and the cells where descent was run."""
    ratio = condition.assign(ratio=np.log10(condition.gamma / (6 * condition.l_cross)))
    grid = ratio.pivot(index="base_sigma", columns="patch_sigma", values="ratio")
    reach = float(abs(grid.to_numpy()).max())
    look = {"cmap": "RdBu", "norm": TwoSlopeNorm(0, -reach, reach)}
    edges = (np.arange(size + 1) - 0.5 for size in grid.shape[::-1])
    mesh = axis.pcolormesh(*edges, grid, edgecolors="white", linewidth=0.3, **look)
    rows, columns = np.nonzero(grid.to_numpy() > 0)
    axis.plot(columns, rows, "+", color="0.1", markersize=5, label="the theorem applies")
    chosen = rate.drop_duplicates(["base_sigma", "patch_sigma"])
    places = (
        grid.columns.get_indexer(chosen.patch_sigma),
        grid.index.get_indexer(chosen.base_sigma),
    )
    marked = {"markersize": 8, "markerfacecolor": "none", "color": "0.1", "linestyle": ""}
    axis.plot(*places, marker="s", label="descent was run", **marked)
    axis.set_xticks(range(grid.shape[1]), [f"{s:g}" for s in grid.columns], rotation=60)
    axis.set_yticks(range(grid.shape[0]), [f"{s:g}" for s in grid.index])
    axis.set(xlabel=r"spread of the patches $\sigma_2$", ylabel=r"spread of the input $\sigma$")
    axis.grid(False)
    degrees = np.degrees(condition.phi.iloc[0])
    name = rf"\gamma({degrees:.0f}°)\,/\,6 L_{{\mathrm{{cross}}}}"
    fig.colorbar(mesh, ax=axis, label=rf"$\log_{{10}}\ {name}$", pad=0.02, aspect=30)


def draw_cells(axis, rows, quantity, looks):
    """A point a seed, a column a cell and a look a rule of the step."""
    cells = rows[["base_sigma", "patch_sigma"]].drop_duplicates()
    cells = cells.sort_values(["base_sigma", "patch_sigma"])
    names = [f"{c.base_sigma:g}, {c.patch_sigma:g}" for c in cells.itertuples()]
    for at, cell in enumerate(cells.itertuples()):
        here = rows[(rows.base_sigma == cell.base_sigma) & (rows.patch_sigma == cell.patch_sigma)]
        for i, (rule, look) in enumerate(looks.items()):
            values = here[here.rule == rule][quantity]
            places = at + 0.22 * (i - (len(looks) - 1) / 2) + np.zeros(len(values))
            label = look["label"] if at == 0 else None
            axis.plot(places, values, **look | {"linestyle": "", "label": label})
    axis.set_xticks(range(len(cells)), names, rotation=60)
    axis.set(xlim=(-0.6, len(cells) - 0.4), xlabel=r"spreads $\sigma$, $\sigma_2$")


def draw_drops(axis, inside, findings):
    """Least ratio of the measured drop to the guarantee, inside the condition."""
    looks = {
        "theorem": style.measured(0, label="theorem's step"),
        "1": style.measured(1, label=r"$\eta = 1$"),
        "8": style.control(r"$\eta = 8$"),
    }
    draw_cells(axis, inside, "margin", looks)
    style.bound(axis, None, findings["guaranteed"], "above", at=0.98)
    note = {"textcoords": "offset points", "fontsize": style.SMALL, "ha": "right", "va": "top"}
    share = axis.get_yaxis_transform()
    axis.annotate("guaranteed", (0.98, findings["guaranteed"]), (0, -3), xycoords=share, **note)
    axis.set_yscale("symlog", linthresh=1)
    axis.set_yticks([-1000, -100, -10, 0, 10, 100, 1000])
    axis.set_ylim(min(-30, 3 * inside.margin.min()), max(30, 3 * inside.margin.max()))
    axis.set_ylabel(r"least drop / $\frac{\eta}{2}(\gamma - 6 L_{\mathrm{cross}})$")
    style.judged(axis, findings["7"], "theorem's step, least: {}", (0.03, 0.45), digits=1)


def draw_ends(axis, rows, findings):
    """Error at the end with eta = 1, outside the condition."""
    draw_cells(axis, rows, "end_error", {"1": style.measured(1, label=r"$\eta = 1$")})
    style.criterion(axis, at_most=findings["arrived"], at=0.02)
    axis.set(yscale="log", ylim=(0.03 * rows.end_error.min(), 10 * findings["arrived"]))
    axis.set(ylabel=r"$\|w - w^*\| / \|w^*\|$ at the end")
    style.judged(axis, findings["7b"], "share that arrives: {}", (0.03, 0.05))


if __name__ == "__main__":
    study.main(judge, draw)
