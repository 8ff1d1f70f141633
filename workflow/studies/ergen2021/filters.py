"""Claim 5: filters of the reduced optimal network along the path of beta."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.ergen2021.common import excess, judged
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    path, trained = tables["path"], tables["sgd_average"]
    seeds = path.seed.nunique()
    order = trained.assign(excess=excess(trained)).sort_values("excess")
    ends = claims["5x"].rows(order.groupby(["seed", "beta_fraction"]).first().reset_index())
    beyond = ends.filters - ends["rank"]
    return {
        "5": exactly((path.filters - path["rank"]).max(), seeds=seeds),
        "5b": exactly(
            (path.filters - path.samples).max(),
            seeds=seeds,
            note=f"Largest gap along the path {path.gap.max():.1g}.",
        ),
        "5x": exactly(
            beyond.max(),
            seeds=trained.seed.nunique(),
            note=f"{(beyond > 0).mean():.0%} of {len(ends)} networks.",
        ),
        "ends": ends,
        "most": claims["5b"].at_most,
    }


def draw(findings, tables):
    table, ends = tables["path"], findings["ends"]
    n = int(table.samples.iloc[0])
    fig, (along, ranks) = style.panels(2, height=3.0, width_ratios=(1.15, 1))
    style.title(along, "a", "the optimal network never has more filters than samples")
    style.title(ranks, "b", "reduced, it has the rank of its outputs; trained, it has more")
    drawn = []
    for i, (pooling, rows) in enumerate(table.groupby("pooling")):
        look, label = style.measured(i), f"{pooling} pooling"
        drawn.append(style.curve(along, rows, "beta_fraction", "filters", look, label))
    style.bound(along, None, n + 1, "below", "theorem: $n + 1$", at=0.03)
    style.criterion(
        along, at_most=findings["most"] + n, label=f"criterion: $n = {n}$", inside=False
    )
    along.set(xscale="log", xlabel=r"$\beta / \beta_{\max}$", ylim=(-0.3, n + 2))
    along.set_ylabel("filters $m^*$ of the reduced network")
    along.invert_xaxis()
    judged(along, findings["5b"], "largest $m^* - n$: {}", (0.98, 0.06))
    draw_ranks(ranks, findings, table, ends)
    for axis in (along, ranks):
        style.legend_below(axis)
    return fig, [*drawn, table, ends]


def draw_ranks(axis, findings, table, ends):
    """Filters against the rank of their outputs; control: trained networks."""
    top = max(ends.filters.max(), table.filters.max()) + 1
    for rows, look in (
        (table, style.measured(0, label="reduced optimal network")),
        (ends, style.control("best trained network")),
    ):
        # Both are whole numbers: equal marks are spread on a little spiral.
        angle = 2.4 * np.arange(len(rows))
        radius = 0.28 * np.sqrt(np.linspace(0, 1, len(rows)))
        x, y = rows["rank"] + radius * np.cos(angle), rows.filters + radius * np.sin(angle)
        axis.plot(x, y, **{"markersize": 2.2} | look | {"linestyle": ""})
    last = max(table["rank"].max(), ends["rank"].max()) + 0.6
    style.bound(axis, [0, last], [0, last], "below", at=1)
    axis.plot([], [], label="rank of the outputs", **style.BOUND)
    axis.set(xlabel="rank of their outputs", ylabel="filters", ylim=(-0.7, top + 3))
    axis.set_xlim(-0.7, last + 0.4)
    judged(axis, findings["5"], "largest filters $-$ rank: {}", (0.98, 0.06))
    text = "control, largest\nfilters $-$ rank: {}"
    judged(axis, findings["5x"], text, (0.03, 0.92), color=style.VERMILLION)


if __name__ == "__main__":
    study.main(judge, draw)
