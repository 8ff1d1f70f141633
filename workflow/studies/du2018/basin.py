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
        "least": claims["3"].at_least,
        "tolerance": claims["3b"].at_most,
    }


NAMES = {
    "one-sided cap": "control: one-sided cap,\ndead starts",
    "rank 3 in R^5": "control:\nrank 3 in $R^5$",
    "two-sided cap": "two-sided cap\n(not judged)",
    "circle (sigma = inf)": r"circle, $\sigma = \infty$",
}
CONTROLS = ("one-sided cap", "rank 3 in R^5")
BASIN = "#dbe9f4"  # colour of the starts that the theorem speaks of
TEACHER = {"color": "black", "marker": "*", "markersize": 8, "linestyle": "", "zorder": 7}
BELOW, ABOVE = style.measured(0, linestyle=""), style.measured(3, linestyle="", marker="s")


def name(law):
    """Name of a law in mathematical type, with the control it is."""
    return NAMES.get(law, law.replace("sigma", r"$\sigma$"))


def draw(findings, tables):
    fig = style.plt.figure(figsize=(style.DOUBLE, 6.3), layout="constrained")
    axes = fig.subplot_mosaic("AAABBB;CCDDEE", gridspec_kw={"height_ratios": [1.35, 1]})
    table, search = tables["basin"], tables["start_search"]
    drawn = landscapes(
        [axes["A"], axes["B"]], tables["landscape_levels"], tables["landscape_paths"]
    )
    laws = list(table.law.unique())
    drawn += [
        times(axes["C"], table, laws),
        shares(axes["D"], findings, laws),
        searched(axes["E"], search, laws, findings["tolerance"]),
    ]
    for key in "CDE":
        labels = [name(law) for law in laws] if key == "C" else []
        axes[key].set_yticks(range(len(laws)), labels or [""] * len(laws))
        axes[key].set_ylim(len(laws) - 0.4, -0.6)
    style.title(axes["A"], "a", "inputs in all directions: every descent finds $w^*$")
    style.title(axes["B"], "b", "control, a one-sided cap: in the grey sector nothing moves")
    style.title(axes["C"], "c", r"starts below $\ell(0)$ and above it arrive; the controls never")
    style.title(axes["D"], "d", "all starts recover, but for the controls")
    style.title(axes["E"], "e", "a search finds no start that is lost")
    legend(fig)
    return fig, drawn


def legend(fig):
    """What all panels share, below them."""
    line = style.plt.Line2D
    handles = {
        r"$\ell(w) < \ell(0)$": style.plt.Rectangle((0, 0), 1, 1, color=BASIN),
        r"theory: $\|w - w^*\| = \|w^*\|$": line([], [], **style.THEORY),
        "teacher $w^*$": line([], [], **TEACHER),
        r"start with $\ell(w_0) < \ell(0)$": line([], [], **BELOW),
        r"start with $\ell(w_0) \geq \ell(0)$": line([], [], **ABOVE),
        "control": line([], [], **style.control(linestyle="")),
    }
    style.legend_below(fig, 3, list(handles.values()), list(handles))


def landscapes(axes, levels, paths):
    """Level lines of the loss in the plane, the level of the zero filter, the ball and descents."""
    drawn = []
    for axis, (law, rows) in zip(axes, levels.groupby("law", sort=False), strict=True):
        grid = rows.pivot(index="y", columns="x", values="relative_loss")
        at = (grid.columns, grid.index, grid.to_numpy())
        limit = grid.columns.max()
        axis.contourf(*at, levels=[0, 1 - 1e-6], colors=[BASIN])
        axis.contour(*at, levels=np.geomspace(0.01, 10, 10), colors="0.75", linewidths=0.5)
        axis.contour(*at, levels=[1 - 1e-6], colors=style.MEASURED[0], linewidths=1.0)
        turn = np.linspace(0, 2 * np.pi, 200)
        axis.plot(1 + np.cos(turn), np.sin(turn), **style.THEORY)
        own = paths[paths.law == law]
        for _, run in own.groupby("run"):
            first = run.iloc[0]
            still = np.hypot(run.x - first.x, run.y - first.y).max() < 1e-9
            look = style.control() if still else style.measured(0, marker="")
            axis.plot(run.x, run.y, **look | {"linewidth": 0.7})
            if not still:
                axis.plot(first.x, first.y, "o", color=style.MEASURED[0], markersize=2.2)
        axis.plot(1, 0, **TEACHER)
        axis.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal")
        axis.set(xlim=(-limit, limit), ylim=(-limit, limit))
        axis.set(xticks=[-2, -1, 0, 1, 2], yticks=[-2, -1, 0, 1, 2])
        axis.grid(False)
        drawn.append(own)
    # A filter at more than 90 degrees from every patch, within 0.5 of w* in angle, is dead.
    edge, far = np.pi / 2 + 0.5, 2 * limit
    corner = far * np.array([[np.cos(edge), np.sin(edge)], [np.cos(edge), -np.sin(edge)]])
    axes[1].fill([0, *corner[:, 0]], [0, *corner[:, 1]], color="0.88", zorder=0)
    words = {"fontsize": style.SMALL, "ha": "center", "va": "center"}
    axes[1].text(-0.9, 0, "no input\nactivates $w$", **words)
    return drawn


