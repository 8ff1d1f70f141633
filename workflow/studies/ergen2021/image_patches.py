"""Patches of images and photographs: the optimum over sampled cells against the number of gates."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.ergen2021.common import strip

KEY = ["seed", "method", "gates", "restart"]
QUANTITIES = {
    "relative": "objective / best start of SGD",
    "accuracy": "test accuracy",
    "seconds": "time (s)",
}
ROWS = {
    "image_patches": (
        "digits: SGD ends lower",
        "and does as well on new ones",
        "in less time than many gates take",
    ),
    "photograph_patches": (
        "photographs: SGD ends lower, or fails",
        "a failed start fails on new tiles too",
        "in less time than many gates take",
    ),
}


def draw(findings, tables):
    fig, axes = style.panels(3, rows=2, height=4.8, sharex="row")
    drawn, letters = [], iter("abcdef")
    for row, (name, titles) in zip(axes.reshape(2, 3), ROWS.items(), strict=True):
        table = tables[name].merge(tables[f"{name}_timing"].drop(columns="data"), on=KEY)
        best = table[table.method == "sgd"].groupby("seed").objective.min()
        table = table.assign(relative=table.objective / table.seed.map(best))
        drawn.append(table.assign(source=name))
        for axis, (quantity, label), title in zip(row, QUANTITIES.items(), titles, strict=True):
            style.title(axis, next(letters), title)
            draw_panel(axis, table, quantity)
            axis.set(ylabel=label, xlabel="sampled gates $T$")
        for axis in (row[0], row[2]):
            axis.set_yscale("log")
            style.plain_ticks(axis, "y")
    style.legend_below(fig)
    return fig, drawn


def draw_panel(axis, table, quantity):
    """One quantity against the number of gates, a line a training set, and SGD at the right."""
    convex, sgd = (table[table.method == method] for method in ("convex", "sgd"))
    gates = sorted(convex.gates.unique())
    for i, (_, rows) in enumerate(convex.groupby("seed")):
        rows = rows.sort_values("gates")
        label = None if i else "optimum over the gates' cells, a training set"
        look = style.measured(0, label=label, linewidth=0.8)
        axis.plot(range(len(gates)), rows[quantity], **look)
    sets = sgd.seed.nunique()
    for i, (_, rows) in enumerate(sgd.groupby("seed")):
        label = None if i else "SGD, a start; side by side: training sets"
        place = len(gates) + min(0.26, 0.8 / sets) * (i - (sets - 1) / 2)
        values = np.sort(rows[quantity].unique())
        strip(axis, place, values, style.measured(1), label, 0.1)
    names = [*(f"{count:g}" for count in gates), "SGD"]
    axis.set_xticks(range(len(names)), names)
    axis.set_xlim(-0.3, len(names) - 0.4)


if __name__ == "__main__":
    study.main(draw=draw)
