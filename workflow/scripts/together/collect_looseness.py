"""T5-T8: what the four papers prove beside what is needed, a row a number and independent draw.

`looseness` is the decimal logarithm of proven over needed, turned so that above zero the theorem is
the stricter: a width or a number of steps over the one that suffices, a step or a radius that
suffices over the one that is allowed. Where a theorem says O(.), its constant is taken as 1.
"""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.du2018.rates import distance_angle, guaranteed_drop, step_table
from cnntheory.search import worst_case
from cnntheory.zhong2017 import as_activation, draw_teacher
from workflow.scripts import step
from workflow.scripts.du2018.plane import W_STAR, distance, gaussian_problem, mixture_problem
from workflow.scripts.step import Count, Positive, Share, from_rule

# Distances from w* that the searches look at: inside, rounding speaks; outside, no theorem does.
NEAREST, FARTHEST = 1e-3, 0.999
# Powers of n, L and 1 / delta in the theorems of allenzhu2019, by version.
POWERS = {
    "width": (24, 12, 8),
    "width, n^24 left out": (0, 12, 8),
    "width, another account": (30, 30, 0),
    "steps": (6, 2, 2),
    "step": (4, 2, 1),
    "radius": (4.5, 6, 1.5),
    "movement": (3, 0, 1),
}
ONE, POWERS_ONE = "taken as 1", "and powers taken as 1"


class Options(step.Options):
    """T5 to T8: what is proven over what is needed, for the numbers in all four papers."""

    searches: Count = Field(description="for the worst start of du2018, each under a law")
    evaluations: Count = Field(description="starts that a search tries")
    sigmas: Annotated[list[Positive], Field(min_length=2, max_length=2)] = Field(
        description="range of sigma of the laws"
    )
    start_distance: Share = Field(description="of du2018's runs that steps are counted of")
    tolerance: Positive = Field(description="distance, loss or gap that runs and programs reach")
    samples: Count = Field(description="n of the networks of allenzhu2019")
    share: Share = Field(description="of the population's curvature that samples have to reach")
    basin: list[Count] = from_rule(min_length=2, max_length=2, description="t and r of its search")
    gd_patches: Count = from_rule(description="r of zhong2017's gradient descent")


def rows(quantity, version, proven, needed, seed, stricter="more", constant="stated", **more):
    """Rows of one number; `proven` and `needed` are decimal logarithms.

    The theorem is the stricter where it asks for ``more`` (a width) or allows ``less`` (a step).
    """
    proven, needed, seed = np.broadcast_arrays(proven, needed, seed)
    return pd.DataFrame(
        {
            "quantity": quantity,
            "version": version,
            "constant": constant,
            "seed": seed,
            "log10_proven": proven,
            "log10_needed": needed,
            "looseness": proven - needed if stricter == "more" else needed - proven,
        }
        | {"found": "sampled", "left_out": "", "data": "synthetic"}
        | {name: np.asarray(value) if np.ndim(value) else value for name, value in more.items()}
    )


def least(frame):
    """Of every draw the row that comes closest to the theorem, which speaks of all of them."""
    return frame.loc[frame.groupby("seed").looseness.idxmin()]


# du2018


def in_ball(points):
    """Filters at a distance below ||w*|| from w*, from points in R^2."""
    far = NEAREST + (FARTHEST - NEAREST) * (1 + np.tanh(points[..., 0])) / 2
    turn = points[..., 1]
    return W_STAR + far[..., None] * np.stack([np.cos(turn), np.sin(turn)], axis=-1)


def sufficient_step(w, gradient, gamma):
    """Largest step that lowers ||w - w*||^2 by the share eta gamma / 2 that Theorem 2.2 promises.

    ``1 - 2 eta <g, w - w*> / e^2 + eta^2 |g|^2 / e^2 <= 1 - eta gamma / 2``, solved for eta.
    """
    g, away = gradient(w), w - W_STAR
    e = distance(w)
    slope = 2 * (g * away).sum(axis=-1) - gamma(distance_angle(e)) * e**2 / 2
    return slope / (g**2).sum(axis=-1)


def drop(w, gradient, eta):
    """Relative drop of ||w - w*||^2 in one step."""
    return 1 - (distance(w - eta[..., None] * gradient(w)) / distance(w)) ** 2


