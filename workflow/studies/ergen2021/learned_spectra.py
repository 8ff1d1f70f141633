"""Claim 9d: the energy of trained circular networks at the frequencies of their program."""

import numpy as np

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.verdicts import Measured

LABELS = {
    "sgd": "circular, SGD",
    "adam": "circular, Adam",
    "group": "control: group $\\ell_2$ network",
}
LOOKS = {
    "program": dict(color="0.15", marker="_", markersize=6),
    "sgd": dict(color=style.COLOURS[0], marker="o"),
    "adam": dict(color=style.COLOURS[2], marker="s"),
    "group": dict(color=style.COLOURS[3], marker="X", markerfacecolor="none"),
}


def judge(tables, claims, rng):
    table = tables["learned_spectra"]
    within = shares(table)
    trained, other = (shares(claims[name].rows(table)) for name in ("9d", "9dx"))
    trained, other = trained.iloc[:, 0], other.iloc[:, 0]
    evenly = table[table.method == "sgd"].groupby("seed").selected.mean()
    note = f"Adam {within.adam.median():.3g}, evenly spread energy {evenly.median():.2g} (medians);"
    note += f" least {trained.min():.2g}."
    return {
        "9d": median(trained, rng)._replace(note=note),
        "9d-paired": median(trained - other, rng),
        "9dx": median(other, rng),
        "shares": within,
        "evenly": evenly,
    }


def shares(table):
    """Share of the energy in the program's support: a row a data set, a column a method."""
    found = table[table.selected].groupby(["seed", "method"]).energy.sum()
    return found.unstack("method", fill_value=0.0)


def median(values, rng):
    """Median over the data sets with its bootstrap interval."""
    values = values.to_numpy()
    return Measured(np.median(values), *bootstrap(values, rng, np.median), len(values))


def draw(findings, tables):
    table, within = tables["learned_spectra"], findings["shares"]
    fig, (one, every) = style.panels(2, height=2.7, width_ratios=(1.3, 1))
    # The data set in the middle: neither the best nor the worst.
    seed = within.sgd.sort_values().index[len(within) // 2]
    rows = table[table.seed == seed]
    half = rows[rows.frequency <= rows.dimension // 2]
    for frequency in half[half.selected].frequency.unique():
        one.axvspan(frequency - 0.5, frequency + 0.5, color="0.92", zorder=0)
    for i, method in enumerate(("program", "sgd", "group")):
        shown = half[half.method == method]
        label = LABELS.get(method, "program")
        look = dict(linestyle="", label=label) | LOOKS[method]
        one.plot(shown.frequency + 0.15 * (i - 1), shown.energy, **look)
    one.set(xlabel="frequency", ylabel="share of the network's energy", ylim=(-0.02, None))
    one.set_title("(a) SGD selects the program's frequencies", loc="left")
    for place, method in enumerate(LABELS):
        values = within[method].sort_values()
        spread = place + np.linspace(-0.3, 0.3, len(values))
        every.plot(spread, values, linestyle="", **LOOKS[method])
        every.plot([place - 0.35, place + 0.35], [values.median()] * 2, color="0.1", linewidth=1.3)
    every.axhline(findings["evenly"].median(), **style.THEORY)
    every.text(
        2.45, findings["evenly"].median(), "evenly spread", va="bottom", ha="right", fontsize=6.5
    )
    every.set(ylabel="share of energy in the support", ylim=(0, 1.05), xticks=range(len(LABELS)))
    every.set_xticklabels(["SGD", "Adam", "control:\ngroup $\\ell_2$"])
    every.set_title(f"(b) {len(within)} data sets", loc="left")
    handles, labels = one.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3)
    return fig, [table, within.reset_index()]


if __name__ == "__main__":
    study.main(judge, draw)
