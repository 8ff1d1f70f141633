"""Claim 10, Theorem 3.2: SGD on a stream; T eta is constant; label noise leaves a floor."""

import numpy as np

from figures import style

path, tables = style.read()
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
errors.axhline(0.01, **style.THEORY)
errors.text(148, 0.013, "tolerance", fontsize=6.5, ha="right")
errors.set(
    yscale="log",
    xlabel=r"$\eta\,\times$ iterations",
    ylim=(1e-8, 2),
    ylabel=r"$\|w_t - w^*\| / \|w^*\|$",
    title=f"{count} runs, 5-95 %",
)
errors.legend(loc="lower left")
wide = clean.pivot(index="run", columns="step", values="iterations")
scaled = wide * wide.columns
median, low, high = style.median_band(scaled.to_numpy())
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
times.axhspan(middle / np.sqrt(2), middle * np.sqrt(2), color="0.9", zorder=0)
times.axhline(middle, **style.THEORY)
times.text(wide.columns[0], middle * 1.3, "factor 2", fontsize=6.5)
times.set(
    xscale="log",
    yscale="log",
    xlabel=r"step $\eta$",
    ylim=(middle / 4, middle * 4),
    ylabel=r"median $T\,\eta$ to error 0.01",
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
drawn.append(scaled.median().rename("T_eta").reset_index())
style.save(fig, path, drawn, tables)
