"""Judge the claims of Zhong, Song & Dhillon from the tables of their steps."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from cnntheory.stats import bootstrap, log_log_slope, sign_test
from workflow.scripts import step, verdicts
from workflow.scripts.verdicts import Measured, exactly

KINKED = ("relu", "leaky_relu", "squared_relu")
ODD = ("sigmoid", "tanh", "erf")
LEVEL = 0.95
RECOVERED = 0.01  # largest relative error of a kernel


def rho_values(table):
    rho = table[table.quantity == "rho"]
    curves = {name: rows.set_index("sigma").value for name, rows in rho.groupby("activation")}
    square = curves["squared_relu"]
    return {
        "Z1-relu": exactly((curves["relu"] - (1 / 4 - 1 / (2 * np.pi))).abs().max()),
        "Z1-square": exactly(float(log_log_slope(square.index, square.to_numpy()))),
        "Z1-tanh": exactly(curves["tanh"].idxmax()),
        "Z1x": exactly(
            max(curves[name].min() for name in ("linear", "quadratic")),
            note=f"Quadratic: {curves['quadratic'].min():.3g}.",
        ),
    }


def slopes(rows, x, y, by):
    """Log-log slopes of `y` against `x`, one for every group."""
    return rows.groupby(by)[[x, y]].apply(lambda g: log_log_slope(g[x], g[y].to_numpy()))


def spectrum(table):
    by = ["activation", "seed"]
    patches = table[table.study == "patches"]
    far = patches[patches.patches >= 64]
    kinked = far.activation.isin(KINKED)
    least = slopes(patches, "patches", "smallest", by)
    seeds = patches.seed.nunique()
    bound = table[table.study == "bound"]
    ratio = bound.smallest / bound.bound
    plain = ratio / bound.kappa_lambda
    flat = table[table.study == "orthonormal"]
    exact = flat[flat.activation.isin(["relu", "leaky_relu", "sigmoid"])]
    tilt = slopes(table[table.study == "parallel"], "kappa", "smallest", "activation")
    size = table[table.study == "size"].groupby(by)[["smallest", "largest"]]
    many = flat[flat.kernels >= 3]
    growth = np.maximum(
        slopes(many, "kernels", "smallest", "activation").abs(),
        slopes(many, "kernels", "largest", "activation") - 0.95,
    )
    lost = {
        case: (rows.smallest / rows.largest)
        for case, rows in table[table.study.isin(["duplicated", "rank 2"])].groupby("study")
    }
    return {
        "Z2": exactly((least - 1).abs().max(), seeds=seeds),
        "Z2b": exactly(
            (slopes(far[kinked], "patches", "largest", by) - 2).abs().max(), seeds=seeds
        ),
        "Z2c": exactly(
            (slopes(far[~kinked], "patches", "largest", by) - 1).abs().max(), seeds=seeds
        ),
        "Z3": exactly(ratio.min(), seeds=bound.seed.nunique()),
        "Z3b": exactly((exact.smallest / exact.bound - 1).abs().max()),
        "Z3x": exactly(plain.min(), seeds=bound.seed.nunique()),
        "Z4-relu": exactly((tilt[["relu", "leaky_relu"]] + 3).abs().max()),
        "Z4-square": exactly(abs(tilt["squared_relu"] + 5)),
        "Z4-odd": exactly((tilt[list(ODD)] + 2).abs().max()),
        "Z5": exactly((size.max() / size.min() - 1).max().max(), seeds=seeds),
        "Z5b": exactly(growth.max()),
        "N2": exactly(lost["duplicated"].abs().max(), seeds=seeds),
        "N2b": exactly(lost["rank 2"].min(), seeds=seeds),
    }


def half_sample(rows):
    """n at which lambda_min reaches half the population's value, a number a seed."""

    def first(curve):
        share = (curve.smallest / curve.population).to_numpy()
        i = int((share >= 0.5).argmax())
        if share[i] < 0.5 or i == 0:
            return np.nan
        ends = slice(i - 1, i + 1)
        return np.exp(np.interp(0.5, share[ends], np.log(curve.samples.iloc[ends])))

    columns = ["samples", "smallest", "population"]
    return rows.sort_values("samples").groupby("seed")[columns].apply(first)


