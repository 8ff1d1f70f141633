"""P9, P11: norms forward and backward at initialisation, and spectral norms of products."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, log_log_slope
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import (
    LEVEL,
    data_of,
    farthest,
    medians_by,
    slope,
)
from workflow.studies.allenzhu2019.looks import by_width, judged, room
from workflow.studies.verdicts import Measured

LONE = {"linestyle": ""}  # marks that no line joins


def judge(tables, claims, rng):
    table = tables["initial"]
    rows = {name: claim.rows(table) for name, claim in claims.items()}
    backward = medians_by(rows["P11"], ["width", "layer"], "value", rng)
    usual = width_slopes(rows["P9"], rng)
    found = {
        "P9": farthest(usual, claims["P9"], "In layer {}."),
        "P9b": layer_slope(rows["P9b"], rng),
        "P9c": farthest(rms_ratios(rows["P9c"], rng), claims["P9c"], "m = {}, l = {}."),
        "P9d": farthest(growth_ratios(rows["P9d"], rng), claims["P9d"]),
    }
    broken = width_slopes(rows["P9x"], rng)
    return found | {
        "P9x": farthest(broken, claims["P9x"], "In layer {}."),
        "P11": farthest(backward, claims["P11"], "m = {}, a = {}."),
        "P11b": slope(rows["P11b"], "depth", "value", rng),
        "deviations": deviations(rows["P9c"]),
        "networks": deviations(rows["P9d"]),
        "slopes P9": usual,
        "slopes P9x": broken,
        "claims": claims,
    }


def squares(rows):
    """Mean squares of log ||h_l||^2, ``(seeds, widths, layers)``, the two axes, number of draws.

    A seed is a whole network, or a block of direct draws that comes as its root mean square.
    """
    blocks = (rows.study == "direct").all()
    rows = rows.assign(square=rows.value**2 if blocks else (2 * np.log(rows.value)) ** 2)
    wide = rows.pivot(index="seed", columns=["width", "layer"], values="square").sort_index(axis=1)
    axes = [wide.columns.get_level_values(name).unique().to_numpy() for name in wide.columns.names]
    draws = len(wide) * (int(rows.draws.iloc[0]) if blocks else 1)
    return wide.to_numpy().reshape(-1, *map(len, axes)), *axes, draws


def width_slopes(rows, rng):
    """Log-log slope of the rms in the width for every layer, at a level divided among them."""
    found, widths, layers, draws = squares(rows)

    def statistic(values, axis=0):
        return log_log_slope(widths, np.sqrt(values.mean(axis=0)).T)

    low, high = bootstrap(found, rng, statistic, level=1 - (1 - LEVEL) / len(layers))
    parts = zip(layers, statistic(found), low, high, strict=True)
    return {layer: Measured(*one, draws, data_of(rows)) for layer, *one in parts}


def layer_slope(rows, rng):
    """Log-log slope of the rms in l + 1, the mean over the widths."""
    found, _, layers, draws = squares(rows)

    def statistic(values, axis=0):
        return float(log_log_slope(layers + 1, np.sqrt(values.mean(axis=0))).mean())

    return Measured(statistic(found), *bootstrap(found, rng, statistic), draws, data_of(rows))


def predicted(rows):
    """rms of log ||h_l||^2 by its exact law, ``(widths, layers)``."""
    return rows.pivot_table(index="width", columns="layer", values="predicted").to_numpy()


def rms_ratios(rows, rng):
    """Measured over predicted rms of every cell (m, l), at a level divided among them."""
    found, widths, layers, draws = squares(rows)
    expected = predicted(rows)

    def ratio(values, axis=0):
        return np.sqrt(values.mean(axis=0)) / expected

    ratios = ratio(found)
    low, high = bootstrap(found, rng, ratio, level=1 - (1 - LEVEL) / expected.size)
    return {
        (widths[at[0]], layers[at[1]]): Measured(
            ratios[at], low[at], high[at], draws, data_of(rows)
        )
        for at in np.ndindex(expected.shape)
    }


def growth_ratios(rows, rng):
    """rms of what a layer adds to log ||h_l||^2 over the law's, for every width."""
    groups, found = list(rows.groupby("width")), {}
    for width, part in groups:
        logs = 2 * np.log(part.pivot(index="seed", columns="layer", values="value").to_numpy())
        grown = np.diff(logs, axis=1, prepend=0)
        scale = part.predicted[part.layer == 0].iloc[0]  # the law of one layer

        def ratio(values, axis=0, scale=scale):
            return np.sqrt((values**2).mean()) / scale

        interval = bootstrap(grown, rng, ratio, level=1 - (1 - LEVEL) / len(groups))
        found[width] = Measured(ratio(grown), *interval, len(grown), data_of(rows))
    return found


def deviations(rows):
    """rms(log ||h_l||^2) of every cell with its 95 % error, and the law's."""
    found, widths, layers, draws = squares(rows)
    mean, error = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(len(found))
    width, layer = (a.ravel() for a in np.meshgrid(widths, layers, indexing="ij"))
    rms = np.sqrt(mean).ravel()
    # Delta method: half the standard error of the mean square over the root mean square.
    table = dict(width=width, layer=layer, rms=rms, error=1.96 * error.ravel() / (2 * rms))
    return pd.DataFrame(table | dict(predicted=predicted(rows).ravel(), draws=draws))


