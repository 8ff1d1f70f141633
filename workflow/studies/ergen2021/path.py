"""Claim 13: the optimum along the path of beta, and the threshold beta_max."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    table = tables["threshold"]
    seeds = table.seed.nunique()
    ascent, sampled = (
        ((table.beta_max - table[found]) / table.beta_max).abs() for found in ("ascent", "sampled")
    )
    return {
        "13": exactly(ascent.max(), seeds=seeds),
        "13b": exactly(claims["13b"].succeeded(table).mean(), seeds=seeds),
        "13x": exactly(sampled.max(), seeds=seeds),
        "bound": claims["13"].at_most,
    }


def draw(findings, tables):
    table, threshold = tables["path"], tables["threshold"]
    poolings = list(table.pooling.unique())
    fig, axes = style.panels(len(poolings) + 1, height=2.4)
    drawn = []
    for axis, pooling in zip(axes, poolings, strict=False):
        rows = table[table.pooling == pooling]
        drawn.append(rows)
        for seed, run in rows.groupby("seed"):
            axis.plot(run.beta_fraction, run.objective, linewidth=0.9, **style.look(seed))
        axis.axhline(1, label="zero network", **style.THEORY)
        axis.set(
            xscale="log",
            yscale="log",
            xlabel=r"$\beta / \beta_{\max}$",
            ylabel=r"optimum $p^* / (|y|^2/2)$",
        )
        axis.set_title(f"{pooling}, {rows.seed.nunique()} instances", loc="right")
        axis.invert_xaxis()
        axis.legend(loc="lower left")
    last = axes[-1]
    for i, (quantity, label) in enumerate(
        (("ascent", "ascent without cells"), ("sampled", "random directions (13x)"))
    ):
        for j, pooling in enumerate(poolings):
            rows = threshold[threshold.pooling == pooling]
            error = (1 - rows[quantity] / rows.beta_max).abs().clip(lower=FLOOR)
            last.plot(
                j + np.linspace(-0.2, 0.2, len(error)),
                error,
                linestyle="",
                marker=style.MARKERS[i],
                color=style.COLOURS[i],
                label=label if not j else None,
            )
    last.axhline(findings["bound"], **style.THEORY)
    last.set(
        yscale="log",
        ylim=(FLOOR / 3, 1e3),
        xticks=range(len(poolings)),
        xlim=(-0.5, len(poolings) - 0.5),
        ylabel=r"|found $- \beta_{\max}| / \beta_{\max}$",
    )
    last.set_xticklabels([f"{pooling} pooling" for pooling in poolings])
    last.legend(loc="upper left")
    return fig, [*drawn, threshold]


if __name__ == "__main__":
    study.main(judge, draw)