def sample_hessian(table, rng):
    # The cell where all activations are measured.
    counts = table.groupby(["patch_size", "kernels", "patches"]).activation.nunique()
    cell = dict(zip(("patch_size", "kernels", "patches"), counts.idxmax(), strict=True))
    main = table[(table[list(cell)] == list(cell.values())).all(axis=1)]
    seeds = main.seed.nunique()
    large = main[main.samples >= 5000]
    groups = [rows for _, rows in large.groupby(["activation", "samples"])]
    worst = []
    for rows in groups:
        ratio = (rows.smallest / rows.population).to_numpy()

        def gap(values, axis):
            return abs(np.median(values, axis=axis) - 1)

        low, high = bootstrap(ratio, rng, gap, level=1 - (1 - LEVEL) / len(groups))
        worst.append(Measured(gap(ratio, 0), low, high, seeds))

    growth = table[(table.activation == "squared_relu") & (table.kernels == 2)]
    growth = growth.sort_values("samples")

    def slope(axis, fixed):
        rows = growth[growth[fixed[0]] == fixed[1]]
        columns = ["seed", "samples", "smallest", "population"]
        halves = rows.groupby(axis)[columns].apply(half_sample)
        values = halves.unstack("seed") if halves.index.nlevels > 1 else halves
        x, y = values.index.to_numpy(), values.to_numpy().T

        def measure(draws, axis):
            return float(log_log_slope(x, np.median(draws, axis=axis)))

        return Measured(measure(y, 0), *bootstrap(y, rng, measure), len(y))

    few = main[main.samples < main.patch_size * main.kernels]
    return {
        "Z6": max(worst),
        "Z6b": slope("patch_size", ("patches", 2)),
        "Z6c": slope("patches", ("patch_size", 8)),
        "N3-hessian": exactly((few.smallest / few.population).max(), seeds=seeds),
    }


def basin(table):
    seeds = table.seed.nunique()
    odd = table[table.activation.isin(ODD)]

    def at(rows, radius):
        return rows[np.isclose(rows.radius, radius)]

    bounded = at(table[table.activation.isin(["tanh", "erf"])], 0.2)
    relu = table[(table.activation == "relu") & (table.radius <= 0.8)]
    tenth = at(odd, 0.1).groupby("activation").smallest.apply(lambda v: (v > 0).mean())
    return {
        "Z7": exactly(
            (at(odd, 0.05).smallest > 0).mean(),
            seeds=seeds,
            note="At 0.1: "
            + ", ".join(f"{name} {share:.0%}" for name, share in tenth.items())
            + ".",
        ),
        "Z7b": exactly(
            (bounded.groupby(["activation", "seed"]).smallest.min() < 0).mean(), seeds=seeds
        ),
        "Z7c": exactly((relu.smallest > 0).mean(), seeds=seeds),
        "Z7x": exactly((at(odd, 0.8).smallest > 0).mean(), seeds=seeds),
    }


