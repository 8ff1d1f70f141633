"""Figure 5: loss along the line from the learned filter to the true one."""

import numpy as np

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.du2018.image_runs import RUN, at_the_end, curves, of_runs
from workflow.studies.verdicts import Measured


def judge(tables, claims, rng):
    table, claim = tables["image_interpolation"], claims["12c"]
    ends = at_the_end(table)
    converged = of_runs(table, ends[claim.succeeded(ends)])
    ratios = converged.groupby(RUN)[["mixing", "relative_loss"]].apply(highest_over_end)
    data = table.data.iloc[0]
    found = {
        cell: Measured(np.median(values), *bootstrap(values, rng), len(values), data)
        for cell, values in ratios.groupby(["teacher", "start_distance"])
    }
    worst = max(found.values(), key=lambda measured: measured.value)
    return {"12c": worst, "ratios": found, "died": claim.given["died"]}


def highest_over_end(run):
    """Largest loss along the line over the loss at its end, the learned filter."""
    linear = np.exp(run.set_index("mixing").relative_loss)
    return linear.max() / linear.loc[linear.index.max()]


def draw(findings, tables):
    table = tables["image_interpolation"]
    shown = [
        (f"{data}, {'Gabor' if kind == 'gabor' else kind}", rows)
        for (data, kind), rows in table.groupby(["data", "teacher"], sort=False)
    ]
    if replica := tables.get("Fashion-MNIST"):
        shown.append(("Fashion-MNIST, random", replica["image_interpolation"]))
    fig, axes = style.panels(len(shown), sharey=True)
    drawn = []
    for axis, (name, table) in zip(axes, shown, strict=True):
        rows, _ = curves(axis, table, "relative_loss", findings["died"])
        drawn += [part.assign(panel=name) for part in rows]
        axis.set(
            xlabel=r"$a$ in $a\,w + (1 - a)\,w^*$",
            xlim=(0, 1.02),
            title=name,
        )
    axes[0].set_ylabel(r"relative loss, $\ln(\mathrm{MSE} / \overline{y}^2)$")
    axes[0].legend(loc="upper left", bbox_to_anchor=(0, 0.9))
    axes[0].axhline(0, color="0.4", linewidth=0.8)
    axes[0].text(
        0.02, -0.3, "error as large as the labels (thin: runs that died)", fontsize=6.5, va="top"
    )
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
