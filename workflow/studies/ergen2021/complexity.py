"""Claim 16: counted work of exact training against the number of samples."""

import numpy as np

from cnntheory.stats import bootstrap, log_log_slope
from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, judged, strip
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
        "bound": claims["16b"].at_most,
    }


def draw(findings, tables):
    table = tables["solver_work"]
    fig, (work, gaps) = style.panels(2, height=3.0, width_ratios=(1.4, 1))
    style.title(work, "a", "the counted work grows slower than the theorem allows")
    style.title(gaps, "b", "and every instance is certified")
    drawn, sizes = [], sorted(table.patch_size.unique())
    for i, (h, color) in enumerate(style.sequential(sizes).items()):
        rows, look = table[table.patch_size == h], style.measured(i, color=color)
        label = f"$h = {h}$: slope {findings['slopes'][h]:.1f}"
        drawn.append(style.curve(work, rows, "samples", "work", look, label).assign(h=h))
        n = np.sort(rows.samples.unique())
        most = rows[rows.samples == n[0]].work.median() * (n / n[0]) ** (3 * h)
        style.bound(work, n, most, "below", f"slope $3h = {3 * h}$", at=0.5)
        strip(gaps, i, rows.gap.clip(lower=FLOOR), look, None, 0.6)
    K = int(table.patches.iloc[0])
    work.set(xscale="log", yscale="log", xlabel=f"samples $n$, $K = {K}$", ylabel="operations")
    style.ticks(work, table.samples)
    style.judged(work, findings["16"], "largest slope / $3h$: {}", (0.98, 0.06))
    style.legend_below(work)
    style.criterion(gaps, at_most=findings["bound"], at=0.02)
    judged(gaps, findings["16b"], "largest {}", (0.97, 0.96))
    gaps.set(yscale="log", ylim=(None, 1e-6), ylabel="duality gap / $p^*$", xlabel="patch size $h$")
    gaps.set_xticks(range(len(sizes)), sizes)
    gaps.set_xlim(-0.6, len(sizes) - 0.4)
    return fig, [*drawn, table]


if __name__ == "__main__":
    study.main(judge, draw)
