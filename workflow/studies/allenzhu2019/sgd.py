"""P2: stochastic gradient descent with batches of several sizes."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import data_of, lowest, medians_by, most, slope
from workflow.studies.allenzhu2019.looks import plain_ticks, sizes
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    rows = {name: claim.rows(tables["sgd"]) for name, claim in claims.items()}
    usual, long = rows["P2"], rows["P2x"]
    end = long.end_loss.median()
    return {
        "P2": lowest(medians_by(usual, "batch", "straightness", rng), "At b = {}."),
        "P2b": most(rows["P2b"], "end_loss"),
        "P2x": exactly(
            np.clip(end, None, 1e99),  # JSON has no infinity
            seeds=long.seed.nunique(),
            data=data_of(long),
            note=f"{(long.end_loss > 1).mean():.0%} of the runs end above their start.",
        ),
        # An intercept for every trial: what is compared is one network under several steps.
        "slope": slope(usual[usual.measured_rate > 0], "step", "measured_rate", rng),
    }


def draw(findings, tables):
    table, curves = tables["sgd"], tables["sgd_curves"]
    batches = sizes(table.batch)
    fig = style.plt.figure(figsize=(style.DOUBLE, 2.5), layout="constrained")
    axes = fig.subplots(1, len(batches) + 1)
    drawn = [curves.assign(panel="a"), table.assign(panel="b")]

    usual, long = (curves[curves.study == study] for study in ("sgd", "long"))
    for axis, (i, batch) in zip(axes, batches, strict=False):
        rows = usual[usual.batch == batch]
        lines(axis, rows, color=style.COLOURS[i], label="usual step")
        beyond = long[long.batch == batch]
        if len(beyond):
            inset = axis.inset_axes((0.5, 0.56, 0.48, 0.36))
            lines(inset, beyond, color=style.COLOURS[3], label=None)
            inset.set(yscale="log", ylim=(1e-1, 1e9))
            inset.set_title(
                r"control: $10/\lambda_{\max}$", fontsize=6.5, color=style.COLOURS[3], pad=2
            )
            inset.tick_params(labelsize=6.5, pad=1)
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
        rates.plot(
            1e4 * trial.step, 100 * trial.measured_rate, color="0.75", linewidth=0.6, zorder=1
        )
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
    ends = np.array([usual.step.min(), usual.step.max()])
    level = np.exp(np.log(usual.measured_rate / usual.step).mean())
    rates.plot(1e4 * ends, 100 * level * ends, label="slope 1", **style.THEORY)
    rates.set(
        xscale="log",
        yscale="log",
        xlabel=r"step $10^4\,\eta$",
        ylabel=r"rate: fall of $\log F$ a step, in %",
    )
    plain_ticks(rates)
    rates.set_title("(b)", loc="left", fontweight="bold")
    slope = findings["slope"].text().replace(" [", "\n[")
    style.slope_label(rates, f"slope {slope}", (0.25, 0.9))
    rates.legend(loc="lower right", handlelength=1.6)
    return fig, drawn


def lines(axis, rows, **look):
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


if __name__ == "__main__":
    study.main(judge, draw)
