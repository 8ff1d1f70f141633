"""Runs on image patches: which of them converged, and how their curves are drawn."""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from cnntheory.stats import bootstrap
from workflow.studies import style

RUN = ["teacher", "start_distance", "seed"]


def at_the_end(table):
    """The rows of the last epoch, or of the learned filter itself (mixing 1)."""
    along = column_of_time(table)
    return table[table[along] == table[along].max()]


def median_of_all(values, rng):
    """``median, low, high`` of what there is of values ``(seeds, ...)``; seeds are drawn again."""

    def over_all(replicas, axis):
        return np.nanmedian(replicas.reshape(len(replicas), -1), axis=1)

    return np.nanmedian(values), *bootstrap(values, rng, over_all, together=True)


def of_runs(table, runs):
    """The rows of the runs that stand in another table."""
    return table[pd.MultiIndex.from_frame(table[RUN]).isin(pd.MultiIndex.from_frame(runs[RUN]))]


def column_of_time(table):
    """Column along which the runs of a table are followed."""
    return next(name for name in ("epoch", "iteration", "mixing") if name in table)


def split(table, died):
    """Rows of the runs that converged, and of those whose last relative loss is above `died`."""
    keys = ["seed", "start_distance"]
    last = table.sort_values(column_of_time(table)).groupby(keys).relative_loss.last()
    dead = table.set_index(keys).index.isin(last[last > died].index)
    return table[~dead], table[dead]


def looks(distances):
    """Distance of the start to the look of its curve, the farthest first and darkest."""
    colours = style.sequential(distances)
    return {
        distance: style.measured(i, color=colours[distance])
        for i, distance in enumerate(sorted(colours, reverse=True))
    }


def curves(axis, table, value, died):
    """Median and band of the converged runs for each start; runs that died as thin lines."""
    along = column_of_time(table)
    alive, dead = split(table, died)
    drawn = []
    for distance, look in looks(table.start_distance).items():
        rows = alive[alive.start_distance == distance]
        label = rf"$\|w_0 - w^*\| = {distance:g}\,\|w^*\|$"
        drawn.append(style.curve(axis, rows, along, value, look, label))
        for _, run in dead[dead.start_distance == distance].groupby("seed"):
            axis.plot(run[along], run[value], color="0.7", linewidth=0.6, zorder=1.5)
            drawn.append(run[[along, value]].assign(curve=f"died, {label}"))
    return drawn, dead.groupby(["seed", "start_distance"]).ngroups


def show_losses(axis, table, died, asked):
    """Relative loss of SGD over the epochs, from each start; returns what was drawn."""
    drawn, dead = curves(axis, table, "relative_loss", died)
    axis.set(
        xlabel="epoch",
        ylabel=r"relative loss, $\ln(\mathrm{MSE} / \overline{y}^2)$",
        ylim=(-15.5, 3.5),
    )
    # At the edge of the band its name would stand on the curves.
    style.criterion(axis, at_most=asked, label="")
    quiet = {"fontsize": style.SMALL, "color": style.QUIET, "va": "center"}
    axis.text(0.03, 0.15, "criterion, at the end", transform=axis.transAxes, **quiet)
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    seeds = table.seed.nunique()
    died = f"; grey: {dead} died" if dead else ""
    style.corner(axis, f"{seeds} seeds{died}", "upper right")
    return drawn


def show_errors(axis, table, died):
    """Error of the filter over the epochs, from each start; returns what was drawn."""
    drawn, _ = curves(axis, table, "filter_error", died)
    axis.set(xlabel="epoch", ylabel=r"$\|w_t - w^*\| / \|w^*\|$", yscale="log")
    style.plain_ticks(axis, "y")
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return drawn
