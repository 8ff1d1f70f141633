"""P3b, P3c: how slowdown, movement of the weights and separation of the inputs go together."""

import numpy as np

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import NOTHING, data_of, median, most
from workflow.studies.allenzhu2019.looks import plain_ticks, sizes, ticks
from workflow.studies.verdicts import Measured, exactly


def judge(tables, claims, rng):
    table = tables["pairs"]
    table = table[table.iterations.notna()]  # of the others only the kernel was computed
    table = table.assign(
        slowdown=table.iterations / table.kernel_iterations,
        reach=table.spectral_movement / table.separation**1.5,
    )
    near, far = (claims[name].rows(table) for name in ("P3c", "P3x"))
    delta, omega, radius = exponents(claims["P3b"].rows(table), rng)
    return {
        "P3-gap": gap(claims["P3-gap"].rows(table), rng),
        "P3b": delta,
        "P3d": radius._replace(note=f"Exponent of the movement {omega.text()}."),
        "P3c": most(near, "slowdown", note=f"{len(near)} runs."),
        "P3x": exactly(
            far.slowdown.median(),
            seeds=far.seed.nunique(),
            data=data_of(far),
            note=f"Median of {len(far)} runs.",
        ),
        "omega": omega,
        "runs": table,
        "near": claims["P3c"].given["near"],
        "far": claims["P3x"].given["far"],
        "slow": claims["P3c"].at_most,
    }


def gap(rows, rng):
    """Median of the log slowdown at the least width minus the one at the largest."""
    logs = rows.assign(log=np.log(rows.slowdown))
    logs = logs.pivot_table(index=["seed", "delta"], columns="width", values="log").dropna()
    if logs.empty:
        return NOTHING
    gaps = logs[logs.columns.min()] - logs[logs.columns.max()]
    return median(gaps.unstack("delta").to_numpy(), rng, data_of(rows))


def exponents(rows, rng):
    """Exponents of delta and of the movement in ``T / T_kernel - 1``, and of their trade-off.

    Least squares of its logarithm on both, with a bootstrap over trials. The third is the exponent
    of the movement plus 2/3 of the one of delta: 0 if only movement / delta^(3/2) counts.
    """
    slower = rows[rows.slowdown > 1]
    clusters = [
        np.log([part.delta, part.spectral_movement, part.slowdown - 1], dtype=float).T
        for _, part in slower.groupby("seed")
    ]
    if len(clusters) < 2:
        return NOTHING, NOTHING, NOTHING

    def fit(picks, axis=0):
        delta, omega, excess = np.concatenate([clusters[i] for i in picks]).T
        design = np.stack([delta, omega, np.ones_like(delta)], axis=1)
        found = np.linalg.lstsq(design, excess, rcond=None)[0]
        return np.array([found[0], found[1], found[1] + 2 / 3 * found[0]])

    every = np.arange(len(clusters))
    low, high = bootstrap(every, rng, fit)
    left = f"{len(rows) - len(slower)} of {len(rows)} runs are no slower and are left out."
    about = (len(every), data_of(rows), left)
    return [Measured(*one, *about) for one in zip(fit(every), low, high, strict=True)]


def draw(findings, tables):
    table, near, far = findings["runs"], findings["near"], findings["far"]
    table = table[np.isfinite(table.slowdown) & (table.depth == table.depth.min())]
    fig, (moved, apart) = style.panels(2, height=2.9)
    left = min(table.reach.min(), near) / 1.3
    moved.fill_between([left, near], 0.5, findings["slow"], color="0.9", zorder=0)
    for limit in (near, far):
        moved.axvline(limit, color="0.4", linewidth=0.8, linestyle=":")
    moved.axhline(1, **style.THEORY)
    for i, width in sizes(table.width):
        rows = table[table.width == width]
        shift = 0.97 * 1.02**i
        for axis, x, y in (
            (moved, rows.reach, rows.slowdown),
            (apart, rows.delta * shift, rows.slowdown - 1),
        ):
            axis.plot(
                x,
                y.where(y > 0),
                linestyle="",
                marker=style.MARKERS[i],
                color=style.COLOURS[i],
                markersize=3.2,
                markeredgewidth=0.6,
                alpha=0.75,
                label=f"$m = {width}$" if axis is moved else None,
            )
    moved.set(
        xscale="log",
        yscale="log",
        xlabel=r"movement $\max_l \|W_l - W_l(0)\|_2 \,/\, \delta^{3/2}$",
        ylabel=r"$T / T_{\rm kernel}$, both until $10^{-3}$",
        xlim=(left, None),
        ylim=(0.92 * min(1, table.slowdown.min()), None),
    )
    plain_ticks(moved)
    apart.set(
        xscale="log",
        yscale="log",
        xlabel=r"distance $\delta$ within a pair",
        ylabel=r"$T / T_{\rm kernel} - 1$",
        ylim=(1e-2, None),
    )
    ticks(apart, table.delta)
    text = f"exponent of $\\delta$: {findings['P3b'].text()}"
    text += f"\nof the movement: {findings['omega'].text()}"
    style.slope_label(apart, text, (0.36, 0.1))
    fig.legend(loc="outside upper center", ncols=4, handlelength=1, columnspacing=1)
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
