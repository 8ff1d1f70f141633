"""Figure 3a: SGD of one neuron over smoothness levels, p = 2 and 10."""

import pandas as pd

from workflow.studies import study, style
from workflow.studies.du2018.hitting import iterations_to, share_increasing
from workflow.studies.verdicts import exactly

TABLES = ("sgd_neuron_p2", "sgd_neuron_p10")


def judge(tables, claims, rng):
    claim = claims["8b"]
    times = {name: iterations_to(claim.given["error"], claim.rows(tables[name])) for name in TABLES}
    # A level that has not arrived is slower than one that has; two such are not ordered.
    shares = [share_increasing(-found.to_numpy()) for found in times.values()]
    seeds = tables[TABLES[0]].seed.nunique()
    return {
        "8b": exactly(min(shares), seeds=seeds),
        "times": times,
        "error": claim.given["error"],
        "least": claim.at_least,
    }


def draw(findings, tables):
    fig, (*axes, hits) = style.panels(3, height=2.9)
    drawn = []
    for letter, axis, name in zip("ab", axes, TABLES, strict=True):
        table = tables[name]
        p, seeds = table.dimension.iloc[0], table.seed.nunique()
        seen = {"a": "smoother is faster", "b": "the same order"}[letter]
        style.title(axis, letter, f"$p = {p}$: {seen}")
        colours = style.sequential(table.sigma)
        for i, (sigma, rows) in enumerate(table.groupby("sigma")):
            # Below 1e-13 the distance is rounding.
            rows = rows[rows.filter_error > 1e-13]
            look = style.measured(i, color=colours[sigma])
            label = style.sigma_label(sigma)
            drawn.append(style.curve(axis, rows, "epoch", "filter_error", look, label))
            drawn[-1] = drawn[-1].assign(panel=name)
        axis.set(yscale="log", xlabel="epoch", ylim=(1e-14, 1))
        style.corner(axis, f"{seeds} seeds", "lower left" if letter == "b" else "lower right")
    axes[0].set_ylabel(r"$\|w_t - w^*\| / \|w^*\|$")
    style.title(hits, "c", "in every seed the time falls as the law gets smoother")
    drawn += draw_hits(hits, findings, tables)
    style.legend_below(fig)
    return fig, drawn


def draw_hits(axis, findings, tables):
    """Iterations to the error that is judged, a line a seed."""
    drawn = []
    for i, (name, times) in enumerate(findings["times"].items()):
        p = tables[name].dimension.iloc[0]
        rows = times.reset_index().melt("seed", value_name="iterations")
        rows = rows[rows.iterations < float("inf")]
        look = style.measured(i, label=f"$p = {p}$, a line a seed")
        for _, run in rows.groupby("seed"):
            axis.plot(run.sigma, run.iterations, color=look["color"], linewidth=0.5, alpha=0.5)
        middle = rows.groupby("sigma").iterations.median()
        axis.plot(middle.index, middle, **look)
        drawn.append(rows.assign(panel=name))
    axis.set(xscale="log", yscale="log", xlabel=r"spread $\sigma$ of the angle to $\pm w^*$")
    axis.set_ylabel(f"iterations to error {findings['error']:g}")
    style.ticks(axis, pd.concat(drawn).sigma)
    text = f"share of seeds\nin order: {{}}\n(at least {findings['least']:g})"
    style.judged(axis, findings["8b"], text, (0.03, 0.12))
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
