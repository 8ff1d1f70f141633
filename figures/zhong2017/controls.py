"""N1-N3: where the hypotheses fail, the loss vanishes and the kernels are not recovered."""

import numpy as np

from figures import style
from figures.zhong2017.names import name

path, tables = style.read()
table, spectrum = tables["gd"], tables["spectrum"]
fig, (ends, ratios) = style.panels(2, height=2.6)
drawn = []
groups = [
    ("local", None, "Z8 (holds)"),
    ("control", "linear", "linear (N1)"),
    ("control", "quadratic", "quadratic (N1)"),
    ("few", None, "too few samples (N3)"),
]
for i, (study, activation, label) in enumerate(groups):
    rows = table[table.study == study]
    rows = rows[rows.activation == activation] if activation else rows
    ends.plot(
        rows.end_loss.clip(lower=1e-34),
        rows.max_error.clip(lower=1e-17),
        linestyle="",
        marker=style.MARKERS[i],
        color=style.COLOURS[i],
        alpha=0.7,
        label=label,
    )
    drawn.append(rows)
ends.axhline(0.01, **style.THEORY)
ends.text(1e-14, 8e-4, "recovered below", fontsize=6.5)
ends.set(
    xscale="log",
    yscale="log",
    xlabel="loss at the end",
    ylim=(1e-17, 1e3),
    ylabel=r"$\max_j \|w_j - w_j^*\| / \|w_j^*\|$",
    title=f"gradient descent, {table.seed.nunique()} seeds each",
)
ends.legend(loc="center right")
for i, (case, label) in enumerate(
    (("duplicated", "a kernel twice (N2)"), ("rank 2", "rank 2, not parallel (N2b)"))
):
    rows = spectrum[spectrum.study == case]
    order = list(spectrum.activation.unique())
    places = rows.activation.map(order.index) + 0.12 * (2 * i - 1)
    ratio = (rows.smallest / rows.largest).abs().clip(lower=1e-18)
    ratios.plot(
        places,
        ratio,
        linestyle="",
        marker=style.MARKERS[i],
        color=style.COLOURS[i],
        alpha=0.6,
        label=label,
    )
    drawn.append(rows)
ratios.set(
    yscale="log",
    xticks=np.arange(len(order)),
    ylim=(1e-19, 1e2),
    ylabel=r"$|\lambda_{\min}| / \lambda_{\max}$ at the truth",
    title=f"{rows.seed.nunique()} teachers each",
)
ratios.set_xticklabels([name(activation) for activation in order], rotation=30, ha="right")
ratios.legend(loc="center right")
style.save(fig, path, drawn, tables)
