"""Z7: least eigenvalue of the loss's Hessian against the distance from the truth."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly
from workflow.studies.zhong2017.names import name, numbered

LEVEL = 0.95
WORST = {
    "sigmoid": "Z7-sigmoid",
    "tanh": "Z7-tanh",
    "erf": "Z7-erf",
    "squared_relu": "Z7-square",
}


def edges(rows, by):
    """Radius at which the least eigenvalue crosses zero, interpolated; a Series over `by`.

    Infinite where it does not up to the largest radius, 0 where it is negative at the truth.
    """

    def edge(curve):
        radius, smallest = curve.radius.to_numpy(), curve.smallest.to_numpy()
        i = int((smallest < 0).argmax())
        if i == 0:
            return np.inf if smallest[0] >= 0 else 0.0
        return np.interp(0, smallest[[i, i - 1]], radius[[i, i - 1]])

    return rows.sort_values("radius").groupby(by)[["radius", "smallest"]].apply(edge)


def least_median(ratios, rng):
    """Of all activations the one with the least median over teachers."""
    groups = list(ratios.groupby("activation"))
    found = []
    for activation, values in groups:
        interval = bootstrap(values.to_numpy(), rng, level=1 - (1 - LEVEL) / len(groups))
        note = f"Least for {activation}."
        found.append(Measured(values.median(), *interval, len(values), note=note))
    return min(found, key=lambda measured: measured.value)


def judge(tables, claims, rng):
    table, search = tables["basin"], tables["basin_search"]
    rows = {key: claims[key].rows(table) for key in ("Z7", "Z7c", "Z7x")}

    convex = claims["Z7"].succeeded(table)
    shares = convex.groupby([table.activation, table.seed, table.radius]).mean()
    shares = shares.groupby(["activation", "radius"]).mean().rename("share").reset_index()
    also = shares[
        shares.radius.isin(claims["Z7"].given["also"])
        & shares.activation.isin(rows["Z7"].activation)
    ]
    told = ", ".join(
        f"{row.activation} {row.share:.1%} at {row.radius:g}" for row in also.itertuples()
    )

    # Worst-case radii: of the population, and of samples over those.
    worst = edges(search, ["activation", "samples", "seed"]).rename("radius").reset_index()
    population = worst[np.isinf(worst.samples)].set_index(["activation", "seed"]).radius
    samples = worst[~np.isinf(worst.samples)].join(
        population.rename("population"), on=["activation", "seed"]
    )
    samples = samples.assign(ratio=samples.radius / samples.population)
    first = edges(table, ["activation", "seed", "direction"]).groupby(["activation", "seed"]).min()

    def in_random_directions(key, note=""):
        asked = first.index.get_level_values("activation").isin(rows[key].activation)
        found = least_median(first[asked], rng)
        return found._replace(note=f"{found.note} {note}")

    def in_every_direction(key):
        chosen = claims[key].rows(search[np.isinf(search.samples)])
        activation = chosen.activation.iloc[0]
        radii, spent = population[activation], chosen.groupby("seed").evaluations.sum()
        inside = int((radii < claims[key].at_least).sum())
        return exactly(
            radii.min(),
            seeds=len(radii),
            note=f"Median {radii.median():.3f}, largest {radii.max():.3f}; below for {inside} of "
            f"{len(radii)} teachers; at most {spent.max()} evaluations a teacher. Least over "
            f"random directions: median {first[activation].median():.3f}.",
        )

    def against_population(key):
        return least_median(claims[key].rows(samples).set_index("activation").ratio, rng)

    square = in_every_direction("Z7-square")
    small = population[claims["Z7b"].rows(search).activation.unique()]
    return {
        "Z7": in_random_directions("Z7", f"Convex: {told}."),
        "Z7b": exactly(small.max(), seeds=small.index.get_level_values("seed").nunique()),
        "Z7c": exactly(
            claims["Z7c"].succeeded(rows["Z7c"]).mean(), seeds=rows["Z7c"].seed.nunique()
        ),
        "Z7x": in_random_directions("Z7x"),
        "Z7-sigmoid": in_every_direction("Z7-sigmoid"),
        "Z7-tanh": in_every_direction("Z7-tanh"),
        "Z7-erf": in_every_direction("Z7-erf"),
        "Z7-square": square._replace(
            note=f"{square.note} {shortened(table, claims['Z7-square'].given['radius'])}"
        ),
        "Z7d": against_population("Z7d"),
        "Z7y": against_population("Z7y"),
        "shares": shares,
        "far": shares[
            (shares.radius == claims["Z7x"].at_least)
            & shares.activation.isin(rows["Z7x"].activation)
        ],
        "worst": population,
        "first": first,
        "samples": samples,
        "few": float(claims["Z7y"].rows(samples).samples.iloc[0]),
        "radius": claims["Z7"].at_least,
    }


def shortened(table, radius):
    """In words: how often the squared ReLU is convex at a radius, and where it is not."""
    near = table[(table.activation == "squared_relu") & (table.radius == radius)]
    lost = near[near.smallest < 0]
    where = f"{(lost.mean_residual < 0).mean():.0%} of the others make the mean output smaller"
    return f"Convex at {radius:g} in {1 - len(lost) / len(near):.0%} of random directions; {where}."


def draw(findings, tables):
    table = tables["basin"]
    fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 5.2), layout="constrained")
    share, worst, samples, monotone = axes.ravel()
    titles = (
        "random directions: convex near the truth",
        "the worst direction comes sooner",
        "100 d samples keep most of the basin",
        "the gradient points home farther out",
    )
    for letter, title, axis in zip("abcd", titles, axes.ravel(), strict=True):
        axis.set_title(f"({letter}) {title}", loc="left")
    drawn = [
        *draw_shares(share, findings),
        draw_worst(worst, findings),
        *draw_samples(samples, findings, tables["basin_search"]),
        *draw_monotonicity(monotone, table),
    ]
    return fig, drawn


def draw_shares(axis, findings):
    shares = findings["shares"]
    for i, activation in numbered(shares):
        mean = shares[shares.activation == activation]
        axis.plot(
            mean.radius,
            mean.share,
            marker=style.MARKERS[i],
            label=name(activation),
            **style.look(i),
        )
    far = findings["far"]
    axis.plot(
        far.radius,
        far.share,
        linestyle="",
        marker="o",
        markersize=8,
        fillstyle="none",
        color=style.COLOURS[3],
        label=f"control: at {far.radius.iloc[0]:g}",
    )
    axis.axvline(findings["radius"], **style.THEORY)
    axis.set(
        xlabel=r"radius $\|W - W^*\|_F / \|W^*\|_F$",
        ylim=(-0.06, 1.06),
        ylabel="share of directions, convex",
    )
    axis.legend(loc="center right", bbox_to_anchor=(1, 0.38))
    return [shares]


def draw_worst(axis, findings):
    parts = []
    order = [key for _, key in numbered(findings["worst"].reset_index())]
    for place, activation in enumerate(order):
        for kind, shift, fill, label in (
            ("worst", -0.14, "full", "worst found by search"),
            ("first", 0.14, "none", "first of the random ones"),
        ):
            radii = findings[kind][activation]
            spread = np.linspace(-0.09, 0.09, len(radii))
            axis.plot(
                place + shift + spread,
                radii,
                linestyle="",
                marker="o" if kind == "worst" else "s",
                fillstyle=fill,
                color=style.COLOURS[0 if kind == "worst" else 1],
                label=label if place == 0 else None,
            )
            parts.append(
                radii.rename("radius").reset_index().assign(activation=activation, kind=kind)
            )
    axis.axhline(findings["radius"], **style.THEORY)
    axis.text(len(order) - 0.45, findings["radius"] * 1.05, "5 %", fontsize=6.5, ha="right")
    axis.set(
        yscale="log",
        xticks=range(len(order)),
        xlim=(-0.5, len(order) - 0.4),
        ylabel="radius where convexity ends",
    )
    axis.set_xticklabels([name(activation) for activation in order])
    axis.set_yticks(
        [0.01, 0.02, 0.05, 0.1, 0.2, 0.5], ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5"]
    )
    axis.minorticks_off()
    axis.legend(loc="lower right")
    return pd.concat(parts)


def draw_samples(axis, findings, search):
    rows = findings["samples"]
    drawn = []
    for i, activation in numbered(rows):
        part = rows[rows.activation == activation]
        drawn.append(
            style.curve(axis, part, "samples", "ratio", i, name(activation), markers=True).assign(
                activation=activation
            )
        )
    few = rows[rows.samples == findings["few"]].groupby("activation").ratio.median()
    axis.plot(
        np.full(len(few), findings["few"]),
        few,
        linestyle="",
        marker="o",
        markersize=8,
        fillstyle="none",
        color=style.COLOURS[3],
        label="control: $n = 5 d$",
    )
    axis.axhline(1, **style.THEORY)
    axis.set(
        xscale="log",
        xlabel="samples $n$",
        ylim=(0, 1.12),
        ylabel="worst-case radius / population's",
    )
    sizes = sorted(rows.samples.unique())
    axis.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axis.minorticks_off()
    axis.legend(loc="lower right")
    return drawn


def draw_monotonicity(axis, table):
    drawn = []
    for i, activation in numbered(table):
        rows = table[(table.activation == activation) & (table.radius > 0)]
        inner = rows.groupby(["seed", "radius"]).monotonicity.min().reset_index()
        if inner.monotonicity.notna().any():
            label = name(activation)
            drawn.append(style.curve(axis, inner, "radius", "monotonicity", i, label, markers=True))
    axis.axhline(0, color="0.4", linewidth=0.8)
    axis.set(
        xlabel=r"radius $\|W - W^*\|_F / \|W^*\|_F$",
        ylabel=r"$\min \langle \nabla f, W - W^* \rangle / \|W - W^*\|^2$",
    )
    axis.set_ylim(bottom=-0.02)
    axis.legend(loc="upper left", ncols=2)
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