def draw(findings, tables):
    table, claims = tables["initial"], findings["claims"]
    fig, axes = style.panels(3, rows=2, height=4.9)
    in_width, in_layer, slopes, whole, backward, product = axes
    spread, networks = findings["deviations"], findings["networks"]
    drawn = [spread.assign(panel="(a), (b)"), networks.assign(panel="(d)")]

    style.title(in_width, "a", "norms concentrate as the network widens")
    style.title(in_layer, "b", "and spread with the depth")
    layers = [layer for layer in (0, 3, spread.layer.max()) if layer in set(spread.layer)]
    colours = style.sequential(layers)
    for axis, x, key, looks in (
        (
            in_width,
            "width",
            "layer",
            {at: style.measured(i, color=colours[at]) for i, at in enumerate(layers)},
        ),
        (in_layer, "layer", "width", {m: by_width(m) for m in sorted(set(spread.width))}),
    ):
        for value, look in looks.items():
            part = spread[spread[key] == value]
            at = part[x] + (x == "layer")
            name = f"$l = {value}$" if key == "layer" else f"$m = {value}$"
            axis.errorbar(at, part.rms, part.error, capsize=2, **look | LONE | {"label": name})
            axis.plot(at, part.predicted, **style.THEORY)
        axis.plot([], [], label="theory", **style.THEORY)
        axis.set(xscale="log", yscale="log", ylabel=r"rms of $\log \|h_l\|^2$")
        style.plain_ticks(axis, "y")
    in_width.set(xlabel="width $m$")
    style.ticks(in_width, spread.width)
    in_layer.set(xlabel="$l + 1$, layer plus one")
    style.ticks(in_layer, spread.layer + 1, apart=0.12)
    judged(in_layer, findings, "P9b", "slope", (0.97, 0.09))
    room(in_layer, below=0.25)
    style.corner(in_width, f"{spread.draws[0]} draws, 95 %")

    style.title(slopes, "c", "every layer as $1/\\sqrt{m}$; with variance $1/m$ none")
    for name, look in (
        ("P9", style.measured(0)),
        ("P9x", style.control("variance $1/m$")),
    ):
        by_layer = findings[f"slopes {name}"]
        found = pd.DataFrame(by_layer.values()).assign(layer=list(by_layer), claim=name)
        ends = found.value - found.low, found.high - found.value
        slopes.errorbar(found.layer, found.value, ends, capsize=2, **look | LONE)
        drawn.append(found.assign(panel="(c)"))
        at = (0.97, 0.12 if name == "P9" else 0.9)
        judged(slopes, findings, name, "farthest layer\n", at)
    slopes.axhline(-0.5, **style.THEORY)
    style.criterion(slopes, claims["P9"].at_least, claims["P9"].at_most, inside=False)
    slopes.set(xlabel="layer $l$", ylabel="slope in $m$ of the rms", ylim=(-1.05, 0.75))

    style.title(whole, "d", "whole networks on images obey the law of the draws")
    for width in sorted(set(networks.width)):
        part = networks[networks.width == width]
        ratio, error = part.rms / part.predicted, part.error / part.predicted
        shift = 0.06 * (np.log2(width) - 8.5)
        look = by_width(width, label=f"$m = {width}$") | LONE
        whole.errorbar(part.layer + shift, ratio, error, capsize=1.5, elinewidth=0.7, **look)
    whole.axhline(1, **style.THEORY)
    whole.set(xlabel="layer $l$", ylabel="rms / exact law", ylim=(0.1, 1.6))
    judged(whole, findings, "P9d", "step of a layer,\nworst", (0.03, 0.13))
    style.corner(whole, f"{networks.draws[0]} networks")

    style.title(backward, "e", "backward vectors neither grow nor fade")
    flat = table[(table.study == "backward") & (table.variance == 2)]
    for width, part in flat.groupby("width"):
        look = by_width(width, label=f"$m = {width}$")
        drawn.append(style.curve(backward, part, "layer", "value", look, None))
    backward.axhline(1, **style.THEORY)
    style.criterion(backward, claims["P11"].at_least, claims["P11"].at_most)
    backward.set(xlabel="layer $a$", ylim=(0.7, 1.25))
    backward.set_ylabel(r"$\|B D_L W_L \cdots D_a W_a\| / \sqrt{m}$")
    least = claims["P11"].rows(table).width.min()
    style.judged(backward, findings["P11"], f"$m \\geq {least}$, worst\nmedian {{}}", (0.03, 0.08))
    style.corner(backward, f"{flat.seed.nunique()} trials", "upper left")

    style.title(product, "f", "products of layers grow as the square root of their number")
    products = table[table.study == "product"]
    curve = style.curve(product, products, "layer", "value", style.measured(0), None)
    line = curve["median"].iloc[0] * np.sqrt(curve.layer / curve.layer.iloc[0])
    product.plot(curve.layer, line, **style.THEORY)
    product.set(xscale="log", yscale="log", xlabel="number of layers")
    product.set_ylabel(r"$\|W_b D_{b-1} \cdots D_a W_a\|_2$")
    style.ticks(product, curve.layer)
    style.plain_ticks(product, "y")
    judged(product, findings, "P11b", "slope", (0.97, 0.09))
    note = f"$m = {products.width.iloc[0]}$,\n{products.seed.nunique()} networks"
    style.corner(product, note, "upper left")
    style.legend_below(fig)
    return fig, [*drawn, curve]


if __name__ == "__main__":
    study.main(judge, draw)
