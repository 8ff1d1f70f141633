"""Z6: least eigenvalue of the empirical Hessian at the truth against the sample size."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, log_log_slope, median_band
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly
from workflow.studies.zhong2017.names import name, present

LEVEL = 0.95
CELL = ["patch_size", "kernels", "patches"]


def farthest_median(rows, rng):
    """The median ratio to the population's value that is farthest from 1, over all groups."""
    groups = [group for _, group in rows.groupby(["activation", "samples"])]
    found = []
    for group in groups:
        ratio = (group.smallest / group.population).to_numpy()

        def gap(values, axis):
            return abs(np.median(values, axis=axis) - 1)

        interval = bootstrap(ratio, rng, gap, level=1 - (1 - LEVEL) / len(groups))
        found.append(Measured(gap(ratio, 0), *interval, group.seed.nunique()))
    return max(found, key=lambda measured: measured.value)


def half_samples(rows, along, share):
    """n at which lambda_min reaches a share of the population's value; (seeds, sizes) frame.

    Interpolated in log n; missing where the grid of n does not hold it.
    """

    def first(curve):
        reached = (curve.smallest / curve.population).to_numpy()
        i = int((reached >= share).argmax())
        if reached[i] < share or i == 0:
            return np.nan
        ends = slice(i - 1, i + 1)
        return np.exp(np.interp(share, reached[ends], np.log(curve.samples.iloc[ends])))

    curves = rows.sort_values("samples").groupby(["seed", along])
    return curves[["samples", "smallest", "population"]].apply(first).unstack(along)


def slope_of_median(values, rng):
    """Log-log slope of the median over seeds against the columns."""

    def slope(rows, axis):
        return float(log_log_slope(values.columns, np.median(rows, axis=axis)))

    rows = values.to_numpy()
    return Measured(slope(rows, 0), *bootstrap(rows, rng, slope), len(rows))


def judge(tables, claims, rng):
    rows = {key: claim.rows(tables["sample_hessian"]) for key, claim in claims.items()}
    few = rows["N3-hessian"]
    half = {
        key: half_samples(rows[key], along, claims[key].given["share"])
        for key, along in (("Z6b", "patch_size"), ("Z6c", "patches"))
    }
    return {
        "Z6": farthest_median(rows["Z6"], rng),
        "Z6b": slope_of_median(half["Z6b"], rng),
        "Z6c": slope_of_median(half["Z6c"], rng),
        "N3-hessian": exactly((few.smallest / few.population).max(), seeds=few.seed.nunique()),
        "half": half,
    }


def draw(findings, tables):
    table = tables["sample_hessian"]
    counts = table.groupby(CELL).activation.nunique()
    cells = counts[counts == counts.max()].index[:2]
    fig, axes = style.panels(len(cells) + 1, height=2.6)
    drawn = []
    for axis, cell in zip(axes, cells, strict=False):
        rows = table[(table[CELL] == list(cell)).all(axis=1)]
        rows = rows.assign(share=rows.smallest / rows.population)
        for i, activation in present(rows):
            part = rows[rows.activation == activation]
            curve = style.curve(axis, part, "samples", "share", i, name(activation), markers=True)
            drawn.append(curve.assign(cell=str(cell)))
        k, t, r = cell
        axis.axhline(1, **style.THEORY)
        axis.axvline(k * t, color="0.4", linewidth=0.8)
        axis.text(k * t * 0.85, 0.6, "$n = kt$", fontsize=6.5, ha="right", rotation=90)
        axis.set(xscale="log", xlabel="samples $n$", title=f"$k = {k}$, $t = {t}$, $r = {r}$")
    seeds = table[(table[CELL] == list(cells[0])).all(axis=1)].seed.nunique()
    axes[0].set_ylabel(rf"$\lambda_{{\min}}$ / population's ({seeds} seeds)")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    drawn += draw_half(axes[-1], findings)
    return fig, drawn


def draw_half(axis, findings):
    drawn = []
    for i, (key, label) in enumerate((("Z6b", "$k$, at $r = 2$"), ("Z6c", "$r$, at $k = 8$"))):
        half = findings["half"][key]
        median, low, high = median_band(half.to_numpy())
        axis.errorbar(
            half.columns,
            median,
            (median - low, high - median),
            marker=style.MARKERS[i],
            **style.look(i),
            elinewidth=0.8,
            label=f"{label}: slope\n{findings[key].text()}",
        )
        drawn.append(pd.DataFrame({half.columns.name: half.columns, "n_half": median}))
    sizes = np.array([4.0, 32.0])
    axis.plot(sizes, 9 * sizes, label="slope 1", **style.THEORY)
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="size",
        ylabel=r"$n_{1/2}$",
        title="squared ReLU, $t = 2$",
    )
    axis.set_xticks([1, 2, 4, 8, 16, 32], ["1", "2", "4", "8", "16", "32"])
    axis.set_yticks([30, 100, 300], ["30", "100", "300"])
    axis.minorticks_off()
    axis.legend(loc="upper left", handlelength=1.2)
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