def times(axis, table, laws):
    """Hitting times of all starts, a row a law; the runs that never arrive stand at the right."""
    last = table.iterations[np.isfinite(table.iterations)].max()
    never = 10 ** (np.log10(last) + 0.4)
    for at, law in enumerate(laws):
        for below, look, shift in ((True, BELOW, -0.17), (False, ABOVE, 0.17)):
            rows = table[(table.law == law) & ((table.start_loss < 1) == below)]
            if law in CONTROLS:
                look = style.control(linestyle="", marker=look["marker"])
            spread = 0.1 * np.sin(7.0 * np.arange(len(rows)))  # so that equal times are seen
            # The start itself may have arrived.
            x = rows.iterations.clip(lower=1, upper=never)
            axis.plot(x, at + shift + spread, **look | {"markersize": 2, "markeredgewidth": 0.5})
    axis.axvspan(10 ** (np.log10(never) - 0.2), 2 * never, color="0.93", zorder=0)
    axis.set(xscale="log", xlim=(0.8, 10 ** (np.log10(never) + 0.2)))
    axis.set_xticks([1, 10, 100, never], ["1", "10", "100", "never"])
    axis.set_xlabel(r"iterations to $10^{-3} \|w^*\|$")
    return table[["law", "seed", "start_loss", "iterations"]]


def shares(axis, findings, laws):
    """Share of the starts that recover, on either side of the level of the zero filter."""
    found = findings["shares"]
    for below, look, shift in ((True, BELOW, -0.17), (False, ABOVE, 0.17)):
        part = found.xs(below, level="below").reindex(laws)
        broken = style.control(linestyle="", marker=look["marker"])
        for at, law in enumerate(laws):
            if law in CONTROLS:
                axis.plot(part["mean"][law], at + shift, **broken)
            else:
                axis.plot(part["mean"][law], at + shift, **look)
            if np.isfinite(part["size"][law]):
                axis.text(
                    0.5, at + shift, f"of {part['size'][law]:.0f}", fontsize=style.SMALL,
                    ha="center", va="center", color=style.QUIET,
                )  # fmt: skip
    style.criterion(
        axis, findings["least"], label="criterion: all", along="x", at=0.03, inside=False
    )
    axis.set(xlim=(-0.08, 1.08), xticks=[0, 0.5, 1], xlabel="share that recovers $w^*$")
    return found.reset_index()


def searched(axis, search, laws, tolerance):
    """Error after the descent from the slowest start that a search found, a row a law."""
    rows = search[search.start_loss > 1]
    rows = rows[rows.law.isin(laws)]
    # Below 1e-16 the error is rounding.
    axis.plot(rows.end_error.clip(lower=1e-16), [laws.index(law) for law in rows.law], **ABOVE)
    style.criterion(axis, at_most=tolerance, along="x", at=0.03)
    axis.set(xscale="log", xlim=(2e-17, 3), xticks=[1e-16, 1e-8, 1])
    axis.set(xlabel=r"$\|w - w^*\| / \|w^*\|$, slowest found")
    return search


if __name__ == "__main__":
    study.main(judge, draw)