def descent(table, rng):
    local, again = table[table.study == "local"], table[table.study == "resampled"]
    seeds = local.seed.nunique()
    rates = []
    groups = list(local.groupby("activation"))
    for _, rows in groups:
        ratio = (rows.measured_rate / rows.predicted_rate).to_numpy()
        low, high = bootstrap(ratio, rng, level=1 - (1 - LEVEL) / len(groups))
        rates.append(Measured(np.median(ratio), low, high, seeds))
    good = local.monotone & (local.end_error < 1e-12) & (local.straightness > 0.999)
    squared = (1 - (1 - again.measured_rate) ** 2) / again.predicted_rate
    control = table[table.study == "control"]
    few = table[table.study == "few"]
    found = {
        "Z8": max(rates, key=lambda rate: abs(rate.value - 1)),
        "Z8b": exactly(good.mean(), seeds=seeds),
        "Z8c": exactly(squared.min(), seeds=seeds),
        "N3": exactly(
            (few.max_error <= 0.01).mean(),
            seeds=seeds,
            shown=(few.end_loss.median(), "0 (median loss)"),
        ),
    }
    k, t = few.patch_size.iloc[0], few.kernels.iloc[0]
    null = {"linear": k * t - k, "quadratic": t * (t - 1) // 2}
    for activation, rows in control.groupby("activation"):
        found[f"N1-{activation}"] = exactly(
            (rows.end_error < 1e-12).mean(),
            seeds=seeds,
            shown=(rows.null_directions.median(), f"{null[activation]} (null directions)"),
            note=f"Largest loss at the end {rows.end_loss.max():.1g}, "
            f"least error of a kernel {rows.max_error.min():.2g}.",
        )
    return found


def tensor(size, patches, order, law, rng):
    size = size[size.samples >= 16_000]
    seeds = size.seed.nunique()
    by_size = size.pivot(index="seed", columns=["patch_size", "samples"], values="distance")
    large = by_size.median()[lambda error: error.index.get_level_values("patch_size") >= 10]
    level = large.index.get_level_values
    scaled = large**2 * level("samples") / level("patch_size")
    wide = patches.pivot(index=["samples", "seed"], columns="patches", values="distance")
    better = (wide[wide.columns.min()] - wide[wide.columns.max()]).groupby("samples")
    tests = [sign_test(rows) for _, rows in better]
    found = {
        "Z9": falling(by_size, rng),
        "Z9b": exactly(scaled.max() / scaled.min(), seeds=seeds),
        "Z9c": exactly(
            min(max(p for *_, p in tests) * len(tests), 1.0),
            seeds=patches.seed.nunique(),
            note="Smaller in "
            + ", ".join(f"{wins} of {pairs}" for wins, pairs, _ in tests)
            + " pairs.",
        ),
    }
    for activation, rows in order[~order.usual].groupby("activation"):
        wide = rows.pivot(index="seed", columns="samples", values="distance")
        least = rows.groupby("samples").max_error.median().min()
        found[f"N4-{activation}"] = falling(wide, rng)._replace(
            shown=(least, ">= 0.8 (least median error)")
        )
    square = law[law.activation == "squared_relu"]
    for name, rows in square.groupby("law"):
        wide = rows.pivot(index="seed", columns="samples", values="distance").to_numpy()
        interval = bootstrap(wide, rng, shrinkage)
        control = "N5" if name == "gaussian" else f"N5-{name}"
        found[control] = Measured(shrinkage(wide, 0), *interval, len(wide))
    return found


def falling(wide, rng):
    """Log-log slope of the median error against n, bootstrapped over the seeds.

    With several patch sizes among the columns the mean of their slopes.
    """
    samples = wide.columns.get_level_values("samples").unique().to_numpy()

    def measure(rows, axis):
        medians = np.median(rows, axis=axis).reshape(-1, len(samples))
        return float(log_log_slope(samples, medians).mean())

    values = wide.to_numpy()
    return Measured(measure(values, 0), *bootstrap(values, rng, measure), len(values))


def shrinkage(rows, axis):
    """Median error at the largest n over that at the smallest."""
    median = np.median(rows, axis=axis)
    return median[-1] / median[0]


def half_recovered(shares):
    """n at which half of the runs recover, by interpolation in log n; shares a row a patch size."""
    samples = np.log(shares.columns.to_numpy())
    return np.exp([np.interp(0.5, row, samples) for row in shares.to_numpy()])


def recovery(judged, local, tanh, rng):
    recovered = local.assign(good=local.max_error <= RECOVERED)
    wide = recovered.pivot(index="seed", columns=["patch_size", "samples"], values="good")
    columns = wide.columns

    def measure(rows, axis):
        shares = pd.Series(rows.mean(axis=axis), index=columns).unstack("samples")
        # Shares rise with n but for sampling noise: interpolation needs them monotone.
        shares = shares.cummax(axis=1)
        return float(log_log_slope(shares.index, half_recovered(shares)))

    values = wide.to_numpy(dtype=float)
    good = judged.assign(good=judged.max_error <= RECOVERED)
    shares = good[good.samples >= 4000].groupby(["patch_size", "samples"]).good.mean()
    other = tanh[tanh.start == "tensor"]
    other = (other.max_error <= RECOVERED).groupby(other.samples).mean()
    return {
        "Z10": Measured(measure(values, 0), *bootstrap(values, rng, measure), len(values)),
        "Z10b": exactly(
            shares.min(),
            seeds=judged.seed.nunique(),
            note="tanh: "
            + ", ".join(f"{share:.0%} at n = {n}" for n, share in other.items())
            + ".",
        ),
    }


def starts(hard, easy):
    def fisher(table):
        good = (table.max_error <= RECOVERED).groupby(table.start).agg(["sum", "size"])
        counts = [
            [int(good["sum"][s]), int((good["size"] - good["sum"])[s])]
            for s in ("tensor", "random")
        ]
        shares = ", ".join(
            f"{start} {share:.0%}" for start, share in (good["sum"] / good["size"]).items()
        )
        p_value = stats.fisher_exact(counts, alternative="greater").pvalue
        return exactly(p_value, seeds=table.seed.nunique(), note=f"Recovered: {shares}.")

    return {"Z11": fisher(hard), "Z11x": fisher(easy)}


def run():
    args = step.arguments(
        __doc__, ["verdicts"], tables=Path, claims=Path, scale=str, figures=str, seed=int
    )

    def table(name):
        return step.read_table(args.tables / f"{name}.parquet")

    rng = step.generator(args.seed, "judge", "bootstrap", 0)
    found = {
        **rho_values(table("rho")),
        **spectrum(table("spectrum")),
        **sample_hessian(table("sample_hessian"), rng),
        **basin(table("basin")),
        **descent(table("gd"), rng),
        **tensor(*(table(f"tensor_{study}") for study in ("size", "patches", "order", "law")), rng),
        **recovery(*(table(f"recovery_{study}") for study in ("judged", "local", "tanh")), rng),
        **starts(table("starts_relu_12"), table("starts_erf_5")),
    }
    rows = verdicts.judge("zhong2017", args.claims, found, args.scale, args.figures)
    verdicts.write(rows, args.verdicts)


if __name__ == "__main__":
    step.main(run)