def one_filter(options, rng, schedules, convolution_rate, smoothness, closeness, starts):
    """Rows of du2018."""
    yield from searched(options, rng)

    theorem, gamma = step_table(gaussian_problem().constants, gaussian_problem().beta)
    phi = distance_angle(options.start_distance)
    runs = schedules[
        (schedules.law == "Gaussian")
        & (schedules.start_distance == options.start_distance)
        & schedules.rule.str.startswith("eta")
    ]
    fastest = runs.groupby("seed").iterations.min()
    shrink = np.log1p(-guaranteed_drop(theorem(phi), gamma(phi)))
    steps = 2 * np.log(options.tolerance / options.start_distance) / shrink
    about = "steps to 1e-3, one filter", "Theorem 2.2 at a constant step"
    yield rows(*about, np.log10(steps), np.log10(fastest), fastest.index)

    inside = convolution_rate[convolution_rate.valid & (convolution_rate.rule == "theorem")]
    about = "gain of a step, patches", "Theorem 3.1: eta (gamma - 6 L_x) / 2"
    # Only the ratio is known: the guarantee is 1.
    yield least(rows(*about, 0.0, np.log10(inside.margin), inside.seed, "less"))

    gauss = smoothness[(smoothness.law == "gaussian") & (smoothness.quantity == "wrong")]
    gauss = gauss[gauss.dimension == gauss.dimension.max()]
    growth = (gauss.rayleigh_quotient / gauss.phi).groupby(gauss.seed).max()
    about = "growth of the wrong region", "Appendix: beta = p"
    yield rows(*about, np.log10(gauss.dimension.max()), np.log10(growth), growth.index)

    # Population numbers of a cell each: nothing is drawn, the tightest cell counts.
    cells = closeness.drop_duplicates(["base_sigma", "spread"])
    about = "cross terms of close patches", "Theorem 3.3: L_x <= 3 mu"
    logs = np.log10(3 * cells.mu), np.log10(cells.l_cross)
    yield least(rows(*about, *logs, 0, found="exact"))

    for bound, left_out in (("bound", ""), ("unscaled_bound", "sqrt(p)")):
        told = starts[starts[bound] > 0]  # otherwise a bound says nothing
        about = "chance of a good random start", "Theorem 3.4: 1/2 - alpha sqrt(pi p / 2)"
        logs = np.log10(told[bound]), np.log10(told.exact)
        yield least(rows(*about, *logs, 0, "less", found="exact", left_out=left_out))


def searched(options, rng):
    """Theorem 2.2 at the worst start under a law, and at a random one."""
    for seed in step.progress(range(options.searches), label="worst starts", unit="law"):
        draws = rng("law", seed)
        gradient, constants, beta = mixture_problem(np.exp(draws.uniform(*np.log(options.sigmas))))
        theorem, gamma = step_table(constants, beta)

        def allowed(w, theorem=theorem):
            return theorem(distance_angle(distance(w)))

        def suffices(w, gradient=gradient, gamma=gamma):
            return sufficient_step(w, gradient, gamma)

        def dropped(w, allowed=allowed, gradient=gradient):
            return drop(w, gradient, allowed(w))

        def guaranteed(w, allowed=allowed, gamma=gamma):
            return guaranteed_drop(allowed(w), gamma(distance_angle(distance(w))))

        start = draws.standard_normal((3, 2)) * [1.0, np.pi]
        for quantity, version, proven, needed in (
            ("step size, one filter", "Theorem 2.2: gamma / (2 (L + 4 beta)^2)", allowed, suffices),
            (
                "gain of a step, one filter",
                "Theorem 2.2: eta gamma / 2",
                guaranteed,
                dropped,
            ),
        ):

            def ratio(points, proven=proven, needed=needed):
                return needed(in_ball(points)) / proven(in_ball(points))

            worst = worst_case(ratio, start, rng=draws, evaluations=options.evaluations).point
            for found, point in (("sampled", start[0]), ("searched", worst)):
                w = in_ball(point[None])
                logs = np.log10(proven(w)), np.log10(needed(w))
                yield rows(quantity, version, *logs, seed, stricter="less", found=found)


# zhong2017


