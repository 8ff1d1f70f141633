"""Claim Z10: where gradient descent recovers W*, from which start, and whether by luck."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, log_log_slope, wilson
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly
from workflow.studies.zhong2017.names import look, name, name_criterion, slopes_allowed

CELL = ["patch_size", "samples"]
JUDGED = {
    "Z10b": "judged",
    "Z10b-tanh": "tanh",
    "Z10b-sigmoid": "sigmoid",
    "Z10b-erf": "erf",
}


def crossing(samples, shares, level):
    """n at which shares, along their last axis, reach a level, by interpolation in log n.

    Shares rise with n but for sampling noise: interpolation needs them monotone. The first or the
    last n where they are above or below the level throughout.
    """
    logs = np.log(np.asarray(samples))
    rising = np.maximum.accumulate(np.asarray(shares), axis=-1)
    after = np.sum(rising <= level, axis=-1)
    ends = [np.clip(at, 0, len(logs) - 1) for at in (after - 1, after)]
    low, high = (np.take_along_axis(rising, at[..., None], -1)[..., 0] for at in ends)
    part = (level - low) / np.where(high > low, high - low, 1)
    return np.exp(logs[ends[0]] + part * (logs[ends[1]] - logs[ends[0]]))


def crossing_slope(wide, level, rng):
    """Log-log slope of the crossing against the patch size; `wide` has a column a cell."""
    sizes, samples = (wide.columns.get_level_values(key).unique().to_numpy() for key in CELL)

    def slope(rows, axis):
        shares = rows.mean(axis=axis)
        shares = shares.reshape(*shares.shape[:-1], len(sizes), len(samples))
        return log_log_slope(sizes, crossing(samples, shares, level))

    values = wide.to_numpy(dtype=float)
    interval = bootstrap(values, rng, slope, together=True)
    return Measured(float(slope(values, 0)), *interval, len(values))


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


def shares_of_activation(claim, tables):
    """Shares of the tensor starts of an activation by cell, and which of them are judged."""
    table = tables[f"recovery_{JUDGED[claim.id]}"]
    table = table[table.start == "tensor"]
    cells = share_of_cells(table.assign(success=claim.succeeded(table)))
    judged = claim.rows(table)[CELL].drop_duplicates().assign(judged=True)
    cells = cells.merge(judged, how="left").assign(activation=table.activation.iloc[0])
    return cells.assign(judged=cells.judged.notna())


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
        "judged": {key: shares_of_activation(claims[key], tables) for key in JUDGED},
        "claims": claims,
    }


def draw(findings, tables):
    fig, axes = style.panels(3, rows=2, height=5.6)
    by_tensor, by_chance, judged, luck, shares, half = axes
    titles = (
        "tensor start: some hundred samples recover all",
        "a random start does about as well",
        "with enough samples every activation is recovered",
        "a useless start mostly ends right all the same",
        "near the truth a larger patch needs more samples",
        "in proportion to its dimension",
    )
    for letter, axis, text in zip("abcdef", axes, titles, strict=True):
        style.title(axis, letter, text)
    cells = findings["cells"].query("activation == 'squared_relu'")
    drawn = []
    for axis, start in ((by_tensor, "tensor"), (by_chance, "random")):
        rows = cells[cells.start == start]
        draw_map(axis, rows)
        drawn.append(rows[[*CELL, "success", "start_error", "seeds", "start", "activation"]])
    by_tensor.set_ylabel("dimension of a patch $k$")
    drawn.append(draw_judged(judged, findings))
    table = all_trials(tables)
    draw_luck(luck, table[table.start == "tensor"], findings)
    drawn += draw_shares(shares, findings)
    drawn.append(draw_half(half, findings))
    trials = tables["recovery_local"].seed.nunique()
    shares.set_xlabel(f"samples $n$; {trials} trials a point")
    for axis in (judged, luck, shares, half):
        style.legend_below(axis)
    return fig, drawn


def draw_map(axis, rows):
    """Per cent recovered by patch size and samples; below it the median error of the start."""
    share = rows.pivot(index="patch_size", columns="samples", values="success")
    error = rows.pivot(index="patch_size", columns="samples", values="start_error").to_numpy()
    axis.imshow(share, cmap="cividis", vmin=0, vmax=1, origin="lower", aspect="auto")
    for (row, column), value in np.ndenumerate(share.to_numpy()):
        if np.isfinite(value):
            axis.text(
                column,
                row,
                f"{100 * value:.0f}\n{error[row, column]:.2g}",
                ha="center",
                va="center",
                color="1" if value < 0.55 else "0",
                fontsize=style.SMALL,
            )
    axis.set_xlabel("samples $n$\nupper: % recovered; lower: start's error")
    axis.set_xticks(range(share.shape[1]), [f"{n:g}" for n in share.columns], rotation=45)
    axis.set_yticks(range(share.shape[0]), [f"{k:g}" for k in share.index])
    axis.grid(False)


def draw_judged(axis, findings):
    """Share recovered from tensor starts, a point a cell; the criterion is for enough samples."""
    names, drawn = [], []
    for place, (key, cells) in enumerate(findings["judged"].items()):
        activation = cells.activation.iloc[0]
        names.append(f"{name(activation)}\n{findings[key].text(3)}".replace(" ", "\n", 1))
        at = place + np.linspace(-0.3, 0.3, len(cells))
        ends = np.clip((cells["mean"] - cells.low, cells.high - cells["mean"]), 0, None)
        for chosen, shown in (
            (cells.judged, look(activation) | {"label": None}),
            (~cells.judged, style.measured(color="0.6", label="fewer samples, not judged")),
        ):
            if chosen.any():
                shown = shown | {"linestyle": "", "elinewidth": 0.8}
                axis.errorbar(at[chosen], cells["mean"][chosen], ends[:, chosen], **shown)
        drawn.append(cells)
    least = {claim.at_least for key, claim in findings["claims"].items() if key in JUDGED}
    style.criterion(axis, min(least), label="")
    name_criterion(axis, "criterion; least share below")
    axis.set(ylim=(0.6, 1.03), xlim=(-0.5, len(names) - 0.5), ylabel="share recovered")
    axis.set_xticks(range(len(names)), names)
    axis.grid(axis="x", visible=False)
    return pd.concat(drawn)


def draw_luck(axis, table, findings):
    """Error after descent against the error of the start, a point a trial."""
    for activation in dict.fromkeys(table.activation):
        rows = table[table.activation == activation]
        shown = look(activation, linestyle="", markersize=2.2, alpha=0.7, rasterized=True)
        axis.plot(rows.start_error, rows.max_error, **shown)
    style.criterion(
        axis, at_most=findings["claims"]["Z10b"].given["recovered"], label="criterion", at=0.02
    )
    axis.axvline(1, color=style.QUIET, linewidth=0.8)
    style.corner(axis, "start useless", "upper right")
    axis.set(xscale="log", yscale="log", xlabel="error of the tensor start")
    axis.set_ylabel("error after descent")
    axis.set_ylim(top=10 * table.max_error.max())


def draw_shares(axis, findings):
    """Share recovered against n from starts near the truth, a curve a patch size."""
    shares, drawn = findings["shares"], []
    colours = style.sequential(shares.patch_size)
    for i, (k, cells) in enumerate(shares.groupby("patch_size")):
        ends = np.clip((cells["mean"] - cells.low, cells.high - cells["mean"]), 0, None)
        shown = style.measured(i, color=colours[k], label=f"$k = {k}$", elinewidth=0.7)
        axis.errorbar(cells.samples, cells["mean"], ends, **shown)
        columns = ["samples", "sum", "size", "mean", "patch_size"]
        drawn.append(cells[columns].assign(start="local", low=cells.low, high=cells.high))
    level = findings["claims"]["Z10"].given["share"]
    axis.axhline(level, color=style.QUIET, linewidth=0.8, label="half, read for (f)", zorder=1)
    axis.set(xscale="log", ylabel="share recovered", ylim=(-0.05, 1.05))
    style.ticks(axis, shares.samples, apart=0.13)
    return drawn


def draw_half(axis, findings):
    """Samples at which half of the trials recover, against the patch size."""
    half = findings["half"]
    sizes, middle = half.patch_size, half["median"]
    ends = np.clip((middle - half.low, half.high - middle), 0, None)
    axis.errorbar(sizes, middle, ends, **style.measured(0, label="start 10 % off", elinewidth=0.8))
    level = np.exp(np.log(middle / sizes).mean())
    axis.plot(sizes, level * sizes, label="theory: slope 1", **style.THEORY)
    axis.set(xscale="log", yscale="log", xlabel="dimension of a patch $k$")
    axis.set_ylabel("$n_{50}$, samples for half of the trials")
    axis.set_ylim(middle.min() / 1.5, 2 * middle.max())
    slopes_allowed(axis, sizes, middle, findings["claims"]["Z10"])
    style.judged(axis, findings["Z10"], "slope {}", (0.97, 0.06))
    style.ticks(axis, sizes)
    style.plain_ticks(axis, "y")
    return half.assign(start="local, n_50")


if __name__ == "__main__":
    study.main(judge, draw)
