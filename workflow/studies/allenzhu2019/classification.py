"""P15: training accuracy and loss of three architectures on true and on random labels."""

import numpy as np

from cnntheory import images
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import data_of, highest, lowest, median
from workflow.studies.verdicts import exactly

NAMES = {"fully": "fully connected", "conv": "convolutional", "res": "residual"}
LOSSES = {"cross_entropy": "cross-entropy", "squared": "squared loss"}


def judge(tables, claims, rng):
    table = tables["classification"]
    found = {}
    for name, claim in claims.items():
        if "highest" in claim.given:
            found[name] = straightness(claim.rows(table), claim.given, rng)
            continue
        # The best of its seeds must fail a control, the worst of its widths a claim.
        control = claim.kind == "control"
        widths = ends(claim.rows(table), claim.given["evaluations"], "max" if control else "min")
        found[name] = highest(widths, "{}") if control else lowest(widths, "{}")
    return found


def ends(rows, evaluations, which):
    """Least or largest over seeds of the accuracy at all of the last evaluations, by width."""
    last = rows[rows.epoch > rows.groupby("width").epoch.transform("max") - evaluations]
    accuracy = last.groupby(["width", "seed"]).accuracy.min()
    return {
        f"m = {width}, {rows.epoch[rows.width == width].max()} epochs.": exactly(
            part.agg(which), seeds=len(part), data=data_of(rows)
        )
        for width, part in accuracy.groupby("width")
    }


def straightness(rows, given, rng):
    """Median over trials of R^2 of log F against the epoch, F / F_0 between two levels."""
    inside = rows.relative_loss.between(given["lowest"], given["highest"])
    found = [
        np.corrcoef(run.epoch, np.log(run.relative_loss))[0, 1] ** 2
        for _, run in rows[inside].groupby("seed")
        if len(run) > 2
    ]
    return median(np.array(found)[:, None], rng, data_of(rows))


def draw(findings, tables):
    table = tables["classification"]
    fig, (above, below) = style.plt.subplots(
        2, 3, figsize=(style.DOUBLE, 5.0), layout="constrained", sharey="row"
    )
    drawn = [table, *losses(below, findings, table)]
    for letter, axis in zip("abcdef", (*above, *below), strict=True):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
    again = tables.get(images.FASHION, {}).get("classification")
    for axis, (network, name) in zip(above, NAMES.items(), strict=True):
        own = table[table.network == network]
        curves = own.groupby(["width", "labels", "loss_function"], sort=False)
        looks = {"true": 0, "random": 1}
        for (width, labels, loss), rows in curves:
            narrow = width < own.width.max()
            if narrow and labels == "true":
                continue
            i = 3 if narrow else looks[labels]
            label = "control: narrow, random, cross-entropy"
            if not narrow:
                label = f"{labels}, {LOSSES[loss]}"
            look = dict(color=style.COLOURS[i], linewidth=0.8, alpha=0.8, label=label)
            dashed = (0, (4, 1.5))
            runs(axis, rows, "accuracy", **look, linestyle="-" if usual(loss) else dashed)
        if again is not None and network in set(again.network):
            rows = again[(again.network == network) & (again.width == own.width.max())]
            rows = rows[(rows.labels == "random") & usual(rows.loss_function)]
            look = dict(color="0.45", linewidth=0.8, linestyle=(0, (1, 1)))
            runs(axis, rows, "accuracy", **look, label=f"random, {images.FASHION}")
            drawn.append(rows)
        wide = own.width.max()
        axis.set(
            xlabel="epoch",
            title=f"{name}, $n = {own.samples.iloc[0]}$\n$m = {wide}$ ({own.width.min()}), "
            f"$L = {own.depth.iloc[0]}$",
        )
    handles = {}
    for axis in above:
        handles |= dict(zip(*axis.get_legend_handles_labels()[::-1], strict=True))
    fig.legend(handles.values(), handles, loc="outside lower center", ncols=3)
    above[0].set(ylabel="training accuracy", ylim=(0, 1.03))
    return fig, drawn


def usual(loss):
    """Whether a loss is the cross-entropy, which is what is judged of the accuracy."""
    return loss == "cross_entropy"


def losses(axes, findings, table):
    """The squared loss on random labels, of the widest networks."""
    drawn = []
    for axis, network in zip(axes, NAMES, strict=True):
        rows = table[(table.network == network) & (table.loss_function == "squared")]
        rows = rows[rows.labels == "random"]
        runs(axis, rows, "relative_loss", color=style.COLOURS[1], linewidth=0.8, alpha=0.8)
        axis.set(yscale="log", xlabel="epoch")
        if found := findings.get(f"P15b-{network}"):
            style.slope_label(axis, f"$R^2$ {found.text(3)}", (0.68, 0.93))
        drawn.append(rows)
    axes[0].set_ylabel("squared loss $F_t / F_0$,\nrandom labels")
    return drawn


def runs(axis, rows, column, label=None, **look):
    """A line a trial, labelled once."""
    for number, (_, run) in enumerate(rows.groupby("seed")):
        axis.plot(run.epoch, run[column], label=None if number else label, **look)


if __name__ == "__main__":
    study.main(judge, draw)
