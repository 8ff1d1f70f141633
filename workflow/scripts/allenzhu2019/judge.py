"""Judge the claims of Allen-Zhu, Li & Song from the tables of their steps."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from cnntheory.stats import bootstrap, clustered_slope, log_log_slope, wilson
from workflow.scripts import step, verdicts
from workflow.scripts.verdicts import Measured, exactly

LEVEL = 0.95
WIDE = 256  # from here on the theorems' rates are judged
RECORDED = 128  # from here on the exponents in m are judged
FIRST_DROP = 21  # epochs before it are the early panels of P16


def median(values, rng, data, level=LEVEL):
    """Median over trials ``(seeds, ...)`` with a bootstrap that draws whole seeds."""

    def over_all(draws, axis):
        return np.median(draws)

    values = np.asarray(values)
    return Measured(
        np.median(values), *bootstrap(values, rng, over_all, level=level), len(values), data
    )


def by_seed(rows, column):
    """``(seeds, subsets)`` values of one setting."""
    return rows.pivot(index="seed", columns="subset", values=column).to_numpy()


def slope(rows, x, y, rng, **more):
    """Log-log slope over all rows, clusters are seeds and trials have their own intercept."""
    trial = (
        rows.seed if "subset" not in rows else rows.seed.astype(str) + "/" + rows.subset.astype(str)
    )
    found = clustered_slope(rows[x], rows[y], rows.seed, rng, trial)
    return Measured(*found, rows.seed.nunique(), rows.data.iloc[0], **more)


def medians_by(rows, key, column, rng):
    """Median of `column` for every value of `key`, at a level divided among them."""
    groups = list(rows.groupby(key))
    level = 1 - (1 - LEVEL) / len(groups)
    return {
        name: median(by_seed(part, column), rng, part.data.iloc[0], level) for name, part in groups
    }


def farthest(found, centre, note="At m = {}."):
    """Of several medians the one farthest from `centre`, with its name in the note."""
    name, worst = max(found.items(), key=lambda item: abs(item[1].value - centre))
    return worst._replace(note=note.format(name))


def least(found, note="At m = {}."):
    name, worst = min(found.items(), key=lambda item: item[1].value)
    return worst._replace(note=note.format(name))


def gradient_descent(table, rng):
    """P1, P4, P12-P14."""
    data = table.data.iloc[0]
    usual, small = (table[table.scaling == scaling] for scaling in ("usual", "small"))
    table = usual.assign(
        rate_ratio=usual.measured_rate / usual.predicted_rate,
        edge=usual.least_ratio / (2 * usual.lambda_min),
        top=usual.greatest_ratio / (2 * usual.lambda_max),
        length=usual.movement / usual.predicted_movement,
    )
    wide = table[table.width >= WIDE]
    recorded = table[table.width >= RECORDED]
    narrow = table[table.width == table.width.min()]
    seeds = wide.seed.nunique()
    edges = wide.groupby("width").least_ratio.median()
    changes = {
        name: slope(recorded, "width", name, rng)
        for name in ("gradient_change", "kernel_change", "linear_gap")
    }
    free = {
        name: slope(small, "width", name, rng)
        for name in ("movement", "kernel_change", "linear_gap")
    }
    return {
        "P1": least(medians_by(wide, "width", "straightness", rng)),
        "P1b": farthest(medians_by(wide, "width", "rate_ratio", rng), 1),
        "P1c": exactly(wide.rate_ratio.min(), seeds=seeds, data=data),
        "P1x": exactly(
            (narrow.measured_rate / narrow.limit_rate).min(),
            seeds=narrow.seed.nunique(),
            data=data,
            note=f"Largest {(narrow.measured_rate / narrow.limit_rate).max():.2g}.",
        ),
        "P4": least(medians_by(wide, "width", "edge", rng)),
        "P4b": exactly(wide.edge.min(), seeds=seeds, data=data),
        "P4c": exactly(wide.top.max(), seeds=seeds, data=data),
        "P4d": edge_spread(wide, rng, edges),
        "P12": slope(recorded, "width", "spectral_movement", rng),
        "P12b": slope(recorded, "width", "movement", rng),
        "P12c": farthest(medians_by(wide, "width", "length", rng), 1.05),
        "P12x": free["movement"],
        "P13": changes["gradient_change"],
        "P13b": changes["kernel_change"],
        "P13c": max(
            (changes[name] for name in ("gradient_change", "kernel_change")),
            key=lambda found: found.value,
        ),
        "P13x": free["kernel_change"],
        "P14": changes["linear_gap"],
        "P14x": free["linear_gap"],
    }


def edge_spread(wide, rng, edges):
    """Largest over least of the widths' median lower edges."""
    groups = [by_seed(rows, "least_ratio") for _, rows in wide.groupby("width")]

    def spread(parts):
        values = [np.nanmedian(part) for part in parts]
        return max(values) / min(values)

    replicas = [
        spread([part[rng.integers(len(part), size=len(part))] for part in groups])
        for _ in range(2000)
    ]
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(replicas, [tail, 100 - tail])
    note = "Median edge " + ", ".join(f"{edge:.2f} (m = {m})" for m, edge in edges.items()) + "."
    return Measured(spread(groups), low, high, min(map(len, groups)), wide.data.iloc[0], note=note)


