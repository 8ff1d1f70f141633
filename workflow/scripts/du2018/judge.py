"""Judge the claims of Du, Lee & Tian from the tables of their steps.

One function a group of claims; each reads its table and returns what the criteria in
``workflow/claims/du2018.yaml`` speak of.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from cnntheory.stats import bootstrap, log_log_slope, sign_test, wilson
from workflow.scripts import step, verdicts
from workflow.scripts.verdicts import Measured, exactly

LEVEL = 0.95
ORDERED_SIGMAS = 1.0  # Figure 3a: the order is claimed up to here; beyond, the levels merge
ORDER_TOLERANCE = {"fig3a": 0.1, "fig3b": 0.02}
CONVERGED = -2.0  # relative loss of a run that did not die or diverge


def gradients(table):
    exact = table[table.identity != "wrong region left out"]
    broken = table[table.identity == "wrong region left out"]
    seeds = table.seed.nunique()
    return {
        "1": exactly(exact.absolute_error.max(), seeds=seeds),
        "1x": exactly(broken.absolute_error.median(), seeds=seeds),
    }


def smoothness(table):
    table = table.assign(difference=table.rayleigh_quotient - table.closed_form)
    cells = table.groupby(["law", "dimension", "quantity", "phi"]).difference
    seeds = table.seed.nunique()
    error = cells.std() / np.sqrt(seeds)
    deviation = (cells.mean().abs() / error).where(error > 0)

    def largest(rows):
        critical = stats.t.isf((1 - LEVEL) / 2 / len(rows), seeds - 1)
        return exactly(rows.max() / critical, seeds=seeds)

    # In units of the tight beta: 1/pi, divided by p on the sphere. The ratio falls with phi.
    smallest = table[
        table.law.isin(["gaussian", "sphere"])
        & (table.quantity == "wrong")
        & (table.phi == table.phi.min())
    ]
    tight = np.where(smallest.law == "gaussian", 1, 1 / smallest.dimension) / np.pi
    ratio = (smallest.rayleigh_quotient / smallest.phi / tight).groupby(smallest.seed).mean()
    reach = stats.t.isf((1 - LEVEL) / 2, seeds - 1) * ratio.sem()
    return {
        "2": largest(deviation.drop("mixture", level="law")),
        "2b": Measured(ratio.mean(), ratio.mean() - reach, ratio.mean() + reach, seeds),
        "2x": largest(deviation.xs("mixture", level="law")),
    }


def basin(table):
    table = table.assign(recovered=table.filter_error <= 1e-3)
    seeds = table.seed.nunique()
    controls = {"3x": "one-sided cap", "3y": "rank 3 in R^5"}
    below = table[table.start_loss < 1]
    regular = below[~below.law.isin([*controls.values(), "two-sided cap"])]
    shares = regular.groupby("law").recovered.mean()
    found = {
        "3": exactly(
            shares.min(),
            seeds=seeds,
            note=f"{len(regular)} starts below l(0), {shares.size} laws.",
        )
    }
    for control, law in controls.items():
        rows = table[table.law == law]
        note = f"Median loss at the end: {rows.end_loss.median():.2g} of l(0)."
        found[control] = exactly(rows.recovered.mean(), seeds=seeds, note=note)
    return found


def rate(table):
    trials = table.drop_duplicates(["law", "rule", "seed"])
    theorem, unstable = trials[trials.rule == "theorem"], trials[trials.rule == "4.5"]
    seeds = trials.seed.nunique()
    share = (unstable.end_error <= 1e-3).mean()
    return {
        "4": exactly(theorem.margin.min(), seeds=seeds),
        "4b": exactly(theorem.sharper_margin.min(), seeds=seeds),
        "4x": exactly(
            unstable.margin.max(), seeds=seeds, note=f"Share of runs that converge: {share:.0%}."
        ),
    }


def levels(table, rng):
    seeds, found = table.seed.nunique(), {}

    def curves(rule):
        rows = table[table.rule == rule].sort_values("complexity")
        iterations = rows.pivot(index="seed", columns="complexity", values="iterations")
        return iterations.columns.to_numpy(), iterations.to_numpy()

    def spearman(complexity):
        return lambda rows, axis: stats.spearmanr(complexity, rows.mean(axis=axis)).statistic

    correlations, shuffled = [], []
    for rule in ("fixed", "theorem"):
        complexity, iterations = curves(rule)
        measure = spearman(complexity)
        interval = bootstrap(iterations, rng, measure)
        correlations.append(Measured(measure(iterations, 0), *interval, seeds))
        mixed = spearman(rng.permutation(complexity))
        shuffled.append(Measured(mixed(iterations, 0), *bootstrap(iterations, rng, mixed), seeds))
        slope = log_log_slope(complexity, iterations.mean(axis=0))
        low, high = bootstrap(
            iterations,
            rng,
            lambda rows, axis, x=complexity: log_log_slope(x, rows.mean(axis=axis)),
        )
        found["5b" if rule == "fixed" else "5c"] = Measured(float(slope), low, high, seeds)
    found["5"] = min(correlations)
    found["5x"] = max(shuffled)
    return found


def schedules(table):
    wide = table.pivot(index=["law", "seed", "start_distance"], columns="rule", values="iterations")
    near = wide[wide.index.get_level_values("start_distance") >= 0.9]
    ordered = (near.adaptive <= near["two-stage"]) & (near["two-stage"] <= near.constant)
    gain = (wide.constant / wide["two-stage"]).unstack()
    half = wide.xs(0.5, level="start_distance")
    seeds = table.seed.nunique()
    wins, pairs, p_value = sign_test(near.constant - near["two-stage"])
    median = gain.median()
    return {
        "6": exactly(
            ordered.mean(),
            seeds=seeds,
            note=f"Two-stage faster than constant in {wins} of {pairs} pairs (p = {p_value:.1g}).",
        ),
        "6b": exactly(
            (np.diff(gain.to_numpy(), axis=1) > 0).all(axis=1).mean(),
            seeds=seeds,
            note="Median gain "
            + ", ".join(f"{g:.2f} at r_0 = {r:g}" for r, g in median.items())
            + ".",
        ),
        "6x": exactly((half["two-stage"] < half.constant).mean(), seeds=seeds),
    }


def convolution_rate(table):
    seeds = table.seed.nunique()
    inside = table[table.valid]
    outside = table[~table.valid & (table.rule == "1")]
    cells = inside.groupby(["base_sigma", "patch_sigma"]).ngroups
    return {
        "7": exactly(
            inside[inside.rule == "theorem"].margin.min(), seeds=seeds, note=f"{cells} cells."
        ),
        "7b": exactly((outside.end_error <= 1e-5).mean(), seeds=seeds),
        "7x": exactly(inside[inside.rule == "8"].margin.max(), seeds=seeds),
    }


def hitting(table, tolerance):
    """Iterations to the tolerance, ``(seeds, levels)``: log error interpolated between points."""

    def first(curve):
        below = curve.filter_error.to_numpy() <= tolerance
        if not below.any():
            return np.inf
        i = max(int(below.argmax()), 1)
        log = np.log(curve.filter_error.to_numpy()[i - 1 : i + 1])
        at = curve.iteration.to_numpy()[i - 1 : i + 1]
        return np.interp(np.log(tolerance), log[::-1], at[::-1])

    curves = table.sort_values("iteration").groupby(["seed", "sigma"])[
        ["iteration", "filter_error"]
    ]
    return curves.apply(first).unstack("sigma")


def orders(neuron, wide_neuron, patches):
    by_patch = hitting(patches, ORDER_TOLERANCE["fig3b"])
    increasing = (np.diff(by_patch.to_numpy(), axis=1) > 0).all(axis=1)
    # Five seeds of one level in place of five levels of one seed.
    same = by_patch[by_patch.columns[0]].to_numpy()
    groups = same[: len(same) // 5 * 5].reshape(-1, 5) if len(same) >= 5 else same[None]
    mixed = (np.diff(groups, axis=1) > 0).all(axis=1)
    shares, seeds = [], neuron.seed.nunique()
    for table in (neuron, wide_neuron):
        times = hitting(table[table.sigma <= ORDERED_SIGMAS], ORDER_TOLERANCE["fig3a"])
        # A level that has not arrived is slower than one that has; two such are not ordered.
        values = np.nan_to_num(times.to_numpy(), posinf=1e12)
        shares.append((np.diff(values, axis=1) < 0).all(axis=1).mean())
    return {
        "8": exactly(increasing.mean(), seeds=len(increasing)),
        "8b": exactly(min(shares), seeds=seeds),
        "8x": exactly(mixed.mean(), seeds=len(mixed)),
    }


def closeness(table):
    seeds = table.seed.nunique()
    lost = table.gamma_avg - table.gamma
    recalled = lost - 4 * (1 - np.cos(table.rho))
    cells = recalled.groupby([table.base_sigma, table.spread])
    top = cells.mean().idxmax()
    reach = stats.t.isf((1 - LEVEL) / 2 / cells.ngroups, seeds - 1) * cells.sem()[top]
    value = cells.mean()[top]
    rho = table[(table.base_sigma == top[0]) & (table.spread == top[1])].rho.mean()
    return {
        "9a": exactly((lost - table.boundary_mass).max(), seeds=seeds),
        "9b": Measured(value, value - reach, value + reach, seeds, note=f"At rho = {rho:.2g}."),
        "9c": exactly((table.l_cross / (3 * table.mu)).max()),
    }


def stream(table, rng):
    table = table.assign(kept=np.isfinite(table.iterations) & (table.end_error <= 0.01))
    clean, noisy = (rows for _, rows in table.groupby("noise"))
    steps, runs = clean.step.nunique(), clean.run.nunique()
    level = 1 - (1 - LEVEL) / steps

    def share(rows, column, worst, **more):
        counts = rows.groupby("step")[column].sum()
        count = worst(counts)
        return Measured(count / runs, *wilson(count, runs, level), runs, **more)

    times = clean.pivot(index="run", columns="step", values="iterations")

    def spread(rows, axis):
        scaled = np.median(rows, axis=axis) * times.columns.to_numpy()
        return scaled.max() / scaled.min()

    floor = noisy.groupby("step").end_error.median()
    slope = float(log_log_slope(floor.index.to_numpy(), floor.to_numpy()))
    values = times.to_numpy()
    return {
        "10": share(clean, "kept", min),
        "10b": Measured(spread(values, 0), *bootstrap(values, rng, spread), runs),
        "10c": share(clean, "escaped", max),
        "10x": share(noisy, "kept", min, shown=(slope, "1/2 (slope of the floor)")),
    }


def starts(table):
    share = table.successes / table.draws
    error = np.sqrt(table.exact * (1 - table.exact) / table.draws)
    critical = stats.norm.isf((1 - LEVEL) / 2 / len(table))
    large = table[table.dimension >= 12]
    bounds = table[["bound", "sharper_bound"]].max(axis=1)
    return {
        "11": exactly(
            ((share - table.exact).abs() / error).max() / critical, seeds=int(table.draws.min())
        ),
        "11b": exactly((bounds - table.exact).max()),
        "11x": exactly((large.unscaled_bound - large.exact).max()),
    }


def images(training, spectrum, interpolation, rng):
    data = training.data.iloc[0]
    seeds = training.seed.nunique()
    last = training[training.epoch == training.epoch.max()]
    wide = last.pivot(
        index=["teacher", "seed"], columns="start_distance", values="relative_loss"
    ).sort_index(axis=1)
    tests = []
    for _, rows in wide.groupby("teacher"):
        for near, far in zip(rows.columns, rows.columns[1:], strict=False):
            tests.append(sign_test(rows[far] - rows[near]))
    p_value = min(max(p for *_, p in tests) * len(tests), 1.0)
    order = "; ".join(f"{wins} of {pairs}" for wins, pairs, _ in tests)

    medians = []
    for _, rows in last[last.relative_loss < CONVERGED].groupby("teacher"):
        values = rows.pivot(index="seed", columns="start_distance", values="relative_loss")
        values = values.to_numpy()
        medians.append(
            Measured(
                np.nanmedian(values),
                *bootstrap(values, rng, lambda rows, axis: np.nanmedian(rows)),
                seeds,
                data,
            )
        )
    dead = int((last.relative_loss >= CONVERGED).sum())

    def ratio(rows):
        linear = np.exp(rows.set_index("mixing").relative_loss)
        return linear.max() / linear.loc[linear.index.max()]

    keys = ["teacher", "start_distance", "seed"]
    alive = last[last.relative_loss < CONVERGED].set_index(keys).index
    ratios = interpolation.groupby(keys)[["mixing", "relative_loss"]].apply(ratio)
    ratios = ratios[ratios.index.isin(alive)].groupby(["teacher", "start_distance"])

    low = spectrum.assign(
        square=spectrum.component**2, low=spectrum.direction > spectrum.direction.max() / 2
    )

    def share_low(epoch, end):
        rows = low[low.epoch == epoch]
        rows = rows[rows.set_index(keys).index.isin(alive)]
        total = rows.groupby(keys).square.sum()
        shares = (rows[rows.low].groupby(keys).square.sum() / total).groupby(
            ["teacher", "start_distance"]
        )
        return end(Measured(np.median(v), *bootstrap(v, rng), seeds, data) for _, v in shares)

    return {
        "12a": exactly(p_value, seeds=seeds, data=data, note=f"Pairs in order: {order}."),
        "12b": max(medians)._replace(
            note=f"{dead} of {len(last)} runs died (relative loss above e^-2), filter inactive."
            if dead
            else ""
        ),
        "12c": max(Measured(np.median(v), *bootstrap(v, rng), seeds, data) for _, v in ratios),
        "12d": share_low(spectrum.epoch.max(), min),
        "12x": share_low(0, max),
    }


def run():
    args = step.arguments(
        __doc__, ["verdicts"], tables=Path, claims=Path, scale=str, figures=str, seed=int
    )

    def table(name):
        return step.read_table(args.tables / f"{name}.parquet")

    def both(name):
        return [table(f"image_{name}_{teacher}") for teacher in ("random", "gabor")]

    rng = step.generator(args.seed, "judge", "bootstrap", 0)
    found = {
        **gradients(table("gradients")),
        **smoothness(table("smoothness")),
        **basin(table("basin")),
        **rate(table("rate")),
        **levels(table("levels"), rng),
        **schedules(table("schedules")),
        **convolution_rate(table("convolution_rate")),
        **orders(table("sgd_neuron_p2"), table("sgd_neuron_p10"), table("sgd_patches_p2")),
        **closeness(table("closeness")),
        **stream(table("stream"), rng),
        **starts(table("starts")),
        **images(*(pd.concat(both(n)) for n in ("training", "spectrum", "interpolation")), rng),
    }
    rows = verdicts.judge("du2018", args.claims, found, args.scale, args.figures)
    verdicts.write(rows, args.verdicts)


if __name__ == "__main__":
    step.main(run)
