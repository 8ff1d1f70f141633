"""Claim 3, Theorem 2.1: recovery against the loss of the start, two controls and a search."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    table, search = tables["basin"], claims["3b"].rows(tables["start_search"])
    claim, seeds = claims["3"], table.seed.nunique()
    table = table.assign(recovered=claim.succeeded(table), below=table.start_loss < 1)
    regular = claim.rows(table)
    shares = regular.groupby("law").recovered.mean()
    note = f"{len(regular)} starts below l(0), {shares.size} laws."
    found = {"3": exactly(shares.min(), seeds=seeds, note=note)}
    for control in ("3x", "3y"):
        rows = claims[control].rows(table)
        note = f"Median loss at the end: {rows.end_loss.median():.2g} of l(0)."
        found[control] = exactly(rows.recovered.mean(), seeds=seeds, note=note)
    worst = search.filter_error.max()
    note = f"{search.evaluations.sum()} starts tried; left early on, at most {worst:.1g}."
    return found | {
        "3b": exactly(search.end_error.max(), note=note),
        "shares": table.groupby(["below", "law"]).recovered.agg(["mean", "size"]),
    }


NAMES = {
    "one-sided cap": "one-sided cap (3x)",
    "rank 3 in R^5": "rank 3 in $R^5$ (3y)",
    "two-sided cap": "two-sided cap\n(beyond hypotheses)",
    "circle (sigma = inf)": r"circle ($\sigma = \infty$)",
}


def name(law):
    """Name of a law in mathematical type, with the control it is."""
    return NAMES.get(law, law.replace("sigma", r"$\sigma$"))


def draw(findings, tables):
    fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 6.2), layout="constrained")
    for letter, axis in zip("abcd", axes.flat, strict=True):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
    drawn = [
        *landscapes(axes[0], tables["landscape_levels"], tables["landscape_paths"]),
        times(axes[1, 0], tables["basin"]),
        shares(axes[1, 1], findings["shares"], tables["basin"]),
    ]
    return fig, drawn


def landscapes(axes, levels, paths):
    """Level lines of the loss in the plane, the level of the zero filter, the ball and descents."""
    drawn = []
    for axis, (law, rows) in zip(axes, levels.groupby("law", sort=False), strict=True):
        grid = rows.pivot(index="y", columns="x", values="relative_loss")
        at = (grid.columns, grid.index, grid.to_numpy())
        axis.contour(*at, levels=np.geomspace(0.01, 10, 10), colors="0.75", linewidths=0.6)
        axis.contour(*at, levels=[1 - 1e-6], colors=style.COLOURS[1], linewidths=1.2)
        turn = np.linspace(0, 2 * np.pi, 200)
        axis.plot(1 + np.cos(turn), np.sin(turn), **style.THEORY)
        own = paths[paths.law == law]
        for _, run in own.groupby("run"):
            axis.plot(run.x, run.y, color=style.COLOURS[0], linewidth=0.7, alpha=0.9)
            axis.plot(run.x.iloc[0], run.y.iloc[0], "o", color=style.COLOURS[0], markersize=2.2)
        axis.plot(1, 0, "*", color="black", markersize=8)
        axis.annotate("$w^*$", (1, 0), (4, 4), textcoords="offset points")
        limit = grid.columns.max()
        axis.set(
            title=name(law), xlabel="$w_1$", ylabel="$w_2$", aspect="equal", xlim=(-limit, limit)
        )
        axis.set_ylim(-1.8 * limit, limit)  # the legend stands below
        axis.grid(False)
        drawn.append(own)
    # A filter at more than 90 degrees from every patch, within 0.5 of w* in angle, is dead.
    edge, far = np.pi / 2 + 0.5, 2 * limit
    corner = far * np.array([[np.cos(edge), np.sin(edge)], [np.cos(edge), -np.sin(edge)]])
    axes[1].fill([0, *corner[:, 0]], [0, *corner[:, 1]], color="0.9", zorder=0)
    axes[1].text(-1.3, 0, "dead sector:\nno input\nactivates $w$", fontsize=6, va="center")
    lines = [
        style.plt.Line2D([], [], color=style.COLOURS[1]),
        style.plt.Line2D([], [], **style.THEORY),
        style.plt.Line2D([], [], color=style.COLOURS[0], marker="o", markersize=2.2),
    ]
    labels = [r"$l(w) = l(0)$", r"$\|w - w^*\| = \|w^*\|$", "descent from its start"]
    axes[0].legend(lines, labels, loc="lower center")
    return drawn


def times(axis, table):
    """Hitting time of every start against its loss; the runs that never hit stand at the top."""
    never = 10 ** (np.log10(table.iterations[np.isfinite(table.iterations)].max()) + 0.5)
    for i, (law, group) in enumerate(table.groupby("law", sort=False)):
        look = {"color": style.COLOURS[i], "label": name(law)}
        if "(3" in name(law):
            look = {
                "color": style.COLOURS[3],
                "fillstyle": "none",
                "label": f"control: {name(law)}",
            }
        axis.plot(
            group.start_loss,
            # The start itself may have arrived.
            group.iterations.clip(lower=1, upper=never),
            linestyle="",
            marker=style.MARKERS[i],
            markersize=2.4,
            alpha=0.6,
            rasterized=True,
            **look,
        )
    axis.axhline(never, color="0.4", linewidth=0.8)
    axis.axvline(1, **style.THEORY)
    axis.text(0.02, never * 0.9, "never", fontsize=6.5, va="top", transform=_data_y(axis))
    axis.set(
        xscale="log",
        yscale="log",
        ylim=(0.8, 1.6 * never),
        xlabel=r"loss of the start, $l(w_0) / l(0)$",
        ylabel=r"iterations to $\|w - w^*\| = 10^{-3} \|w^*\|$",
    )
    axis.legend(
        loc="upper center", bbox_to_anchor=(0.45, -0.16), ncols=2, handlelength=1, fontsize=6
    )
    return table[["law", "seed", "start_loss", "iterations"]]


def _data_y(axis):
    return axis.get_yaxis_transform()


def shares(axis, shares, table):
    """Share of the starts that recover, on either side of the level of the zero filter."""
    laws = list(table.law.unique())
    for below, marker, shift in ((True, "o", -0.2), (False, "s", 0.2)):
        part = shares.query("below == @below").droplevel("below").reindex(laws)
        places = np.arange(len(laws)) + shift
        axis.plot(
            part["mean"],
            places,
            linestyle="",
            marker=marker,
            color=style.COLOURS[0 if below else 1],
            label=r"$l(w_0) < l(0)$" if below else r"$l(w_0) \geq l(0)$",
        )
        for y, n in zip(places, part["size"], strict=True):
            if np.isfinite(n):
                axis.text(0.5, y, f"n = {n:.0f}", fontsize=6, va="center", ha="center")
    axis.set(
        yticks=range(len(laws)),
        yticklabels=[name(law) for law in laws],
        xlabel="share of starts that recover $w^*$",
        xlim=(-0.05, 1.05),
        ylim=(len(laws) - 0.5, -0.5),
        title=f"{table.seed.nunique()} seeds",
    )
    axis.legend(loc="upper center", bbox_to_anchor=(0.4, -0.16), ncols=2, handlelength=1)
    return shares.reset_index()


if __name__ == "__main__":
    study.main(judge, draw)
