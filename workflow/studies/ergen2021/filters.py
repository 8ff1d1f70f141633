"""Claim 5: filters of the reduced optimal network along the path of beta."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.ergen2021.common import excess
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
    }


def draw(findings, tables):
    table, ends = tables["path"], findings["ends"]
    n = int(table.samples.iloc[0])
    poolings = list(table.pooling.unique())
    fig, axes = style.panels(len(poolings) + 1, height=2.4, sharey=True)
    for axis, pooling in zip(axes, poolings, strict=False):
        rows = table[table.pooling == pooling]
        for seed, run in rows.groupby("seed"):
            axis.step(
                run.beta_fraction,
                run.filters + 0.05 * (seed - rows.seed.mean()),
                where="mid",
                linewidth=0.9,
                label=f"{rows.seed.nunique()} instances, filters" if not seed else None,
                **style.look(seed),
            )
            axis.plot(
                run.beta_fraction,
                run["rank"] + 0.05 * (seed - rows.seed.mean()),
                linestyle="",
                marker=".",
                markersize=2.5,
                color="0.2",
                label="rank of their outputs" if not seed else None,
            )
        axis.axhline(n, label="$n$", color="0.15", linestyle=":", linewidth=1)
        axis.axhline(n + 1, label="the theorem's $n + 1$", **style.THEORY)
        axis.set(xscale="log", xlabel=r"$\beta / \beta_{\max}$")
        axis.set_title(f"{pooling} pooling", loc="right")
        axis.invert_xaxis()
    axes[0].set_ylabel("filters $m^*$ of the reduced network")
    axes[0].legend(loc="upper left", bbox_to_anchor=(0, 0.83))
    for j, (quantity, label) in enumerate(
        (("filters", "filters that it uses"), ("rank", "rank of their outputs"))
    ):
        spread = np.exp(np.linspace(-0.14, 0.14, len(ends)))
        axes[-1].plot(
            ends.beta_fraction * spread,
            ends[quantity],
            linestyle="",
            marker=style.MARKERS[j],
            color=style.COLOURS[j],
            alpha=0.7,
            label=label,
        )
    axes[-1].axhline(n + 1, **style.THEORY)
    axes[-1].set(
        xscale="log",
        xlabel=r"$\beta / \beta_{\max}$",
        ylim=(-0.5, max(2 * n, ends.filters.max()) + 3.5),
    )
    axes[-1].set_title("best restart of descent (5x)", loc="right")
    ticks = sorted(ends.beta_fraction.unique())
    axes[-1].set_xticks(ticks, [f"{fraction:g}" for fraction in ticks])
    axes[-1].minorticks_off()
    axes[-1].set_xlim(2 * max(ticks), min(ticks) / 2)
    axes[-1].legend(loc="upper left")
    return fig, [table, ends]


if __name__ == "__main__":
    study.main(judge, draw)
