"""Claim 10, Theorem 3.2: SGD on a stream; T eta is constant; label noise leaves a floor."""

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

    floor = noisy.groupby("step").end_error.median()
    slope = float(log_log_slope(floor.index.to_numpy(), floor.to_numpy()))
    kept = claims["10"].succeeded
    note = f"Slope of the floor against eta: {slope:.3f} (1/2 by theory)."
    return {
        "10": worst_share(clean, kept(clean), min),
        "10b": Measured(spread(values, 0), *bootstrap(values, rng, spread), runs),
        "10c": worst_share(inside, claims["10c"].succeeded(inside), max),
        "10x": worst_share(noisy, kept(noisy), min)._replace(note=note),
        "T eta": times * times.columns,
        "factor": claims["10b"].at_most,
        "error": claims["10"].given["error"],
    }


def worst_share(rows, successes, worst):
    """Share of the runs that succeed at the worst step, with an interval valid for all steps."""
    counts = successes.groupby(rows.step).sum()
    runs, count = rows.run.nunique(), worst(counts)
    return Measured(count / runs, *wilson(count, runs, 1 - (1 - LEVEL) / len(counts)), runs)


def draw(findings, tables):
    runs, curves = tables["stream"], tables["stream_curves"]
    fig, (errors, times, floor) = style.panels(3, height=2.4)
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
        color=style.COLOURS[1],
        elinewidth=0.9,
        label="label noise (10x)",
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


if __name__ == "__main__":
    study.main(judge, draw)
