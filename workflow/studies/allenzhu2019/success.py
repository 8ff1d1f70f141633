"""P3, N2: which widths fit how many images."""

import numpy as np
import pandas as pd

from cnntheory.stats import wilson
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import data_of, lowest
from workflow.studies.verdicts import Measured

SHARES = (0.5, 0.95)


def judge(tables, claims, rng):
    table = tables["success"]
    cells = table.assign(fits=claims["P3-width"].succeeded(table)).groupby(["samples", "width"])
    cells = cells.fits.agg(["sum", "size", "mean"]).reset_index()
    cells["low"], cells["high"] = np.transpose(
        [wilson(*cell) for cell in cells[["sum", "size"]].to_numpy()]
    )

    def worst(claim):
        found = {}
        for cell in claim.rows(cells).rename(columns={"size": "trials"}).itertuples():
            share = Measured(cell.mean, cell.low, cell.high, cell.trials, data_of(table))
            found[cell.width, cell.samples] = share
        return lowest(found, "m = {}.")

    return {
        "P3-width": worst(claims["P3-width"]),
        "N2x": worst(claims["N2x"]),
        "cells": cells,
        "judged": claims["P3-width"].rows(cells),
        "control": claims["N2x"].rows(cells),
        "at_least": claims["P3-width"].at_least,
    }


def draw(findings, tables):
    fig, (judged, grid, needed) = style.panels(
        3, height=2.7, gridspec_kw={"width_ratios": [1.15, 1, 1]}
    )
    style.title(judged, "a", "a few dozen neurons fit every time, two hardly ever")
    style.title(grid, "b", "more images need a little more width")
    style.title(needed, "c", "the width that is needed grows far slower than proven")
    draw_shares(judged, findings)
    draw_grid(grid, findings["cells"])
    reached = draw_needed(needed, findings["cells"])
    return fig, [findings["cells"], *reached]


def draw_shares(axis, findings):
    """What is judged: shares at one number of images, with their Wilson intervals."""
    cells, control = findings["cells"], findings["control"]
    samples = findings["judged"].samples.max()
    usual = cells[(cells.samples == samples) & ~cells.width.isin(control.width)]
    for rows, look in (
        (usual, style.measured(0, label="measured")),
        (control, style.control("$m = 2$", linestyle="")),
    ):
        ends = np.clip((rows["mean"] - rows.low, rows.high - rows["mean"]), 0, None)
        axis.errorbar(rows.width, rows["mean"], ends, elinewidth=0.8, capsize=1.5, **look)
    style.criterion(
        axis,
        findings["at_least"],
        label="criterion",
        span=(findings["judged"].width.min(), None),
        inside=False,
    )
    style.judged(axis, findings["P3-width"], "worst of these:\n{}", (0.98, 0.6))
    style.judged(
        axis, findings["N2x"], "control: $m = 2$\n{}", (0.03, 0.62), color=style.VERMILLION
    )
    style.corner(axis, f"$n = {samples}$,\n{usual['size'].min()} trials a width", "lower right")
    axis.set(xscale="log", xlabel="width $m$", ylabel="share of trials that converge")
    axis.set(xlim=(cells.width.min() / 1.3, cells.width.max() * 1.3), ylim=(-0.04, 1.1))
    style.ticks(axis, cells.width)


def draw_grid(axis, cells):
    """All shares in per cent, by width and number of images."""
    share = cells.pivot(index="samples", columns="width", values="mean")
    axis.imshow(share, cmap="cividis", vmin=0, vmax=1, origin="lower", aspect="auto")
    for (row, column), value in np.ndenumerate(share.to_numpy()):
        look = {"color": "1" if value < 0.55 else "0", "fontsize": style.SMALL}
        axis.text(column, row, f"{100 * value:.0f}", ha="center", va="center", **look)
    axis.set(xlabel="width $m$; numbers in %", ylabel="number of images $n$")
    axis.set_xticks(range(share.shape[1]), share.columns)
    axis.set_yticks(range(share.shape[0]), share.index)
    axis.grid(False)


def draw_needed(axis, cells):
    """Widths at which the shares reach the levels, and the exponent of the theorem."""
    top, drawn = 2 * cells.width.max(), []
    for i, level in enumerate(SHARES):
        found = pd.DataFrame(
            [
                {"samples": n, "level": level}
                | {
                    name: crossing(part.width, part[name], level)
                    for name in ("mean", "low", "high")
                }
                for n, part in cells.groupby("samples")
            ]
        )
        # The higher the interval of the share, the narrower the width that reaches the level.
        narrow, wide = found.high.fillna(found["mean"]), found.low.fillna(top)
        x = found.samples * 1.03 ** (2 * i - 1)
        look = style.measured(i, label=f"{100 * level:.0f} % fit")
        ends = np.clip((found["mean"] - narrow, wide - found["mean"]), 0, None)
        axis.errorbar(x, found["mean"], ends, elinewidth=0.8, capsize=1.5, **look)
        beyond = found["mean"].notna() & found.low.isna()
        axis.plot(x[beyond], [0.9 * top] * beyond.sum(), "^", color=look["color"])
        drawn.append(found)
    least, most = cells.samples.min(), cells.samples.max()
    n = np.geomspace(1.12 * least, most, 200)  # right of the marks
    wide = drawn[-1]["mean"].iloc[0]
    line = 1.5 * (wide if np.isfinite(wide) else cells.width.max()) * (n / n[0]) ** 24
    shown = line < top
    bound = style.bound(axis, n[shown], line[shown], "below", at=0.9)
    bound.set_label("theorem: at most $n^{24}$")
    axis.set(xscale="log", yscale="log", xlabel="number of images $n$", ylabel="width $m$")
    axis.set(xlim=(least / 1.15, most * 1.15), ylim=(cells.width.min() / 1.3, top))
    style.ticks(axis, cells.samples)
    style.ticks(axis, cells.width, "y")
    style.legend_below(axis)
    return drawn


def crossing(widths, shares, level):
    """Width at which a growing share reaches `level`, interpolated in log m; nan if never."""
    growing = np.maximum.accumulate(np.asarray(shares))
    if growing[-1] < level:
        return np.nan
    return float(np.exp(np.interp(level, growing, np.log(widths))))


if __name__ == "__main__":
    study.main(judge, draw)
