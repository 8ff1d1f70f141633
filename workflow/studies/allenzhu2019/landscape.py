"""P16: what either direction is worth in training; Lanczos, Oja, differences of gradients."""

import numpy as np
import pandas as pd

from cnntheory.stats import wilson
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import LEVEL, data_of, highest, median
from workflow.studies.allenzhu2019.looks import judged
from workflow.studies.verdicts import exactly

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
        "saddles": saddle,
        "claims": claims,
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
    found = {
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
    return found | {"worths": worths.to_numpy()}


def draw(findings, tables):
    summary, compared = tables["summary"], tables["compared"]
    trained, early = summary[summary.point == "trained"], findings["early"]
    claims = findings["claims"]
    fig, axes = style.panels(3, rows=3, height=6.6)
    style.title(axes[0], "a", "ResNet: the gradient is worth more throughout")
    style.title(axes[1], "b", "plain network: likewise")
    axes[1].sharey(axes[0])
    for axis, network in zip(axes, ("ResNet", "plain"), strict=False):
        draw_falls(axis, trained[trained.network == network], findings["drops"])
    axes[0].set_ylabel("largest decrease of $F$ / $F(W)$")
    draw_saddle(axes[2], findings, early)

    titles = (
        "curvature is mostly worth less than half",
        "the whole square gains little over its gradient axis",
        "20 products find the most curved direction",
    )
    measures = {"square": "curved / gradient", "gain": "gain of the square"}
    measures["bend"] = "residual / curvature"
    names = ("P16c", "P16b", "P16d")
    for axis, letter, text, (column, ylabel), name in zip(
        axes[3:6], "def", titles, measures.items(), names, strict=True
    ):
        style.title(axis, letter, text)
        strips(axis, early, column)
        style.criterion(axis, at_most=claims[name].at_most, label="")
        top = 1.3 * max(early[column].max(), claims[name].at_most)
        axis.set(ylabel=ylabel, ylim=(-0.03 * top, top))
        style.judged(axis, findings[name], "largest median {}", (0.97, 0.94))
    axes[3].set_xlabel(f"{runs(early)} trainings (grey: criteria)")

    lanczos = compared[compared.method == "Lanczos"].set_index(RUN).quotient
    beside = compared.join(lanczos.rename("lanczos"), on=RUN)
    beside = beside.assign(
        hessian=beside.quotient / beside.lanczos,
        kinked=beside.kinked_quotient / beside.lanczos,
        gap=beside.ritz_residual / beside.lanczos.abs(),
    )
    found, worth_of, offsets = axes[6:]
    style.title(found, "g", "Oja's method finds that curvature; differences see kinks")
    medians(found, beside, "Oja", "products", "hessian", style.measured(0, label="(g) Oja"))
    look = style.measured(4, label="(g), (i) differences of gradients")
    medians(found, beside, "Neon2", "products", "kinked", look)
    found.axhline(1, **style.THEORY)
    style.criterion(found, at_least=claims["P16e"].at_least, label="")
    found.set(xlabel="products with the noisy Hessian", ylim=(-1.1, None))
    found.set_ylabel(r"curvature / Lanczos's $\lambda_{\min}$")
    judged(found, findings, "P16e", "Oja", (0.97, 0.1))

    style.title(worth_of, "h", "their direction is worth less than the gradient too")
    values = np.sort(findings["worths"])
    worth_of.plot(range(1, len(values) + 1), values, **look | {"linestyle": "", "label": None})
    style.criterion(worth_of, at_most=claims["P16f"].at_most, at=0.02)
    worth_of.set(xlabel="training, by size", ylabel="differences / gradient", ylim=(0, 1.2))
    style.judged(worth_of, findings["P16f"], "median {}", (0.97, 0.06))

    style.title(offsets, "i", "shorter offsets see more of the kinks")
    every = medians(offsets, beside, "difference", "offset", "gap", look)
    # k independent kinks in a segment of length 2 q, each a jump of the gradient: sqrt(k) / q.
    ends = every.index[[0, -1]].to_numpy()
    height = 3 * every.median(axis=1).iloc[-1]
    line = height * (ends / ends[-1]) ** -0.5
    offsets.plot(ends, line, label="theory: (g) Lanczos, (i) slope $-1/2$", **style.THEORY)
    offsets.set(xscale="log", yscale="log", xlabel="offset $q$ of the two gradients")
    offsets.set_ylabel(r"residual / $|\lambda_{\min}|$")
    style.legend_below(fig)
    return fig, [trained, early, findings["saddles"], compared]


def draw_falls(axis, rows, drops):
    """What either direction is worth in one training, true and noisy labels."""
    for labels, fill in (("true", None), ("noisy", "white")):
        part = rows[rows.labels == labels].sort_values("epoch")
        for i, column, name in ((1, "fall_gradient", "gradient"), (2, "fall_curved", "curved")):
            look = style.measured(i, label=f"{name}, {labels} labels")
            look |= {"markerfacecolor": fill} if fill else {}
            axis.plot(part.epoch, part[column] / part.loss, **look)
    for epoch in drops:
        if epoch < rows.epoch.max():
            axis.axvline(epoch - 0.5, color="0.6", linewidth=0.7, linestyle=":", zorder=0)
    axis.set(xlabel="epoch", yscale="log")


def draw_saddle(axis, findings, early):
    """Decreases at the strict saddle beside those on the path."""
    style.title(axis, "c", "at a strict saddle only negative curvature leads down")
    saddle = findings["saddles"]
    for x, (values, look) in enumerate(
        (
            (early.fall_gradient / early.loss, style.measured(1)),
            (saddle.fall_gradient / saddle.loss, style.control("gradient at a saddle")),
            (saddle.fall_curved / saddle.loss, style.control("curved, at a saddle", i=1)),
        )
    ):
        strip(axis, x, values, look)
    claim = findings["claims"]["P16x"]
    style.criterion(axis, at_least=claim.at_least, label="criterion: gradient", at=0.98)
    axis.set(
        xticks=range(3), xticklabels=["path:\ngradient", "saddle:\ngradient", "saddle:\ncurved"]
    )
    axis.set_yscale("symlog", linthresh=claim.at_least, linscale=0.7)
    axis.set(xlim=(-0.5, 2.5), ylim=(-0.6 * claim.at_least, 4), yticks=[0, 1e-3, 1e-2, 0.1, 1])
    axis.yaxis.minorticks_off()
    style.judged(axis, findings["P16"], "path: least {}", (0.97, 0.94), digits=3)
    style.judged(
        axis, findings["P16x"], "control: {}", (0.97, 0.15), digits=3, color=style.VERMILLION
    )


def strip(axis, x, values, look):
    """Sorted values side by side around x."""
    values = np.sort(values)
    dots = look | {"linestyle": "", "markersize": 2.4, "markeredgewidth": 0.6}
    axis.plot(x + np.linspace(-0.25, 0.25, len(values)), values, **dots)


def strips(axis, early, column):
    """A quantity of every panel by network and labels, the two epochs' marks apart."""
    cells = list(early.groupby(["network", "labels"]))
    epochs = style.sequential(early.epoch)
    for x, (_, cell) in enumerate(cells):
        for i, (epoch, colour) in enumerate(epochs.items()):
            look = style.measured(
                i, color=colour, label=f"(d)-(f) epoch {epoch}" if not x else None
            )
            strip(axis, x, cell[cell.epoch == epoch][column], look)
        middle = cell[column].median()
        axis.plot([x - 0.35, x + 0.35], [middle] * 2, color=style.INK, linewidth=1.3)
    names = [f"{network}\n{labels}" for (network, labels), _ in cells]
    axis.set(xticks=range(len(cells)), xticklabels=names)


def medians(axis, rows, method, x, y, look):
    """A thin line a training and their median; the values, a column a training."""
    every = rows[rows.method == method].pivot(index=x, columns=RUN, values=y)
    axis.plot(every.index, every, color=look["color"], linewidth=0.5, alpha=0.45)
    axis.plot(every.index, every.median(axis=1), **look)
    return every


if __name__ == "__main__":
    study.main(judge, draw)
