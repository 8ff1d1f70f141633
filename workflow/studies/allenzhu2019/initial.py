"""P9, P11: norms forward and backward at initialisation, and spectral norms of products."""

import numpy as np
import pandas as pd
from matplotlib.ticker import NullFormatter

from cnntheory.stats import bootstrap, log_log_slope
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import (
    LEVEL,
    data_of,
    farthest,
    medians_by,
    slope,
)
from workflow.studies.verdicts import Measured


def judge(tables, claims, rng):
    table = tables["initial"]
    rows = {name: claim.rows(table) for name, claim in claims.items()}
    backward = medians_by(rows["P11"], ["width", "layer"], "value", rng)
    return {
        "P9": farthest(width_slopes(rows["P9"], rng), claims["P9"], "In layer {}."),
        "P9b": layer_slope(rows["P9b"], rng),
        "P9c": farthest(rms_ratios(rows["P9c"], rng), claims["P9c"], "m = {}, l = {}."),
        "P9d": farthest(growth_ratios(rows["P9d"], rng), claims["P9d"]),
        "P9x": farthest(width_slopes(rows["P9x"], rng), claims["P9x"], "In layer {}."),
        "P11": farthest(backward, claims["P11"], "m = {}, a = {}."),
        "P11b": slope(rows["P11b"], "depth", "value", rng),
        "deviations": deviations(rows["P9c"]),
        "networks": deviations(rows["P9d"]),
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
    table = tables["initial"]
    fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 4.6), layout="constrained")
    (in_width, in_layer), (backward, product) = axes
    for letter, axis in zip("abcd", axes.flat, strict=True):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")

    spread, whole = findings["deviations"], findings["networks"]
    layers = [layer for layer in (0, 3, spread.layer.max()) if layer in set(spread.layer)]
    for axis, x, key, values in (
        (in_width, "width", "layer", layers),
        (in_layer, "layer", "width", sorted(spread.width.unique())),
    ):
        for i, value in enumerate(values):
            part = spread[spread[key] == value]
            at = part[x] + (x == "layer")
            axis.errorbar(
                at,
                part.rms,
                part.error,
                color=style.COLOURS[i],
                marker=style.MARKERS[i],
                linestyle="",
                capsize=2,
                label=f"$l = {value}$" if key == "layer" else f"$m = {value}$",
            )
            axis.plot(at, part.predicted, **style.THEORY)
            if key == "width":  # beside the direct draws, a few per cent to the right
                part = whole[whole.width == value]
                axis.errorbar(
                    1.06 * (part.layer + 1),
                    part.rms,
                    part.error,
                    color=style.COLOURS[i],
                    marker=style.MARKERS[i],
                    fillstyle="none",
                    linestyle="",
                    linewidth=0.7,
                )
    in_width.plot([], [], label="exact law", **style.THEORY)
    widths = sorted(spread.width.unique())
    in_width.set(xscale="log", yscale="log", xlabel="width $m$")
    in_width.set_xticks(widths, widths)
    in_width.minorticks_off()
    in_layer.set(xscale="log", yscale="log", xlabel="$l + 1$, layer plus one")
    ticks = [x for x in (1, 2, 3, 5, 9) if x <= spread.layer.max() + 1]
    in_layer.set_xticks(ticks, ticks)
    in_layer.minorticks_off()
    for axis in (in_width, in_layer):
        axis.set_ylabel(r"rms of $\log \|h_l\|^2$")
        axis.set_yticks([0.1, 0.2, 0.5], ["0.1", "0.2", "0.5"])
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.legend(ncols=2, loc="upper left" if axis is in_layer else "upper right")
        axis.set_ylim(top=1.2 * axis.get_ylim()[1])
    in_width.set_title(f"{spread.draws[0]} draws, 95 % intervals")
    in_layer.set_title(f"open: {whole.draws[0]} networks")

    flat = table[(table.study == "backward") & (table.variance == 2)]
    medians = []
    for i, (width, part) in enumerate(flat.groupby("width")):
        drawn = style.curve(backward, part, "layer", "value", i, f"$m = {width}$", markers=True)
        medians.append(drawn)
    backward.axhline(1, **style.THEORY)
    backward.set(
        xlabel="layer $a$", ylabel=r"$\|B D_L W_L \cdots D_a W_a\| / \sqrt{m}$", ylim=(0.8, 1.2)
    )
    backward.legend(ncols=2)
    backward.set_title(f"{flat.seed.nunique()} networks")

    products = table[table.study == "product"]
    drawn = style.curve(product, products, "layer", "value", 0, "measured", markers=True)
    first = drawn.iloc[0]
    product.plot(
        drawn.layer,
        first["median"] * np.sqrt(drawn.layer / first.layer),
        label="slope 1/2",
        **style.THEORY,
    )
    product.set(
        xscale="log",
        yscale="log",
        xlabel="number of layers",
        ylabel=r"$\|W_b D_{b-1} \cdots D_a W_a\|_2$",
    )
    product.set_xticks(drawn.layer, [f"{layer:g}" for layer in drawn.layer])
    product.set_yticks([4, 8, 16], ["4", "8", "16"])
    product.minorticks_off()
    product.legend()
    product.set_title(f"$m = {products.width.iloc[0]}$, {products.seed.nunique()} networks")
    return fig, [spread, *medians, drawn]


if __name__ == "__main__":
    study.main(judge, draw)
