"""Judge the claims of Ergen & Pilanci from the tables of their steps."""

from pathlib import Path

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, log_log_slope, sign_test, wilson
from workflow.scripts import step, verdicts
from workflow.scripts.verdicts import Measured, exactly

ARCHITECTURES = (
    "fully_connected",
    "average",
    "max",
    "linear",
    "unpooled",
    "circular",
    "two_relu_shared",
    "two_relu_unshared",
)
POOLED = ("fully_connected", "average", "max")
MAPPED = ("linear", "circular", "two_relu_unshared")
RELAXED = ("unpooled", "two_relu_shared")
CASES = ("three", "product", "short", "layers")
WITHIN = 1e-4  # of p*, where descent counts as having reached it


def excess(table, reference="program"):
    """``(objective - p*) / p*`` of every row."""
    return (table.objective - table[reference]) / table[reference]


def best(table, by):
    """Least relative excess over the restarts, a value an instance."""
    return table.assign(excess=excess(table)).groupby(list(by)).excess.min()


def share_within(gaps, **more):
    """Share of the instances within 1e-4 of p*, with its Wilson interval."""
    good = gaps <= WITHIN
    return Measured(good.mean(), *wilson(good.sum(), len(good)), **more)


def equivalence(trained, convex):
    seeds = trained.seed.nunique()
    gaps = best(trained, ["architecture", "seed", "beta_fraction"])
    judged = gaps[gaps.index.get_level_values("beta_fraction") >= 0.1 - 1e-12]
    shares = (judged <= WITHIN).groupby("architecture").mean()
    small = gaps.drop(judged.index).groupby("architecture").max()
    lowest = excess(trained).groupby(trained.architecture).min()
    return {
        "1": exactly(
            excess(trained).min(), seeds=seeds, note=f"Lowest for {lowest.idxmin()} networks."
        ),
        "1b": share_within(
            judged,
            seeds=seeds,
            note="By architecture: "
            + ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
            + (f". Smaller beta, not judged: worst gap {small.max():.1g}." if len(small) else "."),
        ),
        "1x": doubled_decay(trained, convex),
        "5x": unreduced(trained, seeds),
    }


def doubled_decay(trained, convex):
    """Control 1x: the optimum of twice the decay in place of the right one."""
    by = ["architecture", "seed", "beta_fraction"]
    average = trained[trained.architecture == "average"].merge(convex[[*by, "doubled"]], on=by)
    wrong = excess(average, "doubled")
    return exactly(
        wrong.min(), seeds=average.seed.nunique(), shown=(wrong.median(), ">= -1e-06 (median)")
    )


def unreduced(trained, seeds):
    """Control 5x: filters that the best restarts use beyond the rank of their outputs."""
    average = trained[trained.architecture == "average"]
    order = average.assign(excess=excess(average)).sort_values("excess")
    ends = order.groupby(["seed", "beta_fraction"]).first()
    ends = ends[ends.excess <= WITHIN]
    return exactly(
        (ends.filters - ends["rank"]).max(),
        seeds=seeds,
        note=f"{(ends.filters > ends['rank']).mean():.0%} of {len(ends)} networks.",
    )


