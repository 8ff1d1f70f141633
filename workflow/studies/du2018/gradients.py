"""Claim 1: the gradient identities against automatic differentiation."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    table = tables["gradients"]
    seeds = table.seed.nunique()
    exact, broken = claims["1"].rows(table), claims["1x"].rows(table)
    return {
        "1": exactly(exact.absolute_error.max(), seeds=seeds),
        "1x": exactly(broken.absolute_error.median(), seeds=seeds),
        "criterion": claims["1"].at_most,
    }


def draw(findings, tables):
    table = tables["gradients"]
    names = list(table.identity.unique())
    fig, (axis,) = style.panels(1, width=style.SINGLE, height=2.2)
    for i, (shape, rows) in enumerate(table.groupby(["patches", "dimension"])):
        places = rows.identity.map(names.index) + 0.16 * (i - 1.5)
        axis.plot(
            np.maximum(rows.absolute_error, 1e-17),
            places,
            linestyle="",
            alpha=0.6,
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            label=f"$k = {shape[0]}$, $p = {shape[1]}$",
        )
    axis.axvline(findings["criterion"], **style.THEORY)
    axis.text(1.6 * findings["criterion"], -0.42, "criterion", fontsize=6.5)
    labels = [
        name if "left out" not in name else "control: wrong\nregion left out" for name in names
    ]
    axis.set(
        xscale="log",
        xlabel=f"max abs difference ({table.seed.nunique()} seeds a row)",
        yticks=range(len(names)),
        yticklabels=[label.replace(" ", "\n", 1) for label in labels],
        ylim=(len(names) - 0.4, -0.6),
        xlim=(4e-18, 30),
    )
    axis.legend(loc="upper center", bbox_to_anchor=(0.4, -0.24), ncols=2)
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
