"""P16: what either direction is worth in training; Lanczos, Oja, differences of gradients."""

from matplotlib.lines import Line2D

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import data_of, median
from workflow.studies.verdicts import exactly

CELLS = {("ResNet", "true"): 0, ("ResNet", "noisy"): 1, ("plain", "true"): 2, ("plain", "noisy"): 3}
RUN = ["network", "labels", "seed"]


def judge(tables, claims, rng):
    summary = tables["summary"]
    rows = {name: claim.rows(summary) for name, claim in claims.items()}
    every, saddle, ratios = rows["P16"], rows["P16x"], worth(rows["P16b"])
    limit = claims["P16b"].at_most
    extra = (every.square_best - every.square_gradient) / every.square_gradient
    typical = worth(rows["P16c"])
    squares = typical.pivot(index=RUN, columns="epoch", values="square").to_numpy()
    bend = rows["P16d"]
    bend = bend.ritz_residual / (-bend.smallest).clip(lower=0)  # one not below 0 is not found

    def in_runs(value, rows, note=""):
        runs = len(rows[RUN].drop_duplicates())
        return exactly(value, seeds=runs, data=data_of(rows), note=note)

    return {
        "P16": in_runs((every.fall_gradient / every.loss).min(), every),
        "P16b": in_runs(
            ratios.square.max(),
            ratios,
            f"{(ratios.square > limit).sum()} of {len(ratios)} exceed {limit:g}. The best point of "
            f"a square gains at most {extra.max():.2g} of the gradient's decrease on top of it, "
            f"median {extra.median():.2g}.",
        ),
        "P16c": median(squares, rng, data_of(typical))._replace(
            note=f"At any distance along the lines: median {typical.line.median():.2g}, largest "
            f"{typical.line.max():.2g}."
        ),
        "P16d": in_runs(bend.max(), rows["P16d"]),
        "P16x": in_runs(
            (saddle.fall_gradient / saddle.loss).max(),
            saddle,
            "The decrease along the curved direction over F is at least "
            f"{(saddle.fall_curved / saddle.loss).min():.3g}.",
        ),
        "first drop": claims["P16b"].given["first_drop"],
        **judge_methods(every, tables["curvature"], in_runs),
    }


def worth(rows):
    """Decrease along the curved direction over the gradient's, in the square and on the lines."""
    return rows.assign(
        square=rows.square_curved / rows.square_gradient,
        line=rows.fall_curved / rows.fall_gradient,
    )


def judge_methods(trained, compared, in_runs):
    """Last iterates of Oja's method and of differences of gradients, beside Lanczos."""
    last = compared.sort_values("products").groupby([*RUN, "method"]).last().unstack("method")
    lanczos = last.quotient.Lanczos
    kinks = last.kinked_quotient.Neon2 / lanczos
    beside = trained.merge(compared[[*RUN, "epoch"]].drop_duplicates()).set_index(RUN)
    return {
        "P16e": in_runs(
            (last.quotient.Oja / lanczos).min(),
            compared,
            f"Cosine at least {last.cosine.Oja.min():.2g}.",
        ),
        "P16f": in_runs(
            (last.fall_curved.Neon2 / beside.fall_gradient).max(),
            compared,
            f"Its curvature is {kinks.min():.2g} times Lanczos's or more.",
        ),
    }


def draw(findings, tables):
    summary, compared = tables["summary"], tables["curvature"]
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
        for epoch in (findings["first drop"], findings["second_drop"]):
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

    for (name, labels), i in CELLS.items():
        cell = trained[(trained.network == name) & (trained.labels == labels)]
        seeds(
            ratio,
            cell,
            lambda r: -r.smallest / r.largest,
            i,
            marker=style.MARKERS[i],
            linestyle=style.LINES[i],
        )
    rate_drops(ratio)
    ratio.set(xlabel="epoch", ylabel=r"$|\lambda_{\min}| / \lambda_{\max}$", yscale="log")
    ratio.set_title("spectrum")
    ratio.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
    ratio.minorticks_off()

    for (name, labels), i in CELLS.items():
        cell = compared[(compared.network == name) & (compared.labels == labels)]
        if cell.empty:
            continue
        lanczos = cell[cell.method == "Lanczos"].quotient.iloc[0]
        look = dict(color=style.COLOURS[i], marker=style.MARKERS[i])
        oja, neon = (cell[cell.method == method] for method in ("Oja", "Neon2"))
        found.plot(oja.products, oja.quotient / lanczos, **look)
        found.plot(neon.products, neon.kinked_quotient / lanczos, **look, fillstyle="none", ls="--")
        ladder = cell[cell.method == "difference"].sort_values("offset")
        gap = ladder.ritz_residual / abs(lanczos)
        offsets.plot(ladder.offset, gap, **look, fillstyle="none", ls="--")
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
    ends = ladder.offset.iloc[[0, -1]].to_numpy()
    offsets.plot(ends, 2 * gap.iloc[-1] * (ends / ends[-1]) ** -0.5, **style.THEORY)
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
        Line2D([], [], **style.THEORY, label="(d) Lanczos, (e) theory"),
        Line2D([], [], color="0.6", lw=0.7, ls=":", label="rate divided by 10"),
    ]
    names.legend(handles=handles, loc="center left", bbox_to_anchor=(-0.1, 0.5), labelspacing=0.7)
    return fig, [trained, compared]


if __name__ == "__main__":
    study.main(judge, draw)
