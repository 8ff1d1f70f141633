"""Z7: least eigenvalue of the loss's Hessian against the distance from the truth."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly
from workflow.studies.zhong2017.names import look, name, name_criterion, present

LEVEL = 0.95
RADIUS = r"radius $\|W - W^*\|_F / \|W^*\|_F$"
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
        "small": set(small.index.get_level_values("activation")),
        "claims": claims,
    }


def shortened(table, radius):
    """In words: how often the squared ReLU is convex at a radius, and where it is not."""
    near = table[(table.activation == "squared_relu") & (table.radius == radius)]
    lost = near[near.smallest < 0]
    where = f"{(lost.mean_residual < 0).mean():.0%} of the others make the mean output smaller"
    return f"Convex at {radius:g} in {1 - len(lost) / len(near):.0%} of random directions; {where}."


def draw(findings, tables):
    table = tables["basin"]
    fig, axes = style.panels(2, rows=2, height=5.2)
    share, worst, samples, monotone = axes
    titles = (
        "random directions: convex near the truth, not far from it",
        "the worst direction comes sooner",
        "many samples keep most of the basin, few do not",
        "the gradient points home well beyond the basin",
    )
    for letter, axis, text in zip("abcd", axes, titles, strict=True):
        style.title(axis, letter, text)
    drawn = [
        draw_shares(share, findings),
        draw_worst(worst, findings),
        *draw_samples(samples, findings),
        *draw_monotonicity(monotone, table),
    ]
    for axis in (share, worst, samples, monotone):
        style.legend_below(axis)
    return fig, drawn


def draw_shares(axis, findings):
    shares, far, claims = findings["shares"], findings["far"], findings["claims"]
    for activation in present(shares):
        mean = shares[shares.activation == activation]
        axis.plot(mean.radius, mean.share, **look(activation))
    shown = style.control(f"still convex at {claims['Z7x'].at_least:g}", markersize=7)
    axis.plot(far.radius, far.share, **shown | {"linestyle": "", "markerfacecolor": "none"})
    style.criterion(axis, at_most=claims["Z7"].at_least, label="", along="x")
    name_criterion(axis, "criterion: convex up to here")
    text = "sigmoid, tanh, erf:\nconvex up to a radius of\n{}"
    style.judged(axis, findings["Z7"], text, (0.98, 0.45))
    style.judged(axis, findings["Z7c"], "ReLU: share {}", (0.98, 0.94))
    axis.set(
        xlabel=RADIUS,
        ylim=(-0.06, 1.19),
        yticks=np.arange(0, 1.1, 0.25),
        ylabel="share of directions, convex",
    )
    return shares


def draw_worst(axis, findings):
    """Radius at which convexity ends, a point a teacher, with what is allowed in each column."""
    claims, parts = findings["claims"], []
    order = present(findings["worst"].reset_index())
    for i, (kind, label) in enumerate(
        (
            ("worst", "in the worst direction found, least printed below"),
            ("first", "in the nearest of the random directions"),
        )
    ):
        for place, activation in enumerate(order):
            radii = findings[kind][activation]
            at = place - 0.2 + 0.4 * i + np.linspace(-0.1, 0.1, len(radii))
            shown = style.measured(i, linestyle="", label=label if place == 0 else None)
            axis.plot(at, radii, **shown)
            parts.append(
                radii.rename("radius").reset_index().assign(activation=activation, kind=kind)
            )
    for place, activation in enumerate(order):
        small = activation in findings["small"]
        most = claims["Z7b"].at_most if small else None
        span = (place - 0.4, place)
        style.criterion(axis, claims[WORST[activation]].at_least, most, "", span=span)
        if activation != "squared_relu":
            span = (place, place + 0.4)
            style.criterion(axis, claims["Z7"].at_least, None, "", span=span)
    name_criterion(axis)
    axis.set(yscale="log", xlim=(-0.5, len(order) - 0.5), ylabel="radius where convexity ends")
    axis.set_xticks(
        range(len(order)), [f"{name(key)}\n{findings[WORST[key]].text(3)}" for key in order]
    )
    axis.set_ylim(top=0.3)
    style.judged(axis, findings["Z7b"], "tanh, erf: largest {}", (0.97, 0.94))
    style.plain_ticks(axis, "y")
    return pd.concat(parts)


def draw_samples(axis, findings):
    rows, few, claim = findings["samples"], findings["few"], findings["claims"]["Z7d"]
    drawn = []
    for activation in present(rows):
        part = rows[rows.activation == activation]
        curve = style.curve(axis, part, "samples", "ratio", look(activation), None)
        drawn.append(curve.assign(activation=activation))
    least = rows[rows.samples == few].groupby("activation").ratio.median()
    shown = style.control("$n = 5 d$", markersize=7, linestyle="", markerfacecolor="none")
    axis.plot(np.full(len(least), few), least, **shown)
    sizes = sorted(rows.samples.unique())
    style.criterion(axis, claim.at_least, label="", span=(sizes[-1] / 1.3, sizes[-1] * 1.3))
    name_criterion(axis, "criterion for the medians")
    style.judged(axis, findings["Z7d"], "least median {}", (0.97, 0.1))
    style.judged(
        axis, findings["Z7y"], "control: least median {}", (0.03, 0.9), color=style.VERMILLION
    )
    axis.set(xscale="log", xlabel="samples $n$", ylim=(0, 1.12))
    axis.set_xlim(sizes[0] / 1.5, sizes[-1] * 1.5)
    axis.set_ylabel("worst-case radius / population's")
    style.ticks(axis, sizes)
    return drawn


def draw_monotonicity(axis, table):
    drawn = []
    for activation in present(table):
        rows = table[(table.activation == activation) & (table.radius > 0)]
        inner = rows.groupby(["seed", "radius"]).monotonicity.min().reset_index()
        if inner.monotonicity.notna().any():
            shown = look(activation)
            drawn.append(style.curve(axis, inner, "radius", "monotonicity", shown, None))
    zero = style.bound(axis, None, 0, "above", at=0.5)
    zero.set_label("towards the truth: above")
    axis.set(xlabel=RADIUS)
    axis.set_ylabel(r"$\min \langle \nabla f, W - W^* \rangle / \|W - W^*\|^2$")
    axis.set_ylim(bottom=-0.02)
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