def stochastic(table, rng):
    """P2."""
    usual, long = (table[table.study == study] for study in ("sgd", "long"))
    seeds, data = usual.seed.nunique(), table.data.iloc[0]
    straight = medians_by(usual, "batch", "straightness", rng)
    return {
        "P2": least(straight, "At b = {}."),
        "P2b": exactly(usual.end_loss.max(), seeds=seeds, data=data),
        "P2x": exactly(
            np.clip(long.end_loss.median(), None, 1e99),
            seeds=seeds,
            data=data,
            note=f"{(long.end_loss > 1).mean():.0%} of the runs end above their start.",
        ),
    }


def times(samples, pairs, wide_pairs, rng):
    """P3."""
    narrow = pairs[pairs.depth == wide_pairs.depth.min()]
    both = pd.concat([narrow, wide_pairs])
    both = both.assign(
        slowdown=both.iterations / both.kernel_iterations,
        reach=both.spectral_movement / both.separation**1.5,
    )
    seeds = both.seed.nunique()
    wide = wide_pairs.drop(columns="subset")
    gaps = (
        both.pivot_table(index=["seed", "delta"], columns="width", values="slowdown")
        .pipe(np.log)
        .dropna()
    )
    gap = (gaps[gaps.columns.min()] - gaps[gaps.columns.max()]).unstack("delta")

    clusters = [rows[["reach", "slowdown"]].to_numpy() for _, rows in both.groupby("seed")]

    def spearman(picks, axis=0):
        rows = np.concatenate([clusters[i] for i in picks])
        return stats.spearmanr(rows[:, 0], rows[:, 1]).statistic

    everyone = np.arange(seeds)
    near, far = both[both.reach < 0.2], both[both.reach > 0.5]
    return {
        "P3-samples": slope(samples, "samples", "iterations", rng),
        "P3-delta": slope(wide, "delta", "iterations", rng),
        "P3-kernel": slope(wide, "delta", "kernel_iterations", rng),
        "P3-gap": median(gap.to_numpy(), rng, "synthetic"),
        "P3b": Measured(spearman(everyone), *bootstrap(everyone, rng, spearman), seeds),
        "P3c": exactly(
            near.slowdown.max() if len(near) else np.nan,
            seeds=near.seed.nunique(),
            note=f"{len(near)} runs.",
        ),
        "P3x": exactly(
            far.slowdown.median() if len(far) else np.nan,
            seeds=far.seed.nunique(),
            note=f"Median of {len(far)} runs.",
        ),
    }


def success(table):
    """P3-width, N2."""
    rows = table[table.samples == 20]
    counts = rows.groupby("width").converged.agg(["sum", "size"])

    def share(width, part, trials):
        return Measured(
            part / trials, *wilson(part, trials), trials, rows.data.iloc[0], note=f"m = {width}."
        )

    wide = counts[counts.index >= 64]
    width = (wide["sum"] / wide["size"]).idxmin()
    return {
        "P3-width": share(width, *wide.loc[width]),
        "N2x": share(counts.index.min(), *counts.loc[counts.index.min()]),
    }


