"""Claim 9d: the energy of trained circular networks at the frequencies of their program."""

from workflow.studies import study, style
from workflow.studies.ergen2021.common import median, strip

# Names and looks of what is shown; the program is drawn as bars.
METHODS = {
    "sgd": ("SGD", style.measured(0, label="circular network, SGD")),
    "adam": ("Adam", style.measured(1, label="circular network, Adam")),
    "group": ("control:\ngroup $\\ell_2$", style.control("network of the group $\\ell_2$ norm")),
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
        "share": claims["9d"].at_least,
        "more": claims["9d-paired"].at_least,
    }


def shares(table):
    """Share of the energy in the program's support: a row a data set, a column a method."""
    found = table[table.selected].groupby(["seed", "method"]).energy.sum()
    return found.unstack("method", fill_value=0.0)


def draw(findings, tables):
    table, within = tables["learned_spectra"], findings["shares"]
    fig, (one, every, pairs) = style.panels(3, height=3.0, width_ratios=(1.25, 1.15, 0.7))
    style.title(one, "a", "SGD puts its energy at the program's frequencies")
    style.title(every, "b", "in nearly every data set; the control does not")
    style.title(pairs, "c", "more than the control")
    draw_spectrum(one, table, within)
    for place, (method, (_, look)) in enumerate(METHODS.items()):
        values = within[method].sort_values()
        strip(every, place, values, look, None, 0.6)
        every.plot([place - 0.38, place + 0.38], [values.median()] * 2, color=style.INK)
    label = "theory: energy spread evenly"
    every.axhline(findings["evenly"].median(), label=label, **style.THEORY)
    style.criterion(every, findings["share"], inside=False, at=0.66)
    every.set(ylabel="share of the energy in the support", ylim=(0, 1.04))
    every.set_xticks(range(len(METHODS)), [name for name, _ in METHODS.values()])
    style.judged(every, findings["9d"], "SGD: median {}", (0.5, 0.8))
    style.judged(every, findings["9dx"], "median {}", (0.98, 0.08), color=style.VERMILLION)
    more = (within.sgd - within.group).sort_values()
    strip(pairs, 0, more, style.measured(0), None, 0.6)
    pairs.plot([-0.38, 0.38], [more.median()] * 2, color=style.INK, label="median")
    style.criterion(pairs, findings["more"])
    pairs.set(xlim=(-0.6, 0.6), xticks=[], ylim=(0, 1.04))
    pairs.set_ylabel("share of SGD $-$ share of the control")
    style.judged(pairs, findings["9d-paired"], "median {}", (0.5, 0.95))
    style.legend_below(fig)
    return fig, [table, within.reset_index()]


def draw_spectrum(axis, table, within):
    """Energy by frequency in one data set, that in the middle of all."""
    rows = table[table.seed == within.sgd.sort_values().index[len(within) // 2]]
    half = rows[rows.frequency <= rows.dimension // 2]
    program = half[half.method == "program"]
    axis.bar(program.frequency, program.energy, color="0.82", label="convex program", zorder=1)
    for i, method in enumerate(("sgd", "group")):
        shown, look = half[half.method == method], METHODS[method][1] | {"linestyle": ""}
        axis.plot(shown.frequency + 0.3 * (i - 0.5), shown.energy, **look)
    axis.set(xlabel="frequency", ylabel="share of the network's energy", ylim=(0, None))


if __name__ == "__main__":
    study.main(judge, draw)
