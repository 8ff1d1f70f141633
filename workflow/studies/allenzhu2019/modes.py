"""P1d: the residual along each eigenvector of the kernel at the start."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import data_of, median
from workflow.studies.allenzhu2019.looks import by_width, room, trials


def judge(tables, claims, rng):
    table = tables["descent_modes"]
    with np.errstate(divide="ignore"):
        off = (np.log(table.residual_share) + table.decay_time).abs()
    table = table.assign(off=off)
    found = {}
    for name, claim in claims.items():
        rows = claim.rows(table)
        found[name] = median(by_trial(rows).to_numpy()[:, None], rng, data_of(rows))
    within = table.decay_time.between(*claims["P1d"].given.values())
    return found | {
        "rows": table,
        "off": by_trial(table[within]).reset_index(),
        "limit": claims["P1d"].at_most,
        "control": claims["P1y"].rows(table).width.max(),
    }


def by_trial(rows):
    """Median distance from the prediction of every trial."""
    return rows.groupby(["width", "seed"]).off.median()


def draw(findings, tables):
    table, off = findings["rows"], findings["off"]
    widths = sorted(table.width.unique())
    fig, axes = style.panels(4, height=2.8, gridspec_kw={"width_ratios": [1, 1, 1, 0.95]})
    drawn = []
    shown = (widths[-1], widths[len(widths) // 2], widths[0])
    texts = ("each pattern fades at its own rate", "most do, not all", "patterns do not")
    colours = style.sequential(table["mode"].max() - table["mode"])  # the slowest is darkest
    for axis, letter, width, text in zip(axes, "abc", shown, texts, strict=False):
        style.title(axis, letter, f"$m = {width}$: {text}")
        rows = table[(table.width == width) & (table.seed < findings["shown"])]
        rows = rows[rows.decay_time <= 6]
        control = width == findings["control"]
        dots = {"linestyle": "", "marker": "o", "markersize": 1.6, "markeredgewidth": 0.4}
        if control:
            dots |= {"markerfacecolor": "white", "color": style.VERMILLION}
        for mode, part in rows.groupby("mode"):
            colour = {} if control else {"color": colours[table["mode"].max() - mode]}
            axis.plot(part.decay_time, part.residual_share, **dots | colour)
        x = np.linspace(0, 6, 50)
        axis.plot(x, np.exp(-x), label="theory: $e^{-x}$", **style.THEORY)
        axis.set(yscale="log", xlim=(-0.1, 6), ylim=(1e-4, 10))
        axis.set_xlabel(r"$x = -t\,\log(1 - \eta\lambda_i)$")
        drawn.append(rows.assign(panel=f"({letter})"))
    axes[0].set_ylabel(r"$|v_i^\top r_t| \,/\, |v_i^\top r_0|$")
    for axis in axes[1:3]:
        axis.tick_params(labelleft=False)

    last = axes[3]
    style.title(last, "d", "the wider the closer")
    for width, rows in off.groupby("width"):
        control = width == findings["control"]
        trials(last, rows.width, rows.off, style.control() if control else by_width(width))
        last.plot(width, rows.off.median(), "_", color=style.INK, markersize=9, zorder=6)
    last.plot([], [], "_", color=style.INK, markersize=8, label="(d) median")
    last.plot([], [], **style.control(f"$m = {findings['control']}$", linestyle=""))
    style.criterion(last, at_most=findings["limit"], label="criterion", at=0.02)
    last.set(xscale="log", yscale="log", xlabel="width $m$", ylabel=r"median $|\log(\cdot) + x|$")
    style.plain_ticks(last, "y")
    style.ticks(last, widths, apart=0.2)
    room(last, above=0.2, below=0.25)
    style.judged(last, findings["P1d"], f"$m = {widths[-1]}$\n{{}}", (0.97, 0.09))
    style.judged(last, findings["P1y"], "control\n{}", (0.97, 0.92), color=style.VERMILLION)
    dot = {"linestyle": "", "marker": "o", "markersize": 3}
    for mode, name in ((max(colours), "slowest"), (min(colours), "fastest")):
        last.plot([], [], color=colours[mode], label=f"(a), (b) {name} pattern", **dot)
    style.legend_below(fig)
    return fig, [*drawn, off.assign(panel="(d)")]


if __name__ == "__main__":
    study.main(judge, draw)
