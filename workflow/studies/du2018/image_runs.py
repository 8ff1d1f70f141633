"""Runs on image patches: which of them converged, and how their curves are drawn."""

import pandas as pd
from matplotlib.ticker import MaxNLocator

from workflow.studies import style

RUN = ["teacher", "start_distance", "seed"]


def at_the_end(table):
    """The rows of the last epoch, or of the learned filter itself (mixing 1)."""
    along = column_of_time(table)
    return table[table[along] == table[along].max()]


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


def curves(axis, table, value, died):
    """Median and band of the converged runs for each start; runs that died as thin lines."""
    along = column_of_time(table)
    alive, dead = split(table, died)
    drawn = []
    for i, distance in enumerate(sorted(table.start_distance.unique(), reverse=True)):
        rows = alive[alive.start_distance == distance]
        label = rf"$\|w_0 - w^*\| = {distance:g}\,\|w^*\|$"
        drawn.append(style.curve(axis, rows, along, value, i, label, markers=True))
        for _, run in dead[dead.start_distance == distance].groupby("seed"):
            axis.plot(run[along], run[value], color=style.COLOURS[i], linewidth=0.5, alpha=0.8)
            drawn.append(run[[along, value]].assign(curve=f"died, {label}"))
    return drawn, dead.groupby(["seed", "start_distance"]).ngroups


def show_losses(axis, table, name, died):
    """Relative loss of SGD over the epochs, from each start; returns what was drawn."""
    drawn, dead = curves(axis, table, "relative_loss", died)
    axis.set(
        xlabel="epoch",
        ylabel=r"relative loss, $\ln(\mathrm{MSE} / \overline{y}^2)$",
        title=name,
        ylim=(-15, 5),
    )
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if dead:
        axis.text(
            0.02,
            0.03,
            f"thin: {dead} runs that died (filter active on no patch)",
            transform=axis.transAxes,
            fontsize=6.5,
        )
    return drawn


def show_errors(axis, table, died):
    """Error of the filter over the epochs, from each start; returns what was drawn."""
    drawn, _ = curves(axis, table, "filter_error", died)
    axis.set(
        xlabel="epoch",
        ylabel=r"$\|w_t - w^*\| / \|w^*\|$",
        yscale="log",
        title="error of the filter",
    )
    axis.set_yticks([0.1, 0.2, 0.5, 1, 2, 5], ["0.1", "0.2", "0.5", "1", "2", "5"])
    axis.minorticks_off()
    axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    return drawn


def draw_training(table, title, died):
    """Relative loss and filter error of SGD towards one kind of teacher: figure, what is drawn."""
    fig, (losses, errors) = style.panels(2, height=2.5)
    drawn = show_losses(losses, table, title, died) + show_errors(errors, table, died)
    losses.legend(loc="upper right")
    return fig, drawn
