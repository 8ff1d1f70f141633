"""Z6: least eigenvalue of the empirical Hessian at the truth against the sample size."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, log_log_slope, median_band
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly
from workflow.studies.zhong2017.names import look, name_criterion, present, slopes_allowed

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

        level = 1 - (1 - LEVEL) / len(groups)
        interval = bootstrap(ratio, rng, gap, level, together=True)
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
        return log_log_slope(values.columns, np.median(rows, axis=axis))

    rows = values.to_numpy()
    interval = bootstrap(rows, rng, slope, together=True)
    return Measured(float(slope(rows, 0)), *interval, len(rows))


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
        "claims": claims,
    }


def draw(findings, tables):
    table = tables["sample_hessian"]
    counts = table.groupby(CELL).activation.nunique()
    cells = counts[counts == counts.max()].index[:2]
    fig, axes = style.panels(2, rows=2, height=4.9)
    style.title(
        axes[0], "a", "flat below as many samples as weights, then as convex as the population"
    )
    style.title(axes[1], "b", "so it is with more and larger kernels")
    style.title(axes[2], "c", "twice the patch needs twice the samples")
    style.title(axes[3], "d", "more patches need no more samples")
    drawn = []
    for axis, cell in zip(axes, cells, strict=False):
        drawn.append(draw_cell(axis, table[(table[CELL] == list(cell)).all(axis=1)], cell))
    claims = findings["claims"]
    allowed, least = claims["Z6"].at_most, claims["Z6"].rows(table).samples.min()
    style.criterion(axes[0], 1 - allowed, 1 + allowed, label="", span=(least, None))
    name_criterion(axes[0], "criterion")
    style.judged(axes[0], findings["Z6"], "farthest median\n{} off", (0.97, 0.55))
    for axis, key, text in (
        (axes[2], "Z6b", "dimension of a patch $k$"),
        (axes[3], "Z6c", "patches $r$"),
    ):
        drawn.append(draw_half(axis, findings["half"][key], claims[key]))
        style.judged(axis, findings[key], "slope {}", (0.97, 0.08))
        axis.set_xlabel(text)
    axes[2].set_ylim(axes[3].get_ylim())
    style.legend_below(fig)
    return fig, drawn


def draw_cell(axis, rows, cell):
    """Least eigenvalue over the population's against the samples, an activation a curve."""
    k, t, r = cell
    rows = rows.assign(share=rows.smallest / rows.population)
    drawn = [
        style.curve(axis, rows[rows.activation == key], "samples", "share", look(key), None)
        for key in present(rows)
    ]
    axis.axvline(k * t, **style.THEORY)
    axis.annotate(
        "theory: zero for $n < kt$",
        (k * t, 0.98),
        (-3, 0),
        xycoords=axis.get_xaxis_transform(),
        textcoords="offset points",
        ha="right",
        va="top",
        rotation=90,
        fontsize=style.SMALL,
        color=style.INK,
    )
    seeds = rows.seed.nunique()
    style.corner(axis, f"$k = {k}$, $t = {t}$, $r = {r}$\n{seeds} seeds", "lower right")
    axis.set(xscale="log", xlabel="samples $n$", ylabel=r"$\lambda_{\min}$ / population's")
    axis.set_ylim(-0.04, 1.3)
    return pd.concat(drawn).assign(cell=str(cell))


def draw_half(axis, half, claim):
    """Samples for half of the population's least eigenvalue, with the slopes allowed."""
    sizes = half.columns.to_numpy(float)
    median, low, high = median_band(half.to_numpy())
    axis.errorbar(
        sizes, median, (median - low, high - median), elinewidth=0.8, **look("squared_relu")
    )
    axis.set(xscale="log", yscale="log", ylabel="$n_{1/2}$, samples for half of it")
    axis.set_ylim(15, 700)
    style.ticks(axis, sizes)
    style.plain_ticks(axis, "y")
    slopes_allowed(axis, sizes, median, claim)
    return pd.DataFrame({half.columns.name: half.columns, "n_half": median})


if __name__ == "__main__":
    study.main(judge, draw)
