"""The price of every direction of a filter of two weights, and where the filters are."""

import numpy as np

from workflow.studies import study, style


def draw(findings, tables):
    prices, directions = tables["prices"], tables["directions"]
    fig, axes = style.panels(2, height=2.7, sharey=True)
    titles = {
        "exact": "(a) the price touches 1 at the optimal filters",
        "gates": "(b) few gates: above 1, no certificate",
    }
    top = max(1.25, 1.1 * prices.price.max())
    for axis, (kind, title) in zip(axes, titles.items(), strict=True):
        rows = prices[prices.study == kind].sort_values("angle")
        shade(axis, rows)
        control = kind == "gates"
        label = (
            "control: price, dual of few gates" if control else "price at the optimal dual point"
        )
        axis.plot(rows.angle, rows.price, color=style.COLOURS[3 if control else 0], label=label)
        axis.axhline(1, label="$\\beta$, the dual's constraint", **style.THEORY)
        mark(axis, rows, directions[directions.study == kind], kind)
        if not control:
            mark(axis, rows, directions[directions.study == "trained"], "trained")
        turns = np.pi * np.arange(5) / 2
        names = ["0", r"$\pi/2$", r"$\pi$", r"$3\pi/2$", r"$2\pi$"]
        axis.set_xticks(turns, names)
        axis.set(xlabel="angle of the filter $u$", xlim=(0, 2 * np.pi), ylim=(0, top))
        axis.set_title(title, loc="left")
        axis.grid(False)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=1, labelspacing=0.25)
    axes[0].set_ylabel("$|v^T \\sum_k (X_k u)_+| \\, / \\, \\beta$")
    return fig, [prices, directions]


def shade(axis, rows):
    """Every second cell of the arrangement in grey."""
    for cell, own in rows.groupby("cell"):
        if cell % 2:
            axis.axvspan(own.angle.min(), own.angle.max(), color="0.93", linewidth=0, zorder=0)


def mark(axis, rows, filters, kind):
    """Filters of a network on the curve of the prices."""
    label, look = {
        "exact": ("filters of the optimal network", dict(marker="o", color="0.1", markersize=6)),
        "trained": (
            "filters of the best trained network",
            dict(marker="x", color=style.COLOURS[1], markersize=4, zorder=7),
        ),
        "gates": (
            "control: filters of the optimum over few gates",
            dict(marker="D", color=style.COLOURS[3], markerfacecolor="none", zorder=7),
        ),
    }[kind]
    price = np.interp(filters.angle, rows.angle, rows.price)
    axis.plot(filters.angle, price, linestyle="", label=label, **look)


if __name__ == "__main__":
    study.main(draw=draw)