def certificates(convex, recovered, certified):
    seeds = convex.seed.nunique()
    gaps = certified.groupby("study").gap
    others = convex[convex.architecture.isin(MAPPED)]
    dual = (others.objective - others.dual_bound) / others.objective
    semi = convex[convex.architecture.isin(RELAXED)]
    semi = ((semi.objective - semi.dual_bound) / semi.objective).groupby(semi.architecture).max()
    balanced = recovered.assign(excess=excess(recovered).abs())
    unbalanced = balanced[balanced.study == "unbalanced"]
    unbalanced = unbalanced[unbalanced.architecture == "average"]
    return {
        "2": exactly(
            gaps.max()["convex"],
            seeds=seeds,
            note=f"From the networks' own residuals alone: {gaps.max()['residual']:.1g}.",
        ),
        "2b": exactly(
            dual.max(),
            seeds=seeds,
            note="Not judged: "
            + ", ".join(f"{name} {gap:.1g}" for name, gap in semi.items())
            + ", between an upper and a lower bound.",
        ),
        "2x": exactly(
            gaps.max()["restricted"],
            seeds=seeds,
            shown=(gaps.median()["restricted"], "<= 1e-08 (median)"),
        ),
        "3": exactly(balanced[balanced.study == "mapped"].excess.max(), seeds=seeds),
        "3b": exactly(excess(others).abs().max(), seeds=seeds),
        "3x": exactly(
            unbalanced.excess.max(),
            seeds=seeds,
            shown=(unbalanced.excess.median(), "<= 1e-08 (median)"),
        ),
    }


def widths(table, rng):
    instance = ["beta", "seed", "width"]
    gaps = best(table, instance).unstack("width")
    filters = table.groupby(["beta", "seed"]).filters.first()
    seeds, full = table.seed.nunique(), 2 * int(table.samples.iloc[0])
    shares = (excess(table) <= 1e-3).groupby([table[key] for key in instance]).mean()
    shares = shares.unstack("width")
    wins, pairs, p_value = sign_test(shares[full] - shares[3])
    by_seed = shares.xs(0.1, level="beta")

    def mean_share(width):
        values = by_seed[width].to_numpy()
        return Measured(values.mean(), *bootstrap(values, rng, np.mean), seeds)

    return {
        "1y": share_within(gaps[1], seeds=seeds),
        "4": exactly(
            gaps[1][filters >= 2].min(),
            seeds=seeds,
            note=f"{(filters >= 2).sum()} of {len(filters)} instances have m* >= 2.",
        ),
        "4b": exactly(p_value, seeds=seeds, note=f"More in {wins} of {pairs} pairs."),
        "4c": mean_share(full)._replace(
            note="By beta: "
            + ", ".join(f"{share:.0%} at {beta:g}" for beta, share in by_beta(shares[full]))
            + "."
        ),
        "4x": mean_share(1),
    }


def by_beta(shares):
    """Mean over the seeds, a pair (beta, share) a beta."""
    return shares.groupby("beta").mean().items()


def filter_counts(path):
    seeds = path.seed.nunique()
    return {
        "5": exactly((path.filters - path["rank"]).max(), seeds=seeds),
        "5b": exactly(
            (path.filters - path.samples).max(),
            seeds=seeds,
            note=f"Largest gap along the path {path.gap.max():.1g}.",
        ),
    }


def pattern_counts(table):
    general = table[table.study == "general"]
    seeds = general.seed.nunique()
    plane = table[table.study == "plane"]
    tilt = growth(general)
    full = growth(table[table.study == "full"])
    merged = table[table.study == "max"]
    return {
        "6": exactly((general.cells - general.formula).abs().max(), seeds=seeds),
        "6b": exactly(
            (tilt - (tilt.index.get_level_values("patch_size") - 1)).abs().max(), seeds=seeds
        ),
        "6c": exactly((general.bound / general.cells).min(), seeds=seeds),
        "6x": exactly(
            (plane.cells - plane.formula).abs().max(),
            seeds=seeds,
            shown=((plane.cells / plane.formula).min(), "1 (ratio)"),
        ),
        "6y": exactly((full - 2).abs().max(), seeds=seeds, shown=(full.mean(), "2 (exponent)")),
        "8b": exactly((merged.cells / merged.formula).max(), seeds=merged.seed.nunique()),
    }


def growth(table):
    """Slope of log P against log (N - 1) between the two largest n, by patches and patch size."""

    def last(rows):
        means = rows.groupby("rows").cells.mean().sort_index()[-2:]
        return float(log_log_slope(means.index.to_numpy() - 1, means.to_numpy()))

    return table.groupby(["patches", "patch_size"])[["rows", "cells"]].apply(last)


