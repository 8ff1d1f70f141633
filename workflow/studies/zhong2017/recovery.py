"""Claim Z10: where gradient descent recovers W*, from which start, and whether by luck."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, log_log_slope, wilson
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly
from workflow.studies.zhong2017.names import name

CELL = ["patch_size", "samples"]
JUDGED = {
    "Z10b": "judged",
    "Z10b-tanh": "tanh",
    "Z10b-sigmoid": "sigmoid",
    "Z10b-erf": "erf",
}
STARTS = {"tensor": "tensor initialisation", "random": "random start", "local": "start 10 % off"}


def crossing(samples, shares, level):
    """n at which a growing share reaches a level, by interpolation in log n.

    Shares rise with n but for sampling noise: interpolation needs them monotone.
    """
    return np.exp(np.interp(level, np.maximum.accumulate(shares), np.log(samples)))


def crossing_slope(wide, level, rng):
    """Log-log slope of the crossing against the patch size; `wide` has a column a cell."""
    sizes, samples = (wide.columns.get_level_values(key).unique().to_numpy() for key in CELL)

    def slope(rows, axis):
        shares = rows.mean(axis=axis).reshape(len(sizes), len(samples))
        return float(log_log_slope(sizes, [crossing(samples, row, level) for row in shares]))

    values = wide.to_numpy(dtype=float)
    return Measured(slope(values, 0), *bootstrap(values, rng, slope), len(values))


def share_of_cells(rows):
    """Successes, runs, share and its Wilson interval, a row a cell."""
    cells = rows.groupby(CELL).success.agg(["sum", "size", "mean"])
    low, high = np.array([wilson(*cell) for cell in cells[["sum", "size"]].to_numpy()]).T
    return cells.assign(low=low, high=high).reset_index()


def all_trials(tables):
    """Every trial once: tables share cells."""
    unique = ["activation", "patch_size", "samples", "start", "seed"]
    return pd.concat(tables.values()).drop_duplicates(unique)


def least_share(claim, table):
    """Least share of successes over the cells judged; the note tells the cells that are not."""
    rows = claim.rows(table)
    shares = claim.succeeded(rows).groupby([rows[key] for key in CELL]).mean()
    others = table[(table.start == "tensor") & (table.samples < rows.samples.min())]
    told = claim.succeeded(others).groupby([others[key] for key in CELL]).mean()
    note = ", ".join(f"{share:.0%} at k = {k}, n = {n}" for (k, n), share in told.items())
    return exactly(shares.min(), seeds=rows.seed.nunique(), note=note and f"{note}.")


def judge(tables, claims, rng):
    near, level = claims["Z10"], claims["Z10"].given["share"]
    local = near.rows(tables["recovery_local"])
    local = local.assign(success=near.succeeded(local))
    shares = share_of_cells(local)
    half = shares.groupby("patch_size")[["samples", "mean", "low", "high"]].apply(
        lambda rows: pd.Series(
            {
                # A high share reaches the level early.
                end: crossing(rows.samples, rows[of], level)
                for end, of in (("median", "mean"), ("low", "high"), ("high", "low"))
            }
        )
    )
    tensor = claims["Z10b"]
    trials = all_trials(tables)
    trials = trials.assign(success=tensor.succeeded(trials))
    return {
        "Z10": crossing_slope(
            local.pivot(index="seed", columns=CELL, values="success"), level, rng
        ),
        **{
            key: least_share(claims[key], tables[f"recovery_{table}"])
            for key, table in JUDGED.items()
        },
        "shares": shares,
        "half": half.reset_index(),
        "cells": trials.groupby(["activation", "start", *CELL])
        .agg(
            success=("success", "mean"),
            start_error=("start_error", "median"),
            seeds=("seed", "size"),
        )
        .reset_index(),
        "recovered": tensor.given["recovered"],
        "level": level,
    }


def draw(findings, tables):
    fig, axes = style.plt.subplots(2, 3, figsize=(style.DOUBLE, 5.0), layout="constrained")
    table = all_trials(tables)
    cells = findings["cells"].query("activation == 'squared_relu'")
    drawn = []
    for axis, (start, title) in zip(axes[0], STARTS.items(), strict=True):
        rows = cells[cells.start == start]
        if start == "local":
            rows = rows[rows.samples.isin(findings["shares"].samples)]
        image = draw_map(axis, rows, start != "local")
        axis.set_title(title, loc="right")
        axis.set_ylabel("dimension of a patch $k$")
        drawn.append(rows[[*CELL, "success", "start_error", "seeds", "start", "activation"]])
    label = f"share with error $\\leq$ {findings['recovered']:g} at the end"
    fig.colorbar(image, ax=axes[0, 2], label=label)
    luck, success, half = axes[1]
    draw_luck(luck, table[table.start == "tensor"], findings["recovered"])
    trials = tables["recovery_local"].seed.nunique()
    drawn += draw_shares(success, findings["shares"], findings["level"], trials)
    drawn.append(draw_half(half, findings, success.get_xticks()))
    for letter, axis in zip("abcdef", axes.ravel(), strict=True):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
    return fig, drawn


def draw_map(axis, rows, with_error):
    """Share recovered by patch size and samples; below it the median error of the start."""
    share = rows.pivot(index="patch_size", columns="samples", values="success")
    error = rows.pivot(index="patch_size", columns="samples", values="start_error").to_numpy()
    image = axis.imshow(share, cmap="cividis", vmin=0, vmax=1, origin="lower", aspect="auto")
    for (row, column), value in np.ndenumerate(share.to_numpy()):
        if np.isfinite(value):
            text = f"{100 * value:.0f}"
            if with_error:
                text += f"\n{error[row, column]:.2g}"
            colour = "1" if value < 0.55 else "0"
            size = 5.8 if with_error else 4.8
            axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
    axis.set(
        xticks=range(share.shape[1]),
        yticks=range(share.shape[0]),
        xlabel="samples $n$",
    )
    axis.set_xticklabels([f"{n:g}" for n in share.columns], rotation=45)
    axis.set_yticklabels([f"{k:g}" for k in share.index])
    axis.grid(False)
    return image


def draw_luck(axis, table, recovered):
    """Error after descent against the error of the start, a point a trial."""
    for i, activation in enumerate(table.activation.unique()):
        rows = table[table.activation == activation]
        axis.plot(
            rows.start_error,
            rows.max_error,
            linestyle="",
            marker=style.MARKERS[i],
            markersize=2.6,
            markerfacecolor="none",
            markeredgewidth=0.6,
            color=style.COLOURS[i],
            label=name(activation),
        )
    axis.axhline(recovered, **style.THEORY)
    axis.axvspan(1, 12, color="0.5", alpha=0.15, linewidth=0)
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="error of the tensor initialisation",
        ylabel="error after descent",
        ylim=(2e-6, None),
    )
    axis.set_title("skill or luck", loc="right")
    axis.legend(title="a point a trial", loc="upper left", handlelength=1)
    axis.text(
        0.97,
        0.03,
        "shaded: the start is useless;\nbelow the line: luck of descent",
        transform=axis.transAxes,
        fontsize=6.5,
        ha="right",
    )


def draw_shares(axis, shares, level, trials):
    """Share recovered against n from starts near the truth, a curve a patch size."""
    drawn = []
    for i, (k, cells) in enumerate(shares.groupby("patch_size")):
        axis.errorbar(
            cells.samples,
            cells["mean"],
            (cells["mean"] - cells.low, cells.high - cells["mean"]),
            marker=style.MARKERS[i],
            elinewidth=0.7,
            label=f"$k = {k}$",
            **style.look(i),
        )
        columns = ["samples", "sum", "size", "mean", "patch_size"]
        drawn.append(cells[columns].assign(start="local", low=cells.low, high=cells.high))
    axis.axhline(level, color="0.6", linewidth=0.7)
    axis.set(
        xscale="log",
        xlabel="samples $n$",
        ylabel="share recovered",
        ylim=(-0.03, 1.4),
        yticks=np.arange(0, 1.1, 0.25),
    )
    axis.set_title(f"10 % off, {trials} trials", loc="right")
    shown = sorted(shares.samples.unique())[::2]
    axis.set_xticks(shown, [str(n) for n in shown])
    axis.minorticks_off()
    axis.legend(loc="upper left", ncols=2)
    return drawn


def draw_half(axis, findings, ticks):
    """Samples at which half of the trials recover, against the patch size."""
    half = findings["half"]
    sizes, middle = half.patch_size, half["median"]
    axis.errorbar(
        sizes,
        middle,
        (middle - half.low, half.high - middle),
        marker="o",
        linestyle="",
        color=style.COLOURS[0],
        label="measured",
    )
    level = np.exp(np.log(middle / sizes).mean())
    axis.plot(sizes, level * sizes, label="slope 1", **style.THEORY)
    axis.text(
        0.95,
        0.06,
        f"measured slope\n{findings['Z10'].text()}",
        ha="right",
        fontsize=6.5,
        transform=axis.transAxes,
    )
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="dimension of a patch $k$",
        ylabel=r"$n_{50}$, samples for half of the trials",
    )
    axis.set_title("10 % off", loc="right")
    axis.set_xticks(sizes, [str(k) for k in sizes])
    axis.set_yticks(ticks, [f"{n:g}" for n in ticks])
    axis.minorticks_off()
    axis.legend(loc="upper left")
    return half.assign(start="local, n_50")


if __name__ == "__main__":
    study.main(judge, draw)
