"""The price of every direction of a filter of two weights, and where the filters are."""

import numpy as np

from workflow.studies import study, style

TURNS = {0: "0", 0.5: r"$\pi/2$", 1: r"$\pi$", 1.5: r"$3\pi/2$", 2: r"$2\pi$"}


def draw(findings, tables):
    prices, directions = tables["prices"], tables["directions"]
    fig, axes = style.panels(2, height=3.0, sharey=True)
    style.title(axes[0], "a", "the price touches its limit exactly at the optimal filters")
    over = prices[prices.study == "gates"].price.max() > 1 + 1e-6
    found = "exceeds the limit: no certificate" if over else "stays within the limit"
    style.title(axes[1], "b", f"over few gates it {found}")
    looks = {
        "exact": style.measured(0, label="price at the optimal dual point", marker=""),
        "gates": style.control("price, dual point of few gates", marker=""),
    }
    for axis, (kind, look) in zip(axes, looks.items(), strict=True):
        rows = prices[prices.study == kind].sort_values("angle")
        for cell, own in rows.groupby("cell"):
            if cell % 2:
                axis.axvspan(own.angle.min(), own.angle.max(), color="0.94", linewidth=0, zorder=0)
        axis.plot(rows.angle, rows.price, **look)
        style.bound(axis, None, 1, "below", at=0.02 if kind == "exact" else 0.5)
        mark(axis, rows, directions, ("exact", "trained") if kind == "exact" else ("gates",))
        axis.set_xticks([np.pi * turn for turn in TURNS], TURNS.values())
        axis.set(xlabel="angle of the filter $u$", xlim=(0, 2 * np.pi))
        axis.set_ylim(0, max(1.25, 1.1 * prices.price.max()))
        axis.grid(False)
        axis.plot([], [], label="the dual's limit: at most $\\beta$", **style.BOUND)
        style.legend_below(axis, ncols=1)
    axes[0].set_ylabel("$|v^T \\sum_k (X_k u)_+| \\, / \\, \\beta$")
    return fig, [prices, directions]


def mark(axis, rows, directions, kinds):
    """Filters of networks on the curve of the prices."""
    looks = {
        "exact": style.measured(0, label="filters of the optimal network", markersize=6.5),
        "trained": style.measured(
            4, label="filters of the best trained network", marker="X", zorder=7
        ),
        "gates": style.control("filters of its optimum", i=3, zorder=7, markersize=5),
    }
    for kind in kinds:
        filters = directions[directions.study == kind]
        price = np.interp(filters.angle, rows.angle, rows.price)
        axis.plot(filters.angle, price, **looks[kind] | {"linestyle": ""})


if __name__ == "__main__":
    study.main(draw=draw)