def semismoothness(table, rng):
    """P5."""
    bound = table.kink_term + table.smooth_term
    factor = np.sqrt(table.width * np.log(table.width))
    free = table.kink_term / factor + table.smooth_term / table.width
    seeds, data = table.seed.nunique(), table.data.iloc[0]
    middle = table.groupby(["seed", "perturbation", "omega"]).residual.apply(
        lambda part: np.median(part.abs())
    )
    middle = middle.reset_index().assign(data=data)
    kinds = [rows for _, rows in middle.groupby("perturbation")]
    slopes = {rows.perturbation.iloc[0]: slope(rows, "omega", "residual", rng) for rows in kinds}
    return {
        "P5": exactly((table.residual / bound).max(), seeds=seeds, data=data),
        "P5b": farthest(slopes, 1.65, "For {}."),
        "P5c": exactly((table.residual >= 0).mean(), seeds=seeds, data=data),
        "P5x": exactly((table.residual / free).max(), seeds=seeds, data=data),
    }


def perturbed(omega, depth, variance, rng):
    """P6-P8."""

    def kind(name, column):
        return slope(omega[omega.perturbation == name], "omega", column, rng)

    generic = {name: kind(name, "flipped") for name in ("gaussian", "gradient", "rank one")}
    flips = depth[depth.perturbation == "adversary"]
    flips = flips.assign(share=flips.most_flipped / (flips.omega ** (2 / 3) * flips.depth))
    shares = flips.groupby(["seed", "depth"]).share.median().unstack("depth")
    growth = (shares[shares.columns.max()] / shares[shares.columns.min()]).to_numpy()

    def in_depth(table, name):
        rows = table[table.perturbation == name].assign(subset=lambda r: r.omega)
        return slope(rows, "depth", "forward_change", rng)

    depths = {name: in_depth(depth, name) for name in depth.perturbation.unique()}
    steepest = max(depths, key=lambda name: depths[name].value)
    return {
        "P6": kind("adversary", "flipped"),
        "P6b": farthest(generic, 1, "For the {} perturbation."),
        "P6c": median(growth[:, None], rng, depth.data.iloc[0]),
        "P6x": generic["gaussian"],
        "P7": kind("gradient", "forward_change"),
        "P7b": depths[steepest]._replace(note=f"For the {steepest} perturbation."),
        "P7x": in_depth(variance, "gradient"),
        "P8": kind("adversary", "backward_change"),
        "P8b": kind("gradient", "backward_change"),
        "P8c": kind("adversary", "gradient_change"),
        "P8d": kind("gradient", "gradient_change"),
        "P8x": kind("gradient", "backward_change"),
    }


def initialisation(table, rng):
    """P9, P11, N3b, N4."""
    data = table.data.iloc[0]
    norms = table[table.study == "norms"]
    usual, other = (norms[norms.variance == c] for c in (2.0, 1.0))

    def spreads(rows):
        """Squares of log ||h_l||^2, ``(seeds, widths, layers)``, and the two axes."""
        wide = rows.pivot(index="seed", columns=["width", "layer"], values="value")
        wide = wide.sort_index(axis=1)
        shape = [
            wide.columns.get_level_values(name).unique().to_numpy() for name in wide.columns.names
        ]
        return (2 * np.log(wide.to_numpy())).reshape(-1, *map(len, shape)) ** 2, *shape

    def rms_slope(rows, axis):
        squares, widths, layers = spreads(rows)
        x = widths if axis == "width" else layers + 1

        def statistic(draws, axis=0):
            rms = np.sqrt(draws.mean(axis=0))
            return float(log_log_slope(x, rms.T if x is widths else rms).mean())

        return Measured(statistic(squares), *bootstrap(squares, rng, statistic), len(squares), data)

    squares, widths, layers = spreads(usual)
    predicted = np.sqrt(5 * (layers + 1) / widths[:, None])

    def ratio(draws, axis=0):
        return np.sqrt(draws.mean(axis=0)) / predicted

    cells = predicted.size
    low, high = bootstrap(squares, rng, ratio, level=1 - (1 - LEVEL) / cells)
    found = ratio(squares)
    at = np.unravel_index(np.abs(found - 1).argmax(), found.shape)
    worst = Measured(
        found[at],
        low[at],
        high[at],
        len(squares),
        data,
        note=f"m = {widths[at[0]]}, l = {layers[at[1]]}.",
    )

    backward = table[table.study == "backward"]

    def flat(variance):
        rows = backward[(backward.variance == variance) & (backward.width >= WIDE)]
        groups = list(rows.groupby(["width", "layer"]))
        level = 1 - (1 - LEVEL) / len(groups)
        cells = {
            f"m = {m}, a = {a}": median(part.value.to_numpy()[:, None], rng, data, level)
            for (m, a), part in groups
        }
        return farthest(cells, 1, "{}.")

    products = table[table.study == "product"]
    variances = table[(table.study == "variances") & (table.layer == table.depth)]
    start = table[(table.study == "variances") & (table.layer == 0)]
    growth = variances.merge(start, on=["seed", "variance"], suffixes=("", "_0"))
    growth = growth.assign(growth=growth.value / growth.value_0, half=growth.variance / 2)
    residual = table[(table.study == "residual")]
    deepest = residual[residual.depth == residual.depth.max()]
    ends = {
        scale: median(rows.value.to_numpy()[:, None], rng, data)
        for scale, rows in deepest.groupby("skip_scale")
    }
    depth = deepest.depth.iloc[0]
    return {
        "P9": rms_slope(usual, "width"),
        "P9b": rms_slope(usual, "layer"),
        "P9c": worst,
        "P9x": rms_slope(other, "width"),
        "P11": flat(2.0),
        "P11b": slope(products, "depth", "value", rng),
        "P11x": flat(3.0),
        "N3b": slope(growth.drop(columns="subset", errors="ignore"), "half", "growth", rng),
        "N4x": ends["1"]._replace(note=f"L = {depth}."),
        "N4b": ends["1 / L"]._replace(note=f"L = {depth}."),
    }


