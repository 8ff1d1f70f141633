"""P2: stochastic gradient descent with batches of several sizes."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import data_of, lowest, medians_by, most, slope
from workflow.studies.verdicts import exactly

DOTS = {"linestyle": "", "markersize": 2.8, "alpha": 0.8}


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
        "above": (long.end_loss > 1).mean(),
        "claims": claims,
    }


def draw(findings, tables):
    table, curves = tables["sgd"], tables["sgd_curves"]
    fig, axes = style.panels(3, rows=2, height=4.6)
    losses, (control, straight, rates) = axes[:3], axes[3:]
    looks = {batch: style.measured(i) for i, batch in enumerate(sorted(table.batch.unique()))}
    most = table.samples.max()
    names = {batch: f"$b = {batch}$" if batch < most else "$b = n$" for batch in looks}
    limit = findings["claims"]["P2b"].at_most

    usual, long = (curves[curves.study == study] for study in ("sgd", "long"))
    for letter, axis, (batch, look) in zip("abc", losses, looks.items(), strict=False):
        rows = usual[usual.batch == batch]
        style.title(axis, letter, f"{names[batch]}: the loss falls at a steady rate")
        of_trials(axis, rows, label="a run", color=look["color"])
        style.criterion(axis, at_most=limit, at=0.02)
        axis.set(yscale="log", xlabel="iteration $+ 1$", ylim=(2e-8, 3), xlim=(0, None))
    losses[0].set_ylabel("$F_t / F_0$")
    style.corner(losses[0], f"$m = {table.width.max()}$, {usual.seed.nunique()} runs")

    style.title(control, "d", "a step far beyond the stable one: it explodes")
    alone = usual[usual.batch == long.batch.min()]
    of_trials(control, alone, label="usual step", color=looks[long.batch.min()]["color"])
    of_trials(control, long, **style.control(markersize=2.5) | {"label": "_too long"})
    style.criterion(control, at_most=limit, at=0.02)
    control.set(xscale="log", yscale="log", ylim=(1e-13, 1e25), ylabel="$F_t / F_0$")
    control.set_xlabel("iteration $+ 1$")
    text = f"control:\n{findings['above']:.0%} end\nabove start"
    note = {"color": style.VERMILLION, "fontsize": style.SMALL, "ha": "right", "va": "center"}
    control.text(0.98, 0.72, text, transform=control.transAxes, **note)
    note |= {"color": looks[long.batch.min()]["color"], "ha": "left"}
    control.text(0.02, 0.27, "usual step", transform=control.transAxes, **note)

    style.title(straight, "e", "log-loss against the iteration is a straight line")
    usual = table[table.study == "sgd"]
    for i, (batch, look) in enumerate(looks.items()):
        rows = usual[usual.batch == batch].straightness
        straight.plot(np.linspace(i - 0.15, i + 0.15, len(rows)), np.sort(rows), **look | DOTS)
        straight.plot([i - 0.25, i + 0.25], [rows.median()] * 2, color=style.INK, linewidth=1.3)
    style.criterion(straight, at_least=findings["claims"]["P2"].at_least)
    low = min(usual.straightness.min(), findings["claims"]["P2"].at_least)
    straight.set(xticks=range(len(looks)), xticklabels=names.values(), ylabel="$R^2$ of $\\log F$")
    straight.set(ylim=(low - 0.008, 1.0005), xlim=(-0.5, len(looks) - 0.5))
    style.judged(straight, findings["P2"], "least median\n{}", (0.97, 0.1), digits=4)

    style.title(rates, "f", "the rate is nearly proportional to the step")
    drawn_rates(rates, usual[usual.measured_rate > 0], looks, names)
    style.judged(rates, findings["slope"], "slope {}\n(not judged)", (0.03, 0.9))
    return fig, [curves.assign(panel="a-d"), table.assign(panel="e, f")]


def of_trials(axis, rows, label, **look):
    """The loss of every trial, labelled once."""
    for number, (_, trial) in enumerate(rows.groupby(["seed", "subset"])):
        shape = {"linewidth": 0.7, "alpha": 0.8, "label": None if number else label} | look
        inside = trial[trial.relative_loss < 1e30]
        axis.plot(inside.iteration + 1, inside.relative_loss, **shape)


def drawn_rates(axis, table, looks, names):
    """Rates against the steps; grey lines join the batches of a trial."""
    for _, trial in table.groupby(["seed", "subset"]):
        trial = trial.sort_values("step")
        axis.plot(1e4 * trial.step, 100 * trial.measured_rate, color="0.75", lw=0.6, zorder=1)
    for batch, look in looks.items():
        rows = table[table.batch == batch]
        axis.plot(1e4 * rows.step, 100 * rows.measured_rate, label=names[batch], **look | DOTS)
    ends = np.array([table.step.min(), table.step.max()])
    level = np.exp(np.log(table.measured_rate / table.step).mean())
    axis.plot(1e4 * ends, 100 * level * ends, label="theory: slope 1", **style.THEORY)
    axis.set(xscale="log", yscale="log", xlabel=r"step $10^4\,\eta$")
    axis.set_ylabel(r"fall of $\log F$ a step, in %")
    style.plain_ticks(axis)
    style.legend_below(axis)


if __name__ == "__main__":
    study.main(judge, draw)