def several_kernels(options, rng, spectrum, basin_search, gd, sample_hessian):
    """Rows of zhong2017; of the activations the one that comes closest to the theorem."""
    random, found = (spectrum[spectrum.study == study] for study in ("bound", "search"))
    # Activations have searches of their own, and share the random teachers.
    found = found.assign(seed=np.arange(len(found)))
    below = "least curvature at the truth", "Hessian: r rho / (kappa^2 lambda)"
    about = {"stricter": "less", "constant": ONE}
    for table, how in ((random, "sampled"), (found, "searched")):
        smallest, bound = np.log10(table.smallest), np.log10(table.bound)
        yield least(rows(*below, bound, smallest, table.seed, found=how, **about))
    bound = np.log10(found.bound * found.kappa_lambda)
    yield rows(
        *below,
        bound,
        np.log10(found.smallest),
        found.seed,
        found="searched",
        left_out="1 / (kappa^2 lambda)",
        **about,
    )
    bounded = random[random.activation != "squared_relu"]  # phi' <= 1: no power of sigma_1
    yield least(
        rows(
            "largest curvature at the truth",
            "Hessian: t r^2 sigma_1^(2 p)",
            np.log10(bounded.kernels * bounded.patches**2),
            np.log10(bounded.largest),
            bounded.seed,
            constant=ONE,
        )
    )
    yield basin(options, rng, basin_search)
    yield from descents(options, gd)

    squared = sample_hessian[sample_hessian.activation == "squared_relu"]
    shape = ["patch_size", "kernels"]
    counts = squared.groupby(shape).patches.transform("nunique")
    n = enough(squared[counts == counts.max()], options.share).unstack("patches")
    few, many = n.columns.min(), n.columns.max()
    growth = (n[many] / n[few]).dropna()
    yield rows(
        "samples, growth with the patches",
        f"Sample size: n >= r k, r = {few} to {many}",
        np.log10(many / few),
        np.log10(growth),
        growth.index,
        constant=POWERS_ONE,
    )


def enough(table, share):
    """n at which the least eigenvalue reaches a share of the population's, by seed and patches.

    Interpolated in log n; missing where the grid does not hold it.
    """

    def first(curve):
        reached = curve.smallest / curve.population
        i = int((reached >= share).argmax())
        if i == 0:
            return np.nan
        ends = slice(i - 1, i + 1)
        return np.exp(np.interp(share, reached[ends], np.log(curve.samples.iloc[ends])))

    curves = table.sort_values("samples").groupby(["seed", "patches"])
    return curves[["samples", "smallest", "population"]].apply(first)


def teacher_numbers(kernels, activation, rng):
    """rho(sigma_t), kappa, lambda and sigma_1^(2 p) of the teachers that `draw_teacher` draws."""
    singular = np.linalg.svd(draw_teacher(kernels, kernels, rng=rng), compute_uv=False)
    kappa, lam = singular[0] / singular[-1], np.prod(singular / singular[-1])
    growth = singular[0] ** (2 * (activation == "squared_relu"))  # p = 1, else 0
    return float(as_activation(activation).rho(singular[-1])), kappa, lam, growth


def basin(options, rng, search):
    """The radius of local convexity at the worst direction, of every teacher."""
    kernels, patches = options.basin
    tables = []
    for activation, part in search[np.isinf(search.samples)].groupby("activation"):
        rho, _, lam, growth = teacher_numbers(kernels, activation, rng("teacher", 0))
        proven = rho / (kernels * patches * lam * growth)
        edges = part.sort_values("radius").groupby("seed")[["radius", "smallest"]].apply(edge)
        tables.append(
            rows(
                "radius of local convexity",
                "Convex basin: rho / (t r lambda sigma_1^(2 p))",
                np.log10(proven),
                np.log10(edges),
                edges.index,
                stricter="less",
                constant=POWERS_ONE,
                found="searched",
            )
        )
    return least(pd.concat(tables, ignore_index=True))


def edge(curve):
    """Radius at which the least eigenvalue crosses zero, interpolated; at least the last one."""
    radius, smallest = curve.radius.to_numpy(), curve.smallest.to_numpy()
    i = int((smallest < 0).argmax())
    return radius[-1] if i == 0 else np.interp(0, smallest[[i, i - 1]], radius[[i, i - 1]])


def descents(options, gd):
    """The rate of gradient descent with fresh samples, and the steps that it takes."""
    fresh = gd[(gd.study == "resampled") & gd.measured_rate.notna()]
    squared = 1 - (1 - fresh.measured_rate) ** 2
    about = {"constant": "stated", "stricter": "less"}
    yield least(
        rows(
            "gain of a step, fresh samples",
            "Descent: m_0 / M_0",
            np.log10(fresh.predicted_rate),
            np.log10(squared),
            fresh.seed,
            **about,
        )
    )
    tables = []
    for activation, part in fresh.groupby("activation"):
        kernels, patches = int(part.kernels.iloc[0]), options.gd_patches
        rho, kappa, lam, growth = teacher_numbers(kernels, activation, 0)
        rate = rho / (kappa**2 * lam) / (kernels * patches * growth)
        proven = 2 * np.log(options.tolerance) / np.log1p(-rate)
        needed = np.log(options.tolerance) / np.log1p(-part.measured_rate)
        about = "steps to 1e-3, several kernels", "Descent, bounds of the Hessian"
        logs = np.log10(proven), np.log10(needed)
        tables.append(rows(*about, *logs, part.seed, constant=ONE))
    yield least(pd.concat(tables, ignore_index=True))


