"""Claim 10, Theorem 3.2: SGD on a stream; its time against eta and delta; the floor of noise."""

import numpy as np

from cnntheory.stats import bootstrap, log_log_slope, wilson
from workflow.studies import study, style
from workflow.studies.verdicts import Measured

LEVEL = 0.95


def judge(tables, claims, rng):
    table = tables["stream"]
    table = table.assign(reached=np.isfinite(table.iterations))
    clean, noisy, inside = (claims[claim].rows(table) for claim in ("10", "10x", "10c"))
    times = claims["10b"].rows(table).pivot(index="run", columns="step", values="iterations")
    values, runs = times.to_numpy(), len(times)

    def spread(rows, axis):
        scaled = np.median(rows, axis=axis) * times.columns.to_numpy()
        return scaled.max() / scaled.min()

    floor = claims["10e"].rows(table).pivot(index="run", columns="step", values="end_error")

    def slope(rows, axis):
        return log_log_slope(floor.columns, np.median(rows, axis=axis))

    left = floor.to_numpy()
    kept = claims["10"].succeeded
    deltas = np.array(claims["10d"].given["deltas"])
    tails = {
        eta: slope_of_tail(rows.iterations.to_numpy(), deltas, rng)
        for eta, rows in tables["stream_times"].groupby("step")
    }
    return {
        "10": worst_share(clean, kept(clean), min),
        "10b": Measured(spread(values, 0), *bootstrap(values, rng, spread), runs),
        "10c": worst_share(inside, claims["10c"].succeeded(inside), max),
        "10x": worst_share(noisy, kept(noisy), min),
        "10d": max(tails.values(), key=lambda measured: measured.high),
        "10e": Measured(float(slope(left, 0)), *bootstrap(left, rng, slope), len(left)),
        "tails": tails,
        "deltas": deltas,
        "T eta": times * times.columns,
        "factor": claims["10b"].at_most,
        "error": claims["10"].given["error"],
    }


def worst_share(rows, successes, worst):
    """Share of the runs that succeed at the worst step, with an interval valid for all steps."""
    counts = successes.groupby(rows.step).sum()
    runs, count = rows.run.nunique(), worst(counts)
    return Measured(count / runs, *wilson(count, runs, 1 - (1 - LEVEL) / len(counts)), runs)


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
    fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 4.4), layout="constrained")
    errors, times, floor, tail = axes.ravel()
    for letter, axis in zip("abcd", axes.ravel(), strict=True):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
    draw_tail(tail, findings, tables["stream_times"])
    clean, noisy = (rows for _, rows in runs.groupby("noise"))
    count, drawn = runs.run.nunique(), []
    for i, (eta, rows) in enumerate(curves[curves.noise == 0].groupby("step")):
        at = rows.iteration * eta
        errors.fill_between(
            at, rows.low, rows.high, color=style.COLOURS[i], alpha=style.BAND, linewidth=0
        )
        errors.plot(at, rows["median"], label=rf"$\eta = {eta:g}$", **style.look(i))
    drawn.append(curves)
    errors.axhline(findings["error"], **style.THEORY)
    errors.text(148, 1.3 * findings["error"], "tolerance", fontsize=6.5, ha="right")
    errors.set(
        yscale="log",
        xlabel=r"$\eta\,\times$ iterations",
        ylim=(1e-8, 2),
        ylabel=r"$\|w_t - w^*\| / \|w^*\|$",
        title=f"{count} runs, 5-95 %",
    )
    errors.legend(loc="lower left")
    wide = findings["T eta"]
    median, low, high = style.median_band(wide.to_numpy())
    times.errorbar(
        wide.columns,
        median,
        (median - low, high - median),
        marker="o",
        linestyle="",
        color=style.COLOURS[0],
        elinewidth=0.9,
    )
    middle = np.sqrt(median.max() * median.min())
    reach = np.sqrt(findings["factor"])
    times.axhspan(middle / reach, middle * reach, color="0.9", zorder=0)
    times.axhline(middle, **style.THEORY)
    times.text(wide.columns[0], middle * 1.3, f"factor {findings['factor']:g}", fontsize=6.5)
    times.set(
        xscale="log",
        yscale="log",
        xlabel=r"step $\eta$",
        ylim=(middle / 4, middle * 4),
        ylabel=r"median $T\,\eta$ to error "
        f"{findings['error']:g}",
        title=r"$T \propto 1/\eta$",
    )
    ticks = [round(middle * f) for f in (0.5, 1, 2)]
    times.set_yticks(ticks, [str(t) for t in ticks])
    times.minorticks_off()
    wide = noisy.pivot(index="run", columns="step", values="end_error")
    median, low, high = style.median_band(wide.to_numpy())
    eta = wide.columns.to_numpy()
    floor.errorbar(
        eta,
        median,
        (median - low, high - median),
        marker="s",
        linestyle="",
        fillstyle="none",
        color=style.COLOURS[3],
        elinewidth=0.9,
        label=f"control: label noise, slope {findings['10e'].text()}",
    )
    line = np.exp(np.log(median).mean() + 0.5 * (np.log(eta) - np.log(eta).mean()))
    floor.plot(eta, line, label=r"$\propto \eta^{1/2}$", **style.THEORY)
    ends = clean.groupby("step").end_error.median()
    floor.plot(ends.index, ends, marker="o", **style.look(0), label="no noise")
    floor.set(
        xscale="log",
        yscale="log",
        xlabel=r"step $\eta$",
        title="what is left at the end",
        ylabel=r"$\|w - w^*\| / \|w^*\|$, last fifth",
        ylim=(1e-8, 2),
    )
    floor.legend(loc="center left", bbox_to_anchor=(0, 0.45))
    for axis in (times, floor):
        axis.set_xticks([0.02, 0.1, 0.5], ["0.02", "0.1", "0.5"])
        axis.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    drawn.append(findings["T eta"].median().rename("T_eta").reset_index())
    return fig, drawn


def draw_tail(axis, findings, table):
    """Quantiles of the hitting times over 1/delta, in units of the median."""
    deltas = findings["deltas"]
    log = np.log(1 / deltas)
    for i, (eta, rows) in enumerate(table.groupby("step")):
        relative = quantiles(rows.iterations.to_numpy(), deltas)
        label = rf"$\eta = {eta:g}$, slope {findings['tails'][eta].text()}"
        axis.plot(
            log, relative / relative[0], marker=style.MARKERS[i], label=label, **style.look(i)
        )
    axis.plot(log, log / log[0], label="slope 1, allowed", **style.THEORY)
    axis.set(
        xscale="log",
        yscale="log",
        xlabel=r"failure probability $\delta$",
        ylabel=r"$(1 - \delta)$-quantile of $T$ / median",
        title=f"{table.run.nunique():,} runs",
    )
    axis.set_xticks(log, [f"{delta:g}" for delta in deltas])
    axis.set_yticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    axis.minorticks_off()
    axis.legend(loc="upper left")


if __name__ == "__main__":
    study.main(judge, draw)
