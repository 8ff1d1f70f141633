"""Claim 11: what the cones are worth, and what a network with the relaxed weights costs."""

import numpy as np

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.ergen2021.common import drops
from workflow.studies.verdicts import Measured, exactly


def judge(tables, claims, rng):
    relaxed = drops(tables["relaxations"])
    seeds = relaxed.seed.nunique()
    unmatched = claims["11x"].rows(relaxed)
    strict, halved = (claims[claim].rows(relaxed) for claim in ("11", "11b"))
    median = median_drop(halved, rng)
    (small,) = halved.beta.unique()
    return {
        "11": exactly(strict["drop"].min(), seeds=seeds),
        "11b": median,
        "11x": exactly(
            unmatched.miss.max(),
            seeds=seeds,
            note=f"Median drop of the value at beta = {small:g}: {median.value:.2g}.",
        ),
        "medians": {**strict.groupby("beta")["drop"].median(), small: median.value},
        "half": claims["11b"].at_least,
    }


def median_drop(rows, rng):
    """Median over the seeds of what the value loses, with its bootstrap interval."""
    lost = rows["drop"].to_numpy()
    return Measured(np.median(lost), *bootstrap(lost, rng), rows.seed.nunique())


def draw(findings, tables):
    table = tables["relaxations"]
    average = table[table.pooling == "average"]
    fig, (values, lost) = style.panels(2, height=2.5, width_ratios=(1.4, 1))
    betas = sorted(average.beta.unique())
    kinds = (
        ("all", "program", "program with cones, $p^*$"),
        ("no cones", "program", "without cones (gated ReLU)"),
        ("no cones", "objective", "network with its weights (11x)"),
    )
    for i, beta in enumerate(betas):
        rows = average[average.beta == beta].pivot(index="seed", columns="study")
        order = np.argsort(rows["program"]["all"].to_numpy())
        for j, (kind, quantity, label) in enumerate(kinds):
            values.plot(
                np.arange(len(order)) + i * (len(order) + 1),
                rows[quantity][kind].to_numpy()[order],
                marker=style.MARKERS[j],
                label=label if not i else None,
                **{**style.look(j), "linewidth": 0.8},
            )
        drop = 1 - rows["program"]["no cones"] / rows["program"]["all"]
        lost.plot(
            i + np.linspace(-0.2, 0.2, len(drop)),
            drop,
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
        )
        lost.plot([i - 0.3, i + 0.3], [findings["medians"][beta]] * 2, color="0.15", linewidth=1.4)
    seeds = average.seed.nunique()
    values.set(yscale="log", ylabel="value", xlabel="instance, in the order of $p^*$")
    values.set_xticks(
        [(seeds - 1) / 2 + i * (seeds + 1) for i in range(len(betas))],
        [rf"$\beta = {beta:g}$" for beta in betas],
    )
    values.set_ylim(top=average.objective.max() * 12)
    values.legend(loc="upper left")
    lost.axhline(findings["half"], **style.THEORY)
    lost.set(
        xticks=range(len(betas)),
        xlim=(-0.5, len(betas) - 0.5),
        ylim=(0, 1),
        xlabel=r"$\beta$",
        ylabel="relative drop of the value without cones",
    )
    lost.set_xticklabels([f"{beta:g}" for beta in betas])
    lost.set_title(f"{seeds} instances; bar: median", loc="right")
    return fig, [average]


if __name__ == "__main__":
    study.main(judge, draw)