# ergen2021


def convex_programs(options, arrangements, path, gates, solver_work):
    """Rows of ergen2021."""
    for study, pooling in (("general", "average"), ("max", "max")):
        cells = arrangements[arrangements.study == study]
        about = f"regions, {pooling} pooling", "Arrangements: 2 r (e (N - 1) / r)^r"
        yield least(rows(*about, np.log10(cells.bound), np.log10(cells.cells), cells.seed))

    most = path.groupby("seed").filters.max()
    about = "filters of an optimal network", "Theorem 2.1: n + 1"
    n = path.samples.iloc[0]
    yield rows(*about, np.log10(n + 1), np.log10(most), most.index)

    nested = gates[gates.study == "nested"]
    reached = nested.objective - nested.program <= options.tolerance * nested.program
    fewest = nested.cells.where(reached, nested.all_cells).groupby(nested.seed).min()
    every = nested.groupby("seed").all_cells.first()
    about = "regions in the program, gap 1e-3", "Theorem 2.1, all regions"
    yield rows(*about, np.log10(every), np.log10(fewest), every.index)

    work = solver_work[solver_work.patch_size == solver_work.patch_size.max()]
    work = work[work.samples == work.samples.max()]
    h, N = work.patch_size, work.samples * work.patches
    proven = 6 * np.log10(h) + 3 * h * np.log10(N / h)
    about = "work of an exact solver", "Interior point: h^6 (n K / h)^(3 h)"
    yield rows(*about, proven, np.log10(work.work), work.seed, constant=ONE)


# allenzhu2019


def power(name, n, depth, separation):
    """Decimal logarithm of n^a L^b / delta^c."""
    images, layers, apart = POWERS[name]
    return images * np.log10(n) + layers * np.log10(depth) - apart * np.log10(separation)


def with_logarithms(log10_width, times=5):
    """The least m >= A log^5 m, in decimal logarithms: a fixed point above that of A."""
    m = np.asarray(log10_width, float)
    for _ in range(200):
        m = log10_width + times * np.log10(np.maximum(m * np.log(10), 1))
    return m


def wide_networks(options, success, descent, times, semismoothness, perturbed, separation):
    """Rows of allenzhu2019, all constants 1, one output."""
    success, times = (table[table.samples == options.samples] for table in (success, times))
    yield from widths(success, descent.depth.iloc[0])
    yield from paths(options, descent, times)
    yield from perturbations(semismoothness, perturbed)

    wide = separation[separation.width == separation.width.max()]
    wide = wide[wide.layer <= 1 / wide.separation]
    about = "distance of inputs in a layer", "Lemma 7.5: delta / 2"
    logs = np.log10(wide.separation / 2), np.log10(wide.value)
    yield least(rows(*about, *logs, wide.seed, "less", data=wide.data))


def widths(success, depth):
    """Proven widths beside the least from which on all that were tried fit."""
    ordered = success.sort_values("width")
    failed = ordered.width.where(~ordered.converged).groupby(ordered.seed).max()
    fits = ordered[ordered.width > ordered.seed.map(failed.fillna(0))].groupby("seed").first()
    about = {"constant": ONE, "data": fits.data}
    first = "width", "Basri et al.: n^24 L^12 log^5 m / delta^8"
    other = "width, another account", "Du et al.: n^30 L^30"
    for power_of, name, left_out in (
        ("width", first, ""),
        ("width, another account", other, ""),
        ("width, n^24 left out", first, "n^24"),
    ):
        proven = power(power_of, fits.samples, depth, fits.separation)
        if name is first:
            proven = with_logarithms(proven)
        yield rows(*name, proven, np.log10(fits.width), fits.index, left_out=left_out, **about)


