"""P3, N2: which widths fit how many images."""

import numpy as np
import pandas as pd

from cnntheory.stats import wilson
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import data_of, lowest
from workflow.studies.allenzhu2019.looks import ticks
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

    return {"P3-width": worst(claims["P3-width"]), "N2x": worst(claims["N2x"]), "cells": cells}


def draw(findings, tables):
    table = tables["success"]
    cells = findings["cells"]
    fig, (grid, reached) = style.panels(2, height=2.7)
    drawn = [cells]

    share = cells.pivot(index="samples", columns="width", values="mean")
    image = grid.imshow(share, cmap="cividis", vmin=0, vmax=1, origin="lower", aspect="auto")
    for (row, column), value in np.ndenumerate(share.to_numpy()):
        colour = "1" if value < 0.55 else "0"
        grid.text(
            column, row, f"{100 * value:.0f}", ha="center", va="center", color=colour, fontsize=7
        )
    grid.set(xlabel="width $m$", ylabel="number of images $n$")
    grid.set_xticks(range(share.shape[1]), share.columns)
    grid.set_yticks(range(share.shape[0]), share.index)
    grid.grid(False)
    grid.set_title(f"in %, {cells['size'].min()} trials a cell", loc="right")
    fig.colorbar(image, ax=grid, label="share of trials that converge")

    top = 2 * table.width.max()
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
        reached.errorbar(
            x,
            found["mean"],
            np.clip((found["mean"] - narrow, wide - found["mean"]), 0, None),
            marker=style.MARKERS[i],
            elinewidth=0.8,
            capsize=1.5,
            label=f"{100 * level:.0f} % of the trials",
            **style.look(i),
        )
        beyond = found["mean"].notna() & found.low.isna()
        reached.plot(x[beyond], [0.9 * top] * beyond.sum(), "^", color=style.COLOURS[i])
        drawn.append(found)
    reached.set(
        xscale="log",
        yscale="log",
        xlabel="number of images $n$",
        ylabel="width $m$",
        ylim=(table.width.min() / 1.3, top),
    )
    ticks(reached, table.samples)
    ticks(reached, table.width, "y")
    reached.legend(loc="lower right", title="least width that fits")
    return fig, drawn


def crossing(widths, shares, level):
    """Width at which a growing share reaches `level`, interpolated in log m; nan if never."""
    growing = np.maximum.accumulate(np.asarray(shares))
    if growing[-1] < level:
        return np.nan
    return float(np.exp(np.interp(level, growing, np.log(widths))))


if __name__ == "__main__":
    study.main(judge, draw)