def separation(table, rng):
    """P10."""
    widest = table[table.width == table.width.max()]
    widest = widest.assign(
        share=widest.value / (widest.separation / 2), match=widest.value / widest.predicted
    )
    near = widest[widest.layer <= 1 / widest.separation]
    # A layer beyond 1 / delta of some subsets only is judged on the others.
    shares = {
        layer: median(
            rows.groupby("seed").share.median().to_numpy()[:, None], rng, rows.data.iloc[0]
        )
        for layer, rows in near.groupby("layer")
    }
    matches = medians_by(widest[widest.layer <= 8], "layer", "match", rng)
    deepest = widest[widest.layer == widest.layer.max()]
    return {
        "P10": least(shares, "At layer {}."),
        "P10b": farthest(matches, 1, "At layer {}."),
        "P10x": median(by_seed(deepest, "share"), rng, deepest.data.iloc[0]),
    }


def classification(tables):
    """P15."""
    found = {}
    for network, table in tables.items():
        rows = table[(table.labels == "random") & (table.loss_function == "cross_entropy")]
        last = rows[rows.epoch > rows.groupby("width").epoch.transform("max") - 3]
        ends = last.groupby(["width", "seed"]).accuracy.min()
        for width, part in ends.groupby("width"):
            narrow = network == "fully" and width == min(table.width)
            epochs = rows[rows.width == width].epoch.max()
            found["P15x" if narrow else f"P15-{network}"] = exactly(
                part.max() if narrow else part.min(),
                seeds=len(part),
                data=table.data.iloc[0],
                note=f"m = {width}, {epochs} epochs.",
            )
    return found


def controls(table, rng):
    """N1, N3, P4x."""
    data = table.data.iloc[0]
    twice = table[table.study == "duplicates"]
    seeds = twice.seed.nunique()
    deep = table[table.study == "variances"]
    counts = deep.groupby("variance").converged.agg(["sum", "size"])
    broken = counts.loc[[0.5, 1.0, 4.0]]
    best = (broken["sum"] / broken["size"]).idxmax()

    def share(variance):
        part, trials = counts.loc[variance]
        return Measured(
            part / trials, *wilson(part, trials), trials, data, note=f"c = {variance:g}."
        )

    return {
        "P4x": median(by_seed(twice, "least_ratio"), rng, data),
        "N1x": exactly(
            twice.end_loss.min(),
            seeds=seeds,
            data=data,
            shown=(twice.plateau_ratio.median(), "1 (F over the closed form)"),
        ),
        "N1b": exactly((twice.plateau_ratio - 1).abs().max(), seeds=seeds, data=data),
        "N3x": share(best),
        "N3c": share(2.0),
    }


