"""The paper's real-data figure as we understand it: objective and test accuracy on row profiles."""

from workflow.studies import study, style


def draw(findings, tables):
    table, curves, timing = (tables[f"image_{part}"] for part in ("profiles", "curves", "timing"))
    fractions = sorted(curves.beta_fraction.unique(), reverse=True)
    n = int(curves.samples.iloc[0])
    fig, axes = style.plt.subplots(
        2,
        len(fractions),
        figsize=(style.DOUBLE, 3.9),
        layout="constrained",
        squeeze=False,
        sharex="col",
    )
    drawn = []
    for column, fraction in zip(axes.T, fractions, strict=True):
        runs = curves[curves.beta_fraction == fraction].merge(
            timing[(timing.beta_fraction == fraction) & (timing.method == "sgd")][
                ["iteration", "seconds"]
            ],
            on="iteration",
        )
        runs = runs[runs.seconds > 0]
        drawn.append(runs)
        solver = timing[(timing.beta_fraction == fraction) & (timing.method == "convex")].iloc[0]
        optimum = table[
            (table.method == "convex")
            & (table.samples == n)
            & (table.seed == solver.seed)
            & (table.beta_fraction == fraction)
        ].iloc[0]
        for axis, quantity, value in zip(
            column, ("objective", "accuracy"), (optimum.objective, optimum.accuracy), strict=True
        ):
            for restart, run in runs.groupby("restart"):
                axis.plot(
                    run.seconds,
                    run[quantity],
                    linewidth=0.9,
                    label="SGD, one line a start" if not restart else None,
                    **style.look(restart),
                )
            axis.axhline(value, label="certified optimal network", **style.THEORY)
            axis.plot(
                solver.seconds,
                value,
                marker="*",
                markersize=10,
                color=style.COLOURS[3],
                markeredgecolor="0.1",
                markeredgewidth=0.5,
                linestyle="",
                zorder=6,
                label="convex solver, time with enumeration",
            )
            axis.set_xscale("log")
        column[0].set_yscale("log")
        column[0].set_title(
            rf"$\beta = {fraction:g}\,\beta_{{\max}}$, $n = {n}$ images", loc="right"
        )
        column[1].set_xlabel("time (s)")
        column[1].set_ylim(runs.accuracy.min() - 0.05, 1.005)
    axes[0, 0].set_ylabel("training objective")
    axes[1, 0].set_ylabel("test accuracy")
    for letter, axis in zip("abcdef", axes.ravel(), strict=False):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3)
    return fig, drawn


if __name__ == "__main__":
    study.main(draw=draw)
