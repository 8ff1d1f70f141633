"""P16: what either direction is worth in training; Lanczos, Oja, differences of gradients."""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from cnntheory.stats import wilson
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import LEVEL, data_of, highest, median
from workflow.studies.verdicts import exactly

CELLS = {("ResNet", "true"): 0, ("ResNet", "noisy"): 1, ("plain", "true"): 2, ("plain", "noisy"): 3}
RUN = ["network", "labels", "seed"]


def judge(tables, claims, rng):
    many = tables["many"]
    summary = pd.concat([tables["summary"], many], ignore_index=True)
    every, saddle = claims["P16"].rows(summary), claims["P16x"].rows(summary)
    early = worth(claims["P16c"].rows(many))
    # A strictly negative curvature that was not found counts as the worst of all.
    early["bend"] = early.ritz_residual / (-early.smallest).clip(lower=0)
    half, limit = claims["P16c"].given["half"], claims["P16d"].at_most
    above = early.square > half
    by = above.groupby([early.epoch, early.labels]).agg(["sum", "size"])
    shares = "; ".join(f"epoch {e}, {k} labels: {n} of {c}" for (e, k), n, c in by.itertuples())
    low, high = wilson(above.groupby([early[name] for name in RUN]).any().sum(), runs(early))
    medians = {
        name: in_cells(early, column, rng, worst)
        for name, column, worst in (("P16b", "gain", 0), ("P16c", "square", 0), ("P16d", "bend", 1))
    }
    found = {name: highest(cells, "{}, {} labels.") for name, cells in medians.items()}

    def beside(name, note):
        return found[name]._replace(note=f"{found[name].note} {note}")

    def extreme(value, rows, note=""):
        return exactly(value, seeds=runs(rows), data=data_of(rows), note=note)

    return {
        "P16": extreme((every.fall_gradient / every.loss).min(), every),
        "P16b": beside("P16b", f"The largest of all panels is {early.gain.max():.2g}."),
        "P16c": beside(
            "P16c",
            f"{above.sum()} of {len(above)} panels exceed {half:g}, the largest is "
            f"{early.square.max():.2g} ({shares}); trainings with one such panel [{low:.2f}, "
            f"{high:.2f}]. At any distance along the lines: median {early.line.median():.2g}.",
        ),
        "P16d": beside("P16d", f"{(early.bend > limit).sum()} of {len(early)} exceed {limit:g}."),
        "P16x": extreme(
            (saddle.fall_gradient / saddle.loss).max(),
            saddle,
            "The decrease along the curved direction over F is at least "
            f"{(saddle.fall_curved / saddle.loss).min():.3g}.",
        ),
        "early": early,
        "half": half,
        **judge_methods(early, tables["compared"], claims["P16f"].given["half"], rng),
    }


def runs(rows):
    """Number of trainings behind rows."""
    return len(rows[RUN].drop_duplicates())


def worth(rows):
    """What the curved direction is worth beside the gradient's, and the square beside its axis."""
    return rows.assign(
        square=rows.square_curved / rows.square_gradient,
        line=rows.fall_curved / rows.fall_gradient,
        gain=(rows.square_best - rows.square_gradient) / rows.square_gradient,
    )


def in_cells(rows, column, rng, worst=False):
    """Median over trainings (and their panels, or the worse of these) for every cell.

    Each at a level divided among the cells, with a bootstrap over trainings.
    """
    groups, found = list(rows.groupby(["network", "labels"])), {}
    for cell, part in groups:
        values = part.pivot(index="seed", columns="epoch", values=column).to_numpy()
        values = values.max(axis=1, keepdims=True) if worst else values
        found[cell] = median(values, rng, data_of(rows), 1 - (1 - LEVEL) / len(groups))
    return found


def judge_methods(trained, compared, half, rng):
    """Last iterates of Oja's method and of differences of gradients, beside Lanczos."""
    last = compared.sort_values("products").groupby([*RUN, "method"]).last().unstack("method")
    lanczos = last.quotient.Lanczos
    kinks = last.kinked_quotient.Neon2 / lanczos
    panels = trained.merge(compared[[*RUN, "epoch"]].drop_duplicates()).set_index(RUN)
    ratios = last.quotient.Oja / lanczos
    worths = last.fall_curved.Neon2 / panels.fall_gradient
    return {
        name: median(values.to_numpy()[:, None], rng, data_of(compared))._replace(note=note)
        for name, values, note in (
            ("P16e", ratios, f"Least {ratios.min():.2g}, its cosine {last.cosine.Oja.min():.2g}."),
            (
                "P16f",
                worths,
                f"{(worths > half).sum()} of {len(worths)} exceed {half:g}, the largest is "
                f"{worths.max():.2g}; its curvature is {kinks.median():.2g} times Lanczos's, "
                "median.",
            ),
        )
    }