def gates(table):
    value = table.assign(excess=excess(table)).pivot(
        index="seed", columns=["study", "gates"], values="excess"
    )
    nested, fresh = (value[study].sort_index(axis=1) for study in ("nested", "fresh"))
    seeds = len(value)
    found = table[table.study == "nested"].groupby("gates")[["cells", "all_cells"]].mean()
    share = found.cells / found.all_cells

    def rise(frame):
        return frame.diff(axis=1).max(axis=None)

    return {
        "7": exactly(
            nested.min(axis=None),
            seeds=seeds,
            note="Cells found: "
            + ", ".join(f"{value:.0%} at T = {count}" for count, value in share.items())
            + ".",
        ),
        "7b": exactly(rise(nested), seeds=seeds),
        "7x": exactly(rise(fresh), seeds=seeds),
    }


def relaxations(table, rng):
    seeds = table.seed.nunique()
    values = table.pivot(index=["pooling", "beta", "seed"], columns="study", values="program")
    ordering, cones = (
        ((values["all"] - values[study]) / values["all"]).dropna()
        for study in ("no ordering", "no cones")
    )
    unmatched = table.assign(excess=excess(table).abs()).groupby("study").excess
    small = cones.xs(0.01, level="beta").to_numpy()
    return {
        "8": exactly(ordering.min(), seeds=seeds, note=f"Median {ordering.median():.2g}."),
        "8x": exactly(
            unmatched.max()["no ordering"], seeds=seeds, shown=(ordering.min(), "0 (drop)")
        ),
        "11": exactly(cones.min(), seeds=seeds),
        "11b": Measured(np.median(small), *bootstrap(small, rng), seeds),
        "11x": exactly(
            unmatched.max()["no cones"], seeds=seeds, shown=(np.median(small), "0 (drop)")
        ),
    }


def spectra(table, rng):
    sparse = table[table.penalty == "spectral"]
    medians = []
    for d, rows in sparse.groupby("dimension"):
        counts = [group.nonzero.to_numpy() for _, group in rows.groupby("seed")]

        def median(picks, axis, counts=counts):
            return np.median(np.concatenate([counts[i] for i in picks]))

        everyone = np.arange(len(counts))
        low, high = bootstrap(everyone, rng, median)
        medians.append(Measured(median(everyone, 0) - d, low - d, high - d, len(counts)))
    group = table[table.penalty == "group"]
    worst = max(medians, key=lambda found: found.value)
    return {
        "9": worst._replace(
            note="Medians "
            + ", ".join(
                f"{rows.nonzero.median():g} of {d}" for d, rows in sparse.groupby("dimension")
            )
            + "."
        ),
        "9c": exactly((group.nonzero / group.dimension).min(), seeds=group.seed.nunique()),
    }


def circular(tables):
    gaps = {case: best(table, ["study", "seed"]) for case, table in tables.items()}
    exact = pd.concat([gaps["three"], gaps["product"]])
    wrong = tables["three"].drop(columns="program").rename(columns={"wrong_program": "program"})
    found = {
        "9x": best(wrong, ["study", "seed"]).abs(),
        "9y": gaps["short"],
        "9z": gaps["layers"],
    }
    return {
        "9b": share_within(
            exact,
            seeds=tables["three"].seed.nunique(),
            note=f"Worst gap {exact.max():.1g}, lowest {exact.min():.1g}.",
        )
    } | {
        claim: share_within(
            values, seeds=len(values), shown=(values.median(), "<= 0.0001 (median gap)")
        )
        for claim, values in found.items()
    }


