"""Two-dimensional patches of images: the optimum over sampled cells against the number of gates."""

from workflow.studies import study, style


def draw(findings, tables):
    table, timing = tables["image_patches"], tables["image_patches_timing"]
    table = table.merge(timing.drop(columns="data"), on=["seed", "method", "gates", "restart"])
    convex, sgd = (table[table.method == method] for method in ("convex", "sgd"))
    fig, axes = style.panels(3, height=2.4)
    for axis, quantity, label in zip(
        axes,
        ("objective", "accuracy", "seconds"),
        ("training objective", "test accuracy", "time (s)"),
        strict=True,
    ):
        for seed, rows in convex.groupby("seed"):
            axis.plot(
                rows.gates,
                rows[quantity],
                marker=style.MARKERS[seed % 10],
                label=f"convex, sample {seed + 1}",
                **style.look(seed),
            )
            ends = sgd[sgd.seed == seed][quantity]
            if quantity == "seconds":
                axis.axhline(ends.iloc[0], color=style.COLOURS[seed % 10], linewidth=0.8, alpha=0.8)
                continue
            axis.axhspan(ends.min(), ends.max(), color=style.COLOURS[seed % 10], alpha=style.BAND)
        axis.set(xscale="log", xlabel="sampled gates $T$", ylabel=label)
        ticks = sorted(convex.gates.unique())
        axis.set_xticks(ticks, [f"{count:g}" for count in ticks])
        axis.minorticks_off()
    axes[0].set_yscale("log")
    axes[2].set_yscale("log")
    axes[0].legend(loc="upper right")
    axes[1].set_title(f"band: {sgd.restart.nunique()} SGD runs", loc="right")
    axes[2].set_title("line: SGD, all runs at once", loc="right")
    return fig, [table]


if __name__ == "__main__":
    study.main(draw=draw)