def draw(findings, tables):
    summary, compared = tables["summary"], tables["compared"]
    trained = summary[summary.point == "trained"]
    fig, axes = style.plt.subplots(2, 3, figsize=(style.DOUBLE, 4.3), layout="constrained")
    resnet, plain, ratio, found, offsets, names = axes.ravel()
    for letter, axis in zip("abcde", axes.ravel(), strict=False):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")

    def seeds(axis, rows, y, i, **look):
        """One thin line a seed."""
        for _, line in rows.sort_values("epoch").groupby("seed"):
            axis.plot(line.epoch, y(line), **(dict(color=style.COLOURS[i], linewidth=0.9) | look))

    def rate_drops(axis):
        for epoch in findings["drops"]:
            if epoch < trained.epoch.max():
                axis.axvline(epoch - 0.5, color="0.6", linewidth=0.7, linestyle=":", zorder=0)

    for axis, network in ((resnet, "ResNet"), (plain, "plain")):
        rows = trained[trained.network == network]
        for (name, labels), i in CELLS.items():
            cell = rows[(rows.network == name) & (rows.labels == labels)]
            marker = style.MARKERS[i]
            seeds(axis, cell, lambda r: r.fall_gradient / r.loss, i, marker=marker)
            seeds(
                axis,
                cell,
                lambda r: r.fall_curved / r.loss,
                i,
                marker=marker,
                fillstyle="none",
                linestyle="--",
            )
        axis.set(title=network, xlabel="epoch", yscale="log")
        rate_drops(axis)
    resnet.set_ylabel("largest decrease of $F$ / $F(W)$")
    plain.sharey(resnet)
    falls = trained[["fall_gradient", "fall_curved"]].div(trained.loss, axis=0).to_numpy()
    resnet.set_ylim(max(1e-4, 0.7 * falls[falls > 0].min()), 1.5 * falls.max())

    early = findings["early"]
    epochs = sorted(early.epoch.unique())
    for (name, labels), i in CELLS.items():
        for k, epoch in enumerate(epochs):
            cell = early[(early.network == name) & (early.labels == labels)]
            values = np.sort(cell[cell.epoch == epoch].square)
            at = k + 0.2 * (i - 1.5)
            x = at + np.linspace(-0.06, 0.06, len(values))
            ratio.plot(x, values, ".", color=style.COLOURS[i], markersize=2.5)
            ratio.plot([at - 0.08, at + 0.08], 2 * [np.median(values)], color="0.1", linewidth=1.3)
    ratio.axhline(findings["half"], **style.THEORY)
    ratio.set(
        ylabel="curved axis / gradient axis",
        xticks=range(len(epochs)),
        xticklabels=[f"epoch {epoch}" for epoch in epochs],
        ylim=(0, None),
        title=f"{runs(early)} trainings",
    )

    lanczos = compared[compared.method == "Lanczos"].set_index(RUN).quotient
    beside = compared.join(lanczos.rename("lanczos"), on=RUN)
    beside = beside.assign(
        hessian=beside.quotient / beside.lanczos,
        kinked=beside.kinked_quotient / beside.lanczos,
        gap=beside.ritz_residual / beside.lanczos.abs(),
    )
    solid, dashed = dict(linestyle="-"), dict(fillstyle="none", linestyle="--")
    lines = (
        (found, "Oja", "products", "hessian", solid),
        (found, "Neon2", "products", "kinked", dashed),
        (offsets, "difference", "offset", "gap", dashed),
    )
    for axis, method, x, y, look in lines:
        every = beside[beside.method == method].pivot(index=x, columns=RUN, values=y)
        colour = style.COLOURS[CELLS[every.columns[0][:2]]]
        faint = dict(color=colour, linewidth=0.5, alpha=0.45, linestyle=look["linestyle"])
        axis.plot(every.index, every, **faint)
        axis.plot(every.index, every.median(axis=1), color=colour, marker="o", **look)
    found.axhline(1, **style.THEORY)
    found.set(
        xlabel="products with the noisy Hessian",
        ylabel=r"curvature / Lanczos's $\lambda_{\min}$",
        title=f"Oja, epoch {compared.epoch.min()}",
    )
    offsets.set(
        xscale="log",
        yscale="log",
        xlabel="offset $q$ of the two gradients",
        ylabel=r"residual / $|\lambda_{\min}|$",
        title="kinks",
    )
    # k independent kinks in a segment of length 2 q, each a jump of the gradient: sqrt(k) / q.
    ends = every.index[[0, -1]].to_numpy()
    height = 2 * every.median(axis=1).iloc[-1]
    offsets.plot(ends, height * (ends / ends[-1]) ** -0.5, **style.THEORY)
    style.slope_label(offsets, "slope $-1/2$", (0.62, 0.72))

    names.axis("off")
    count = trained.groupby(["network", "labels"]).seed.nunique()
    handles = [
        Line2D(
            [],
            [],
            color=style.COLOURS[i],
            marker=style.MARKERS[i],
            label=f"{name}, {kind} labels, seeds: {count[name, kind]}",
        )
        for (name, kind), i in CELLS.items()
        if (name, kind) in count
    ]
    dark = dict(color="0.3", marker="o")
    handles += [
        Line2D([], [], **dark, label="(a, b) along the gradient"),
        Line2D([], [], **dark, fillstyle="none", ls="--", label="(a, b) along the neg. curvature"),
        Line2D([], [], **dark, label="(d) Hessian-vector products"),
        Line2D([], [], **dark, fillstyle="none", ls="--", label="(d, e) differences of gradients"),
        Line2D([], [], **style.THEORY, label="(c) one half, (d) Lanczos, (e) theory"),
        Line2D([], [], color="0.6", lw=0.7, ls=":", label="rate divided by 10"),
    ]
    names.legend(handles=handles, loc="center left", bbox_to_anchor=(-0.1, 0.5), labelspacing=0.7)
    return fig, [trained, compared]


if __name__ == "__main__":
    study.main(judge, draw)
