"""P3b, P3c: how slowdown, movement of the weights and separation of the inputs go together."""

import numpy as np

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import NOTHING, data_of, most
from workflow.studies.allenzhu2019.looks import by_width, judged, room
from workflow.studies.verdicts import Measured, exactly


def judge(tables, claims, rng):
    table = tables["pairs"]
    table = table[table.iterations.notna()]  # of the others only the kernel was computed
    table = table.assign(
        slowdown=table.iterations / table.kernel_iterations,
        reach=table.spectral_movement / table.separation**1.5,
    )
    # A run that never gets there is infinitely slow: it counts there, and has no logarithm.
    near, far = (claims[name].rows(table) for name in ("P3c", "P3x"))
    stuck = np.isinf(table.slowdown)
    left = f"{stuck.sum()} of {len(table)} runs never get there and are left out."
    left, table = left if stuck.any() else "", table[~stuck]
    delta, omega, radius = exponents(claims["P3b"].rows(table), rng)
    return {
        "P3-gap": gap(claims["P3-gap"].rows(table), rng)._replace(note=left),
        "P3b": delta._replace(note=f"{delta.note} {left}".strip()),
        "P3d": radius._replace(note=f"Exponent of the movement {omega.text()}. {left}".strip()),
        "P3c": most(near, "slowdown", note=f"{len(near)} runs."),
        "P3x": exactly(
            far.slowdown.median(),
            seeds=far.seed.nunique(),
            data=data_of(far),
            note=f"Median of {len(far)} runs.",
        ),
        "omega": omega,
        "runs": table,
        "claims": claims,
        "near": claims["P3c"].given["near"],
        "far": claims["P3x"].given["far"],
        "slow": claims["P3c"].at_most,
    }


def gap(rows, rng):
    """Mean of the log slowdown at the least width minus the one at the largest."""
    logs = rows.assign(log=np.log(rows.slowdown))
    logs = logs.pivot_table(index=["seed", "delta"], columns="width", values="log").dropna()
    if logs.empty:
        return NOTHING
    gaps = logs[logs.columns.min()] - logs[logs.columns.max()]
    gaps = gaps.unstack("delta").to_numpy()

    def mean(values, axis=0):
        return np.nanmean(values)

    return Measured(mean(gaps), *bootstrap(gaps, rng, mean), len(gaps), data_of(rows))


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
    table, near = findings["runs"], findings["near"]
    table = table[table.depth == table.depth.min()]
    fig, (moved, apart, gaps) = style.panels(3, height=3.1)
    style.title(moved, "a", "little movement: nearly as fast as the frozen kernel; much: slower")
    style.title(apart, "b", "the closer the inputs the slower, at equal movement too")
    style.title(gaps, "c", "the wider the network the nearer to its kernel")
    beyond = table.reach > findings["far"]
    for width in sorted(table.width.unique()):
        here = table.width == width
        dots = by_width(width) | {"linestyle": "", "markersize": 3, "alpha": 0.75}
        for rows, look in (
            (table[here & ~beyond], dots | {"label": f"$m = {width}$"}),
            (table[here & beyond], dots | {"markerfacecolor": "white"}),
        ):
            if (rows.reach > findings["far"]).any():
                look |= {"color": style.VERMILLION}
            moved.plot(rows.reach, rows.slowdown, **look)
        rows = table[here]
        x = rows.delta * (1 + 0.02 * (np.log2(width) - 9))
        excess = (rows.slowdown - 1).where(rows.slowdown > 1)
        apart.plot(x, excess, **dots)
        typical = np.exp(np.log(rows.slowdown).groupby(rows.delta).mean())
        gaps.plot(typical.index, typical, **by_width(width))
    open_dots = style.control("much movement", linestyle="", markersize=3)
    moved.plot([], [], **open_dots)
    moved.axhline(1, label="theory: frozen kernel", **style.THEORY)
    gaps.axhline(1, **style.THEORY)
    style.criterion(moved, at_most=findings["slow"], span=(None, near), label="")
    style.corner(moved, "criterion", "lower left")
    moved.set(xscale="log", yscale="log", ylabel=r"$T / T_{\rm kernel}$, both until $10^{-3}$")
    moved.set_xlabel(r"movement $\max_l \|W_l - W_l(0)\|_2 \,/\, \delta^{3/2}$")
    style.plain_ticks(moved)
    style.judged(moved, findings["P3c"], "little: at most {}", (0.97, 0.11))
    text = "much: median {}"
    style.judged(moved, findings["P3x"], text, (0.97, 0.04), color=style.VERMILLION)
    apart.set(xscale="log", yscale="log", ylabel=r"$T / T_{\rm kernel} - 1$", ylim=(1e-2, None))
    judged(apart, findings, "P3b", "exponent of $\\delta$:", (0.03, 0.3))
    judged(
        apart,
        findings,
        "P3d",
        "that of $\\omega$ at equal $\\omega / \\delta^{{3/2}}$:\n",
        (0.03, 0.11),
    )
    room(apart, below=0.36)
    gaps.set(xscale="log", yscale="log", ylabel=r"geometric mean of $T / T_{\rm kernel}$")
    style.plain_ticks(gaps, "y")
    judged(gaps, findings, "P3-gap", "mean log gap", (0.97, 0.92))
    for axis in (apart, gaps):
        axis.set(xlabel=r"distance $\delta$ within a pair")
        style.ticks(axis, table.delta)
    for axis in (moved, gaps):
        room(axis, above=0.1, below=0.12)
    style.legend_below(fig)
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
