"""P15: training accuracy of three architectures on true and on random labels."""

import pandas as pd

from figures import style

NAMES = {"fully": "fully connected", "conv": "convolutional", "res": "residual"}
LOSSES = {"cross_entropy": "cross-entropy", "squared": "squared loss"}

path, tables = style.read()
table = pd.concat(tables.values())
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
        label = f"random, cross-entropy, $m = {width}$" if narrow else f"{labels}, {LOSSES[loss]}"
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
style.save(fig, path, [table], tables)
