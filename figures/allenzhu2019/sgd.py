"""P2: stochastic gradient descent with batches of several sizes."""

import numpy as np

from figures import style
from figures.allenzhu2019.names import plain_ticks, sizes

path, tables = style.read()
table, curves = tables["sgd"], tables["sgd_curves"]
batches = sizes(table.batch)
fig = style.plt.figure(figsize=(style.DOUBLE, 2.5), layout="constrained")
axes = fig.subplots(1, len(batches) + 1)
drawn = [curves.assign(panel="a"), table.assign(panel="b")]


def draw(axis, rows, **look):
    """The loss of every trial of a run, labelled once."""
    label = look.pop("label")
    for number, (_, trial) in enumerate(rows.groupby(["seed", "subset"])):
        axis.plot(
            trial.iteration,
            trial.relative_loss,
            linewidth=0.7,
            alpha=0.8,
            label=None if number else label,
            **look,
        )


usual, long = (curves[curves.study == study] for study in ("sgd", "long"))
for axis, (i, batch) in zip(axes, batches, strict=False):
    rows = usual[usual.batch == batch]
    draw(axis, rows, color=style.COLOURS[i], label="usual step")
    beyond = long[long.batch == batch]
    if len(beyond):
        draw(axis, beyond, color="0.35", linestyle=(0, (3, 1)), label=r"$10/\lambda_{\max}$")
        axis.legend(loc="upper right")
    # The long runs go on as long as they diverge; what converges decides the axis.
    end = rows.iteration.max()
    axis.set(yscale="log", xlabel="iteration", ylim=(2e-8, 1e4), xlim=(-0.03 * end, 1.04 * end))
    axis.set_title(f"$b = {batch}$" if batch < table.samples.max() else f"$b = n = {batch}$")
    if axis is not axes[0]:
        axis.tick_params(labelleft=False)
axes[0].set_ylabel("$F_t / F_0$")
axes[0].set_title("(a)", loc="left", fontweight="bold")

rates = axes[-1]
usual = table[(table.study == "sgd") & (table.measured_rate > 0)]
for _, trial in usual.groupby(["seed", "subset"]):
    trial = trial.sort_values("step")
    rates.plot(1e4 * trial.step, 100 * trial.measured_rate, color="0.75", linewidth=0.6, zorder=1)
for i, batch in batches:
    rows = usual[usual.batch == batch]
    rates.plot(
        1e4 * rows.step,
        100 * rows.measured_rate,
        linestyle="",
        marker=style.MARKERS[i],
        color=style.COLOURS[i],
        alpha=0.8,
        label=f"$b = {batch}$",
    )
# An intercept for every trial: what is compared is one network under several steps.
logs = usual.assign(x=np.log(usual.step), y=np.log(usual.measured_rate))
centred = logs[["x", "y"]] - logs.groupby(["seed", "subset"])[["x", "y"]].transform("mean")
slope = (centred.x * centred.y).sum() / (centred.x**2).sum()
ends = np.array([usual.step.min(), usual.step.max()])
level = np.exp((logs.y - logs.x).mean())
rates.plot(1e4 * ends, 100 * level * ends, label="slope 1", **style.THEORY)
rates.set(
    xscale="log",
    yscale="log",
    xlabel=r"step $10^4\,\eta$",
    ylabel=r"rate: fall of $\log F$ a step, in %",
)
plain_ticks(rates)
rates.set_title("(b)", loc="left", fontweight="bold")
rates.set_title(f"slope {slope:.2f}", loc="right")
rates.legend(loc="lower right", handlelength=1.6)
style.save(fig, path, drawn, tables)
