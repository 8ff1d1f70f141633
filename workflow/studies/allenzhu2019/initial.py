"""P9, P11: norms forward and backward at initialisation, and spectral norms of products."""

import numpy as np
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
        "P9": rms_slope(rows["P9"], "width", rng),
        "P9b": rms_slope(rows["P9b"], "layer", rng),
        "P9c": farthest(rms_ratios(rows["P9c"], rng), claims["P9c"], "m = {}, l = {}."),
        "P9x": rms_slope(rows["P9x"], "width", rng),
        "P11": farthest(backward, claims["P11"], "m = {}, a = {}."),
        "P11b": slope(rows["P11b"], "depth", "value", rng),
        "deviations": deviations(rows["P9c"]),
    }


def squares(rows):
    """Squares of log ||h_l||^2, ``(seeds, widths, layers)``, and the two axes."""
    wide = rows.pivot(index="seed", columns=["width", "layer"], values="value")
    wide = wide.sort_index(axis=1)
    axes = [wide.columns.get_level_values(name).unique().to_numpy() for name in wide.columns.names]
    return (2 * np.log(wide.to_numpy())).reshape(-1, *map(len, axes)) ** 2, *axes


def rms_slope(rows, axis, rng):
    """Log-log slope of the rms in the width or in l + 1, the mean over the other one."""
    found, widths, layers = squares(rows)
    x = widths if axis == "width" else layers + 1

    def statistic(draws, axis=0):
        rms = np.sqrt(draws.mean(axis=0))
        return float(log_log_slope(x, rms.T if x is widths else rms).mean())

    interval = bootstrap(found, rng, statistic)
    return Measured(statistic(found), *interval, len(found), data_of(rows))


def predicted(widths, layers):
    """Lemma 7.1 with the variance of a sum of l + 1 independent terms."""
    return np.sqrt(5 * (layers + 1) / widths)


def rms_ratios(rows, rng):
    """Measured over predicted rms of every cell (m, l), at a level divided among them."""
    found, widths, layers = squares(rows)
    expected = predicted(widths[:, None], layers)

    def ratio(draws, axis=0):
        return np.sqrt(draws.mean(axis=0)) / expected

    ratios = ratio(found)
    low, high = bootstrap(found, rng, ratio, level=1 - (1 - LEVEL) / expected.size)
    return {
        (widths[at[0]], layers[at[1]]): Measured(
            ratios[at], low[at], high[at], len(found), data_of(rows)
        )
        for at in np.ndindex(expected.shape)
    }


def deviations(rows):
    """rms(log ||h_l||^2) of every cell with its 95 % error, and the prediction."""
    cells = rows.assign(square=(2 * np.log(rows.value)) ** 2).groupby(["width", "layer"]).square
    spread = cells.agg(["mean", "sem"]).reset_index()
    spread["rms"] = np.sqrt(spread["mean"])
    # Delta method: half the standard error of the mean square over the root mean square.
    spread["error"] = 1.96 * spread["sem"] / (2 * spread.rms)
    spread["predicted"] = predicted(spread.width, spread.layer)
    return spread


def draw(findings, tables):
    table = tables["initial"]
    fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 4.6), layout="constrained")
    (in_width, in_layer), (backward, product) = axes
    for letter, axis in zip("abcd", axes.flat, strict=True):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")

    rows = table[(table.study == "norms") & (table.variance == 2)]
    spread = findings["deviations"]
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
    in_width.plot([], [], label=r"$\sqrt{5(l+1)/m}$", **style.THEORY)
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
    seeds = rows.seed.nunique()
    in_width.set_title(f"{seeds} networks, 95 % intervals")

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