def regularisers(convex):
    relaxed = convex[convex.architecture.isin(RELAXED)]
    seeds = relaxed.seed.nunique()
    unshared, shared = (
        convex[convex.architecture == f"two_relu_{kind}"] for kind in ("unshared", "shared")
    )
    lower = (shared.objective - shared.frobenius) / shared.frobenius
    strict = (relaxed.nuclear - relaxed.frobenius) / relaxed.objective
    return {
        "10": exactly(
            strict.min(),
            seeds=seeds,
            note="Medians: "
            + ", ".join(
                f"{name} {value:.2g}"
                for name, value in strict.groupby(relaxed.architecture).median().items()
            )
            + ".",
        ),
        "10b": exactly(
            ((relaxed.nuclear - relaxed.objective) / relaxed.objective).max(), seeds=seeds
        ),
        "10c": exactly(excess(unshared).abs().max(), seeds=seeds),
        "10x": exactly(lower.abs().max(), seeds=seeds, shown=(lower.median(), "<= 1e-08 (median)")),
    }


def nuclear(table):
    rows = table[table["rank"] >= 2]
    gaps = best(rows, ["seed", "beta_fraction", "rank", "width"]).reset_index()
    reached = gaps[gaps.width == gaps["rank"]].excess
    stuck = gaps[gaps.width == 1].excess
    seeds = rows.seed.nunique()
    return {
        "12": exactly(reached.max(), seeds=seeds, note=f"{len(reached)} instances."),
        "12x": exactly(stuck.max(), seeds=seeds, shown=(stuck.min(), "<= 0.0001 (least)")),
    }


def thresholds(table):
    seeds = table.seed.nunique()
    sharp = (table.filters_at == 0) & (table.filters_below > 0)
    return {
        "13": exactly(((table.beta_max - table.ascent) / table.beta_max).abs().max(), seeds=seeds),
        "13b": exactly(sharp.mean(), seeds=seeds),
        "13x": exactly(
            ((table.beta_max - table.sampled) / table.beta_max).abs().max(), seeds=seeds
        ),
    }


def images(table):
    ends = table[table.method == "sgd"]
    more = {"seeds": ends.seed.nunique(), "data": ends["data"].iloc[0]}
    valid = np.isfinite(ends.dual_bound) & (ends.dual_bound <= ends.program * (1 + 1e-8))
    own = (ends.objective - ends.dual_bound) / ends.objective
    true = (ends.objective - ends.program_bound) / ends.program
    above = (ends.sampled_bound - ends.program) / ends.program
    return {
        "14": exactly(
            valid.mean(),
            note=f"{len(ends)} end points; gap by their own certificate {own.median():.2g} "
            f"(median), to the certified optimum {true.median():.2g}.",
            **more,
        ),
        "14b": exactly(true.min(), **more),
        "14x": exactly(
            (above <= 1e-8).mean(), note=f"Largest excess over p* {above.max():.2g}.", **more
        ),
    }


def run():
    args = step.arguments(
        __doc__, ["verdicts"], tables=Path, claims=Path, scale=str, figures=str, seed=int
    )

    def table(name):
        return step.read_table(args.tables / f"{name}.parquet")

    def tables(name, parts):
        return pd.concat([table(f"{name}_{part}") for part in parts], ignore_index=True)

    rng = step.generator(args.seed, "judge", "bootstrap", 0)
    convex, trained = tables("convex", ARCHITECTURES), tables("sgd", ARCHITECTURES)
    found = {
        **equivalence(trained, convex),
        **certificates(convex, table("recovered"), table("certificates")),
        **widths(table("widths"), rng),
        **filter_counts(table("path")),
        **pattern_counts(table("arrangements")),
        **gates(table("gates")),
        **relaxations(table("relaxations"), rng),
        **spectra(table("spectra"), rng),
        **circular({case: table(f"circular_{case}") for case in CASES}),
        **regularisers(convex),
        **nuclear(table("nuclear")),
        **thresholds(table("threshold")),
        **images(table("image_profiles")),
    }
    rows = verdicts.judge("ergen2021", args.claims, found, args.scale, args.figures)
    verdicts.write(rows, args.verdicts)


if __name__ == "__main__":
    step.main(run)
