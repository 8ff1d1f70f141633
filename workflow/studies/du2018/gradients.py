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


NAMES = {
    "empirical gradient": "gradient of\na sample",
    "convolution identity": "identity,\nconvolution",
    "neuron identity": "identity,\none neuron",
    "wrong region left out": "control: wrong\nregion left out",
}


def draw(findings, tables):
    table = tables["gradients"]
    names = list(table.identity.unique())
    fig, (axis,) = style.panels(1, width=style.SINGLE, height=2.7)
    style.title(axis, None, "the identities hold to rounding; without the wrong region they fail")
    for i, (shape, rows) in enumerate(table.groupby(["patches", "dimension"])):
        label = f"$k = {shape[0]}$, $p = {shape[1]}$"
        for name, part in rows.groupby("identity"):
            places = names.index(name) + 0.16 * (i - 1.5) + np.zeros(len(part))
            look = style.measured(i, label=label)
            if name == "wrong region left out":
                look = style.control(i=i)
            errors = np.maximum(part.absolute_error, 1e-17)
            axis.plot(errors, places, **look | {"linestyle": "", "markersize": 3})
    style.criterion(axis, at_most=findings["criterion"], along="x", inside=False)
    axis.set_yticks(range(len(names)), [NAMES.get(name, name) for name in names])
    axis.set(xscale="log", xlabel="difference from automatic differentiation")
    axis.set(ylim=(len(names) - 0.4, -0.6), xlim=(4e-18, 30), xticks=[1e-16, 1e-12, 1e-8, 1e-4, 1])
    style.corner(axis, f"{table.seed.nunique()} seeds", "lower left")
    style.legend_below(axis)
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