def landscapes(summary, compared, rng):
    """P16: what the gradient and the most negatively curved direction are worth."""
    trained = summary[summary.point == "trained"]
    saddle = summary[summary.point == "saddle"]
    data = trained.data.iloc[0]
    run = ["network", "labels", "seed"]
    runs = len(trained[run].drop_duplicates())
    early = trained[trained.epoch < FIRST_DROP]
    early = early.assign(
        square=early.square_curved / early.square_gradient,
        line=early.fall_curved / early.fall_gradient,
    )
    extra = (trained.square_best - trained.square_gradient) / trained.square_gradient
    last = compared.sort_values("products").groupby([*run, "method"]).last().unstack("method")
    lanczos = last.quotient.Lanczos
    kinks = last.kinked_quotient.Neon2 / lanczos
    beside = trained.merge(compared[[*run, "epoch"]].drop_duplicates()).set_index(run)
    share = last.fall_curved.Neon2 / beside.fall_gradient

    squares = early.pivot(index=run, columns="epoch", values="square").to_numpy()
    lines = early.pivot(index=run, columns="epoch", values="line").to_numpy()
    over = int((squares > 0.5).sum())
    worst = (saddle.fall_curved / saddle.loss).min()
    return {
        "P16": exactly((trained.fall_gradient / trained.loss).min(), seeds=runs, data=data),
        "P16b": exactly(
            squares.max(),
            seeds=runs,
            data=data,
            note=f"{over} of {squares.size} exceed one half. The best point of a square gains at "
            f"most {extra.max():.2g} of the gradient's decrease on top of it, median "
            f"{extra.median():.2g}.",
        ),
        "P16c": median(squares, rng, data)._replace(
            note=f"At any distance along the lines: median {np.median(lines):.2g}, largest "
            f"{lines.max():.2g}."
        ),
        # A value that is not negative counts as not found.
        "P16d": exactly(
            (early.ritz_residual / (-early.smallest).clip(lower=0)).max(), seeds=runs, data=data
        ),
        "P16e": exactly(
            (last.quotient.Oja / lanczos).min(),
            seeds=len(last),
            data=data,
            note=f"Cosine at least {last.cosine.Oja.min():.2g}.",
        ),
        "P16f": exactly(
            share.max(),
            seeds=len(last),
            data=data,
            note=f"Its curvature is {kinks.min():.2g} times Lanczos's or more.",
        ),
        "P16x": exactly(
            (saddle.fall_gradient / saddle.loss).max(),
            seeds=len(saddle),
            data=data,
            shown=(worst, "decrease along the curved direction / F"),
        ),
    }


def run():
    args = step.arguments(
        __doc__, ["verdicts"], tables=Path, claims=Path, scale=str, figures=str, seed=int
    )

    def table(name):
        return step.read_table(args.tables / f"{name}.parquet")

    rng = step.generator(args.seed, "judge", "bootstrap", 0)
    descent = pd.concat(
        table(f"gd_{study}") for study in ("narrow", "w512", "w1024", "w2048", "small")
    )
    found = {
        **gradient_descent(descent, rng),
        **stochastic(table("sgd"), rng),
        **times(*(table(f"times_{study}") for study in ("samples", "pairs", "wide_pairs")), rng),
        **success(table("success")),
        **semismoothness(table("semismoothness"), rng),
        **perturbed(
            *(table(f"perturbed_{study}") for study in ("omega", "depth", "variance")), rng
        ),
        **initialisation(table("initial"), rng),
        **separation(table("separation"), rng),
        **classification(
            {name: table(f"classification_{name}") for name in ("fully", "conv", "res")}
        ),
        **controls(table("controls"), rng),
        **landscapes(
            pd.concat(
                table(f"landscape_{cell}_summary")
                for cell in (
                    "resnet_true",
                    "resnet_true_seeds",
                    "resnet_noisy",
                    "plain_true",
                    "plain_noisy",
                )
            ),
            pd.concat(
                table(f"landscape_{cell}_curvature") for cell in ("resnet_true", "plain_noisy")
            ),
            rng,
        ),
    }
    rows = verdicts.judge("allenzhu2019", args.claims, found, args.scale, args.figures)
    verdicts.write(rows, args.verdicts)


if __name__ == "__main__":
    step.main(run)