def paths(options, descent, times):
    """Steps, step size, radius, movement and the gradient along the path."""
    reached = times[np.isfinite(times.iterations)]
    proven = power("steps", reached.samples, reached.depth, reached.separation)
    proven = proven + np.log10(np.log(1 / options.tolerance))
    about = {"constant": ONE, "data": reached.data}
    name = "steps to 1e-3, wide network", "Theorem 1: n^6 L^2 delta^(-2) log (1 / eps)"
    yield rows(*name, proven, np.log10(reached.iterations), reached.seed, **about)

    n, depth, delta, m = descent.samples, descent.depth, descent.separation, descent.width
    log_m, cell = np.log10(np.log(m)), (n, depth, delta)
    for name, version, proven, needed, stricter in (
        (
            "step size, wide network",
            "Theorem 1: delta / (n^4 L^2 m)",
            -power("step", *cell) - np.log10(m),
            descent.step,
            "less",
        ),
        (
            "radius around the start",
            "Theorem 3: delta^(3/2) / (n^(9/2) L^6 log^3 m)",
            -power("radius", *cell) - 3 * log_m,
            descent.spectral_movement,
            "less",
        ),
        (
            "movement of the weights",
            "Theorem 1: n^3 log m / (delta sqrt(m))",
            power("movement", *cell) + log_m - np.log10(m) / 2,
            descent.movement,
            "more",
        ),
        (
            "least gradient",
            "Theorem 3: delta / n^2",
            np.log10(delta / n**2),
            descent.least_last_ratio,
            "less",
        ),
        (
            "largest gradient",
            "Theorem 3: L n",
            np.log10(depth * n),
            descent.greatest_ratio,
            "more",
        ),
    ):
        about = {"constant": ONE, "data": descent.data}
        yield rows(name, version, proven, np.log10(needed), descent.seed, stricter, **about)


def perturbations(semismoothness, perturbed):
    """Semi-smoothness, flips and changes under perturbations, the adversary's among them.

    The adversary flips what it can, and so spoils the backward vectors; where it is judged by the
    loss or the last layer it is one made for another end.
    """
    told = semismoothness[semismoothness.residual > 0]  # otherwise the bound says nothing
    factor = np.sqrt(told.width * np.log(told.width))
    both = told.kink_term + told.smooth_term
    free = told.kink_term / factor + told.smooth_term / told.width
    about = "loss beyond its first order", "Theorem 4, both terms"
    for bound, left_out in ((both, ""), (free, "growth in m")):
        logs = np.log10(bound), told.residual
        yield from by_kind(told, *about, *logs, "other end", left_out=left_out)

    told = perturbed[perturbed.most_flipped > 0]
    omega, depth = np.log10(told.omega), np.log10(told.depth)
    root_log = np.log10(np.log(told.width)) / 2
    for name, version, proven, needed, found in (
        (
            "activations flipped",
            "Lemma 8.2 (b): m omega^(2/3) L",
            2 / 3 * omega + depth,
            told.most_flipped,
            "searched",
        ),
        (
            "change of the last layer",
            "Lemma 8.2 (c): omega L^(5/2) sqrt(log m)",
            omega + 2.5 * depth + root_log,
            told.forward_change,
            "other end",
        ),
        (
            "change of the backward vectors",
            "Lemma 8.7: omega^(1/3) L^2 sqrt(log m)",
            omega / 3 + 2 * depth + root_log,
            told.backward_change,
            "searched",
        ),
    ):
        yield from by_kind(told, name, version, proven, needed, found)


def by_kind(table, name, version, proven, needed, found, **more):
    """Rows of a statement about all perturbations: those drawn, and the adversary's."""
    adversary = table.perturbation == "adversary"
    for chosen, how in ((~adversary, "sampled"), (adversary, found)):
        logs = proven[chosen], np.log10(needed[chosen])
        about = {"constant": ONE, "found": how, "data": table.data[chosen]} | more
        yield least(rows(name, version, *logs, table.seed[chosen], **about))


def measure(
    options,
    rng,
    schedules,
    convolution_rate,
    smoothness,
    closeness,
    starts,
    spectrum,
    basin_search,
    gd,
    sample_hessian,
    arrangements,
    path,
    gates,
    solver_work,
    success,
    descent,
    times,
    semismoothness,
    perturbed,
    separation,
):
    papers = {
        "du2018": one_filter(
            options, rng, schedules, convolution_rate, smoothness, closeness, starts
        ),
        "zhong2017": several_kernels(options, rng, spectrum, basin_search, gd, sample_hessian),
        "ergen2021": convex_programs(options, arrangements, path, gates, solver_work),
        "allenzhu2019": wide_networks(
            options, success, descent, times, semismoothness, perturbed, separation
        ),
    }
    found = [part.assign(paper=paper) for paper, parts in papers.items() for part in parts]
    return pd.concat(found, ignore_index=True)


if __name__ == "__main__":
    step.main(Options, measure)
