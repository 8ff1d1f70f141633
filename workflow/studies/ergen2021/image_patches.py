"""Patches of images and photographs: the optimum over sampled cells against the number of gates."""

from workflow.studies import study, style

KEY = ["seed", "method", "gates", "restart"]
QUANTITIES = {
    "objective": "training objective",
    "accuracy": "test accuracy",
    "seconds": "time (s)",
}
TITLES = ("more gates, a better network", "on new images", "and more time")


def draw(findings, tables):
    fig, axes = style.plt.subplots(
        2, 3, figsize=(style.DOUBLE, 4.3), layout="constrained", sharex="row"
    )
    drawn, letters = [], iter("abcdef")
    rows = {"images": "image_patches", "photographs": "photograph_patches"}
    for row, (what, name) in zip(axes, rows.items(), strict=True):
        timing = tables[f"{name}_timing"].drop(columns="data")
        table = tables[name].merge(timing, on=KEY)
        drawn.append(table.assign(source=what))
        for axis, (quantity, label), title in zip(row, QUANTITIES.items(), TITLES, strict=True):
            draw_panel(axis, table, quantity)
            axis.set(ylabel=label)
            told = title if what == "images" else what
            axis.set_title(f"({next(letters)}) {told}", loc="left", fontsize=7)
        for axis in (row[0], row[2]):
            axis.set_yscale("log")
    for axis in axes[1]:
        axis.set_xlabel("sampled gates $T$")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3)
    return fig, drawn


def draw_panel(axis, table, quantity):
    """One quantity against the number of gates, a line a training set, and SGD beside it."""
    convex, sgd = (table[table.method == method] for method in ("convex", "sgd"))
    for seed, rows in convex.groupby("seed"):
        look = style.look(seed)
        label = f"optimum over the gates' cells, training set {seed + 1}"
        axis.plot(rows.gates, rows[quantity], marker=style.MARKERS[seed % 10], label=label, **look)
        ends = sgd[sgd.seed == seed][quantity]
        said = f"SGD, all {sgd.restart.nunique()} starts" if not seed else None
        axis.axhspan(
            ends.min() * (0.98 if ends.nunique() == 1 else 1),
            ends.max() * (1.02 if ends.nunique() == 1 else 1),
            color=look["color"],
            alpha=style.BAND,
            linewidth=0,
            label=said,
        )
    axis.set(xscale="log")
    ticks = sorted(convex.gates.unique())
    axis.set_xticks(ticks, [f"{count:g}" for count in ticks])
    axis.minorticks_off()


if __name__ == "__main__":
    study.main(draw=draw)
