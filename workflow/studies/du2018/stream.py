"""Claim 10, Theorem 3.2: SGD on a stream; its time against eta and delta; the floor of noise."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, log_log_slope, wilson
from workflow.studies import study, style
from workflow.studies.verdicts import Measured

LEVEL = 0.95


def judge(tables, claims, rng):
    table = tables["stream"]
    table = table.assign(reached=np.isfinite(table.iterations))
    kept = claims["10"].succeeded
    clean, noisy, inside = (claims[claim].rows(table) for claim in ("10", "10x", "10c"))
    times = claims["10b"].rows(table).pivot(index="run", columns="step", values="iterations")
    values, runs = times.to_numpy(), len(times)

    def spread(rows, axis):
        scaled = np.median(rows, axis=axis) * times.columns.to_numpy()
        return scaled.max(axis=-1) / scaled.min(axis=-1)

    floor = claims["10e"].rows(table).pivot(index="run", columns="step", values="end_error")

    def slope(rows, axis):
        return log_log_slope(floor.columns, np.median(rows, axis=axis))

    left = floor.to_numpy()
    deltas = np.array(claims["10d"].given["deltas"])
    tails = {
        eta: slope_of_tail(rows.iterations.to_numpy(), deltas, rng)
        for eta, rows in tables["stream_times"].groupby("step")
    }
    return {
        "10": worst_share(clean, kept(clean), min),
        "10b": Measured(spread(values, 0), *bootstrap(values, rng, spread, together=True), runs),
        "10c": worst_share(inside, claims["10c"].succeeded(inside), max),
        "10x": worst_share(noisy, kept(noisy), min),
        "10d": max(tails.values(), key=lambda measured: measured.high),
        "10e": Measured(
            float(slope(left, 0)), *bootstrap(left, rng, slope, together=True), len(left)
        ),
        "tails": tails,
        "deltas": deltas,
        "T eta": times * times.columns,
        "factor": claims["10b"].at_most,
        "error": claims["10"].given["error"],
        "shares": {
            "recovers": shares(clean, kept(clean)),
            "with noise": shares(noisy, kept(noisy)),
            "leaves": shares(inside, claims["10c"].succeeded(inside)),
        },
        "least": claims["10"].at_least,
        "most": claims["10c"].at_most,
        "slope": claims["10d"].at_most,
    }


def worst_share(rows, successes, worst):
    """Share of the runs that succeed at the worst step, with an interval valid for all steps."""
    counts = successes.groupby(rows.step).sum()
    runs, count = rows.run.nunique(), worst(counts)
    return Measured(count / runs, *wilson(count, runs, 1 - (1 - LEVEL) / len(counts)), runs)


def shares(rows, successes):
    """Share of successes of every step, with the same intervals."""
    level = 1 - (1 - LEVEL) / rows.step.nunique()
    found = successes.groupby(rows.step).agg(["sum", "size"])
    ends = [wilson(k, n, level) for k, n in found.itertuples(index=False)]
    low, high = np.array(ends).T
    return pd.DataFrame({"share": found["sum"] / found["size"], "low": low, "high": high})


def quantiles(times, deltas, axis=0):
    """The (1 - delta)-quantiles of the times; some run has that very time, even if infinite."""
    return np.quantile(times, 1 - deltas, axis=axis, method="higher")


def slope_of_tail(times, deltas, rng):
    """Log-log slope of the (1 - delta)-quantile against log(1/delta)."""

    def slope(rows, axis):
        return log_log_slope(np.log(1 / deltas), quantiles(rows, deltas, axis))

    return Measured(float(slope(times, 0)), *bootstrap(times, rng, slope, draws=500), len(times))


def draw(findings, tables):
    runs, curves = tables["stream"], tables["stream_curves"]
    fig, axes = style.panels(3, rows=2, height=5)
    errors, noisy, share, times, floor, tail = axes
    style.title(errors, "a", "every run arrives, in a time that scales with $1/\\eta$")
    style.title(noisy, "b", "control, noisy labels: all stop at a floor")
    style.title(share, "c", "exact labels: all recover, none leaves the ball")
    style.title(times, "d", r"$T\,\eta$ is nearly the same for all steps")
    style.title(floor, "e", "the floor grows as the root of the step")
    style.title(tail, "f", r"rare slow runs: no slower than $\log(1/\delta)$")
    colours = style.sequential(curves.step)
    draw_curves(errors, curves[curves.noise == 0], colours)
    draw_curves(noisy, curves[curves.noise > 0], colours)
    for axis in (errors, noisy):
        style.criterion(axis, at_most=findings["error"], at=0.02 if axis is noisy else 0.98)
    errors.set_ylabel(r"$\|w_t - w^*\| / \|w^*\|$")
    style.corner(noisy, f"{runs.run.nunique()} runs, 5\N{EN DASH}95 %", "upper right")
    draw_shares(share, findings)
    drawn = [
        curves,
        *(part.reset_index().assign(quantity=name) for name, part in findings["shares"].items()),
    ]
    drawn.append(draw_times(times, findings))
    drawn.append(draw_floor(floor, runs, findings))
    drawn.append(draw_tail(tail, findings, tables["stream_times"], colours))
    for axis in (share, times, floor):
        style.ticks(axis, runs.step)
        axis.set_xlabel(r"step $\eta$")
    style.legend_below(fig)
    return fig, drawn


def draw_curves(axis, curves, colours):
    """Median error and the range from 5 to 95 % of the runs, a curve a step."""
    for eta, rows in curves.groupby("step"):
        at = rows.iteration * eta
        axis.fill_between(at, rows.low, rows.high, color=colours[eta], alpha=0.12, linewidth=0)
        look = style.measured(color=colours[eta], marker="", label=rf"$\eta = {eta:g}$")
        axis.plot(at, rows["median"], **look)
    axis.set(yscale="log", ylim=(1e-8, 2), xlabel=r"$\eta\,\times$ iterations")


def draw_shares(axis, findings):
    """Shares of the runs that recover and keep, and that leave the ball, with their intervals."""
    looks = {
        "recovers": style.measured(0, label="recovers"),
        "leaves": style.measured(5, marker="D", label="ever leaves the ball"),
        "with noise": style.control("noisy labels"),
    }
    for name, look in looks.items():
        part = findings["shares"][name]
        # Shares of 0 and 1 fall on each other: the control stands a little to the right.
        places = part.index * (1.12 if name == "with noise" else 1)
        ends = np.clip((part.share - part.low, part.high - part.share), 0, None)
        axis.errorbar(places, part.share, ends, elinewidth=0.9, **look)
    style.criterion(axis, findings["least"], inside=False, label="criterion: recovers")
    style.criterion(axis, at_most=findings["most"], inside=False, label="criterion: leaves")
    axis.set(xscale="log", ylim=(-0.04, 1.04), ylabel="share of the runs")


def draw_times(axis, findings):
    """Median T eta over the steps, within a band of the allowed factor."""
    wide = findings["T eta"]
    median, low, high = style.median_band(wide.to_numpy())
    look = style.measured(0)
    axis.errorbar(wide.columns, median, (median - low, high - median), elinewidth=0.9, **look)
    middle, reach = np.sqrt(median.max() * median.min()), np.sqrt(findings["factor"])
    style.criterion(
        axis, middle / reach, middle * reach, f"criterion: within a factor {findings['factor']:g}"
    )
    style.judged(axis, findings["10b"], "largest over least:\n{}", (0.03, 0.12))
    axis.set(xscale="log", yscale="log", ylim=(middle / 4, middle * 4))
    axis.set_ylabel(rf"median $T\,\eta$ to error {findings['error']:g}")
    style.plain_ticks(axis, "y")
    drawn = {"step": wide.columns, "T_eta": median, "low": low, "high": high}
    return pd.DataFrame(drawn)


def draw_floor(axis, runs, findings):
    """Error of the last fifth of the steps, with noisy labels and without."""
    drawn = []
    for noise, rows in runs.groupby("noise"):
        wide = rows.pivot(index="run", columns="step", values="end_error")
        median, low, high = style.median_band(wide.to_numpy())
        eta = wide.columns.to_numpy()
        look = style.control("noisy labels") if noise else style.measured(0)
        axis.errorbar(eta, median, (median - low, high - median), elinewidth=0.9, **look)
        drawn.append(pd.DataFrame({"step": eta, "noise": noise, "end_error": median}))
    line = np.exp(np.log(median).mean() + 0.5 * (np.log(eta) - np.log(eta).mean()))
    axis.plot(eta, line, label=r"theory: $\eta^{1/2}$", **style.THEORY)
    slope = "slope {}"
    style.judged(axis, findings["10e"], slope, (0.5, 0.68), color=style.VERMILLION)
    axis.text(0.5, 0.3, "exact labels", transform=axis.transAxes, fontsize=style.SMALL, ha="center")
    axis.set(xscale="log", yscale="log", ylim=(1e-8, 2))
    axis.set_ylabel(r"$\|w - w^*\| / \|w^*\|$, last fifth")
    return pd.concat(drawn)


def draw_tail(axis, findings, table, colours):
    """Quantiles of the hitting times over 1/delta, in units of the median."""
    deltas, drawn = findings["deltas"], []
    log = np.log(1 / deltas)
    for i, (eta, rows) in enumerate(table.groupby("step")):
        relative = quantiles(rows.iterations.to_numpy(), deltas)
        relative = relative / relative[0]
        colour = colours.get(eta, style.MEASURED[i])
        axis.plot(log, relative, **style.measured(i, color=colour))
        drawn.append(pd.DataFrame({"step": eta, "delta": deltas, "quantile": relative}))
    top = log / log[0]
    style.bound(axis, log, top ** findings["slope"], "below", "allowed: slope 1", at=0.45)
    worst = max(findings["tails"].values(), key=lambda measured: measured.high)
    style.judged(axis, worst, "largest slope:\n{}", (0.03, 0.8))
    axis.set(xscale="log", yscale="log", xlabel=r"failure probability $\delta$")
    axis.set_ylabel(r"$(1 - \delta)$-quantile of $T$ / median")
    named = (deltas[0], deltas[2], deltas[-1])
    axis.set_xticks(log, [f"{delta:g}" if delta in named else "" for delta in deltas])
    style.plain_ticks(axis, "y")
    axis.xaxis.minorticks_off()
    style.corner(axis, f"{table.run.nunique():,} runs", "upper left")
    return pd.concat(drawn)


if __name__ == "__main__":
    study.main(judge, draw)
