"""P15: training accuracy of three architectures on true and on random labels."""

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import data_of, highest, lowest
from workflow.studies.verdicts import exactly

NAMES = {"fully": "fully connected", "conv": "convolutional", "res": "residual"}
LOSSES = {"cross_entropy": "cross-entropy", "squared": "squared loss"}


def judge(tables, claims, rng):
    table = tables["classification"]
    found = {}
    for name, claim in claims.items():
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


def draw(findings, tables):
    table = tables["classification"]
    fig, axes = style.panels(3, height=2.6, sharey=True)
    for axis, (network, name) in zip(axes, NAMES.items(), strict=True):
        own = table[table.network == network]
        curves = own.groupby(["width", "labels", "loss_function"], sort=False)
        looks = {"true": 0, "random": 1}
        for (width, labels, loss), rows in curves:
            narrow = width < own.width.max()
            if narrow and labels == "true":
                continue
            i = 2 if narrow else looks[labels]
            label = (
                f"random, cross-entropy, $m = {width}$" if narrow else f"{labels}, {LOSSES[loss]}"
            )
            for number, (_, run) in enumerate(rows.groupby("seed")):
                axis.plot(
                    run.epoch,
                    run.accuracy,
                    color=style.COLOURS[i],
                    linestyle="-" if loss == "cross_entropy" else (0, (4, 1.5)),
                    linewidth=0.8,
                    alpha=0.8,
                    # The narrow network is in one panel, whose curves leave room for one line.
                    label=label if number == 0 and narrow == (network == "fully") else None,
                )
        wide = own.width.max()
        axis.set(
            xlabel="epoch",
            title=f"{name}\n$m = {wide}$, $L = {own.depth.iloc[0]}$, $n = {own.samples.iloc[0]}$",
        )
        axis.legend(loc="lower right")
    axes[0].set(ylabel="training accuracy", ylim=(0, 1.03))
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
