"""P1d: the residual along each eigenvector of the kernel at the start."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import data_of, median
from workflow.studies.allenzhu2019.looks import ticks


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
    fig, axes = style.panels(4, height=2.5, gridspec_kw={"width_ratios": [1, 1, 1, 0.9]})
    drawn = []
    shown = (widths[-1], widths[len(widths) // 2], widths[0])
    colours = style.plt.get_cmap("viridis_r")
    for axis, width in zip(axes, shown, strict=False):
        rows = table[(table.width == width) & (table.seed < findings["shown"])]
        rows = rows[rows.decay_time <= 6]
        control = width == findings["control"]
        for mode, part in rows.groupby("mode"):
            axis.plot(
                part.decay_time,
                part.residual_share,
                linestyle="",
                marker=".",
                markersize=2.4,
                fillstyle="none" if control else "full",
                color=style.COLOURS[3] if control else colours(1 - mode / table["mode"].max()),
            )
        x = np.linspace(0, 6, 50)
        axis.plot(x, np.exp(-x), label="$e^{-x}$", **style.THEORY)
        axis.set(
            yscale="log",
            xlim=(-0.1, 6),
            ylim=(1e-4, 10),
            xlabel=r"$x = -t\,\log(1 - \eta\lambda_i)$",
        )
        axis.set_title(f"control: $m = {width}$" if control else f"$m = {width}$", loc="right")
        drawn.append(rows.assign(panel=axis.get_title("left")))
    axes[0].set_ylabel(r"$|v_i^\top r_t| \,/\, |v_i^\top r_0|$")
    for axis in axes[1:3]:
        axis.tick_params(labelleft=False)
    axes[0].legend(loc="lower left")

    last = axes[3]
    last.axhline(findings["limit"], color="0.7", linewidth=1)
    for width, rows in off.groupby("width"):
        control = width == findings["control"]
        last.plot(
            rows.width,
            rows.off,
            linestyle="",
            marker="o",
            fillstyle="none" if control else "full",
            color=style.COLOURS[3 if control else 0],
            markersize=2.8,
            alpha=0.6,
        )
        last.plot(width, rows.off.median(), marker="_", color="0.1", markersize=11, zorder=6)
    last.annotate(
        "criterion",
        (widths[0], findings["limit"]),
        (0, -8),
        textcoords="offset points",
        fontsize=6.5,
        color="0.4",
    )
    last.set(xscale="log", yscale="log", xlabel="width $m$", ylabel=r"median $|\log(\cdot) + x|$")
    ticks(last, widths, apart=0.16)
    drawn.append(off.assign(panel="(d)"))
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
