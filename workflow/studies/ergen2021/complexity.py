"""Claim 16: counted work of exact training against the number of samples."""

import numpy as np

from cnntheory.stats import bootstrap, log_log_slope
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly


def judge(tables, claims, rng):
    table = tables["solver_work"]
    rows = claims["16"].rows(table)
    # log work (seed, h, n): the mean over seeds of logarithms has the mean slope
    wide = np.log(rows.pivot(index="seed", columns=["patch_size", "samples"], values="work"))
    wide = wide.sort_index(axis=1)
    sizes = wide.columns.unique("patch_size").to_numpy()
    samples = wide.columns.unique("samples").to_numpy()
    values = wide.to_numpy().reshape(len(wide), len(sizes), len(samples))

    def slopes(values, axis):
        return log_log_slope(samples, np.exp(values.mean(axis=axis)))

    def largest(values, axis):
        return (slopes(values, axis) / (3 * sizes)).max(axis=-1)

    each = dict(zip(sizes.tolist(), slopes(values, 0).tolist(), strict=True))
    seeds = len(wide)
    return {
        "16": Measured(
            float(largest(values, 0)),
            *bootstrap(values, rng, largest),
            seeds,
            note="Slopes " + ", ".join(f"{s:.2f} at h = {h}" for h, s in each.items()) + ".",
        ),
        "16b": exactly(claims["16b"].rows(table).gap.max(), seeds=seeds),
        "slopes": each,
    }


def draw(findings, tables):
    table = tables["solver_work"]
    fig, (axis,) = style.panels(1, height=2.6, width=style.SINGLE)
    for i, (h, rows) in enumerate(table.groupby("patch_size")):
        work = rows.groupby("samples").work
        middle = work.median()
        axis.fill_between(middle.index, work.min(), work.max(), color=style.COLOURS[i], alpha=0.2)
        label = f"$h = {h}$: slope {findings['slopes'][h]:.1f}"
        axis.plot(middle.index, middle, marker=style.MARKERS[i], label=label, **style.look(i))
        n = middle.index.to_numpy()
        axis.plot(n, middle.iloc[0] * (n / n[0]) ** (3 * h), **style.THEORY)
    axis.plot([], [], label="theorem, slope $3 h$", **style.THEORY)
    K = int(table.patches.iloc[0])
    axis.set(xscale="log", yscale="log", xlabel=f"samples $n$, $K = {K}$", ylabel="operations")
    axis.set_xticks(sizes := sorted(table.samples.unique()), [f"{n}" for n in sizes])
    axis.minorticks_off()
    axis.legend(loc="upper left")
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
