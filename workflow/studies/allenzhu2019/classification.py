"""P15: training accuracy and loss of three architectures on true and on random labels."""

import numpy as np

from cnntheory import images
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import data_of, highest, lowest, median
from workflow.studies.allenzhu2019.looks import SECOND, judged
from workflow.studies.verdicts import exactly

NAMES = {"fully": "fully connected", "conv": "convolutional", "res": "residual"}
CONTROLS = {"fully": "P15x", "conv": "P15x-conv", "res": "P15x-res"}


def judge(tables, claims, rng):
    table = tables["classification"]
    found = {"claims": claims}
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
    table, again = tables["classification"], tables.get(images.FASHION, {}).get("classification")
    fig, axes = style.panels(3, rows=2, height=4.7, sharey="row")
    above, below = axes[:3], axes[3:]
    drawn = [table]
    for letter, axis, (network, name) in zip("abc", above, NAMES.items(), strict=True):
        own = table[(table.network == network) & usual(table.loss_function)]
        style.title(
            axis, letter, f"{name}: wide ones learn random labels by heart, narrow ones do not"
        )
        wide = own.width == own.width.max()
        for rows, look in (
            (own[wide & (own.labels == "true")], style.measured(1, label="true labels")),
            (own[wide & (own.labels == "random")], style.measured(0, label="random labels")),
            (own[~wide & (own.labels == "random")], style.control("narrow, random labels")),
        ):
            runs(axis, rows, "accuracy", **look)
        if again is not None and network in set(again.network):
            rows = again[(again.labels == "random") & usual(again.loss_function)]
            rows = rows[(rows.network == network) & (rows.width == own.width.max())]
            runs(axis, rows, "accuracy", **SECOND, label=f"random labels, {images.FASHION}")
            drawn.append(rows)
        style.criterion(axis, at_least=1.0, at=0.02, inside=False, label="")
        text = f"control, best end: {findings[CONTROLS[network]].value:.2f}"
        note = f"$n = {own.samples.iloc[0]}$, $m = {own.width.max()}$ (narrow {own.width.min()})\n"
        note += f"wide, least end: {findings[f'P15-{network}'].value:.2f}"
        low = {"transform": axis.transAxes, "fontsize": style.SMALL, "ha": "right"}
        axis.text(0.97, 0.04, text, color=style.VERMILLION, **low)
        axis.text(0.97, 0.14, note, color=style.QUIET, **low)
        axis.set(xlabel="epoch")
    above[0].plot([], [], color="0.87", linewidth=5, label="criterion: accuracy 1")
    above[0].set(ylabel="training accuracy", ylim=(-0.5, 1.06), yticks=[0, 0.5, 1])
    for letter, axis, network in zip("def", below, NAMES, strict=True):
        style.title(axis, letter, "squared loss, random labels: nearly a straight fall")
        rows = table[(table.network == network) & (table.loss_function == "squared")]
        rows = rows[rows.labels == "random"]
        runs(axis, rows, "relative_loss", **style.measured(0, marker=""))
        axis.set(yscale="log", xlabel="epoch")
        name = f"P15b-{network}"
        last = findings["claims"][name].given["last"]
        if last < rows.epoch.max():
            axis.axvline(last + 0.5, 0, 0.82, color="0.6", linewidth=0.7, linestyle=":", zorder=0)
        judged(axis, findings, name, "$R^2$", (0.97, 0.9), digits=3)
    below[0].set_ylabel("$F_t / F_0$")
    style.legend_below(fig)
    return fig, drawn


def usual(loss):
    """Whether a loss is the cross-entropy, which is what is judged of the accuracy."""
    return loss == "cross_entropy"


def runs(axis, rows, column, label=None, **look):
    """A line a trial, labelled once, through every other epoch: more is seen by nobody."""
    for number, (_, run) in enumerate(rows.groupby("seed")):
        run = run.iloc[::2]
        few = {"markevery": max(1, len(run) // 4), "linewidth": 0.7, "markersize": 2.5}
        axis.plot(run.epoch, run[column], label=None if number else label, **look | few)


if __name__ == "__main__":
    study.main(judge, draw)
