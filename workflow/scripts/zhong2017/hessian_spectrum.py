"""Z2-Z5, N2: extreme eigenvalues of the exact population Hessian at the truth.

Studies: ``patches`` (against r), ``bound`` (against r rho(sigma_t) / (kappa^2 lambda) for random
teachers), ``search`` (the same for the worst teacher of a given kappa), ``orthonormal`` (for
orthonormal kernels, against t), ``parallel`` (two kernels that close up on each other), ``size``
(against k, the kernels' shape fixed), ``duplicated`` (a kernel given twice), ``rank 2`` (kernels
of deficient rank, pairwise not parallel).
"""

from typing import Annotated, get_args

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.search import worst_case
from cnntheory.zhong2017 import as_activation, draw_teacher, population_hessian, series_hessian
from workflow.scripts import step
from workflow.scripts.step import Count, Positive
from workflow.scripts.zhong2017.activations import Activation

ACTIVATIONS = get_args(Activation)


def spectrum(filters, activation, patches):
    """Extreme eigenvalues, singular values' condition numbers and the theorem's bound."""
    eigenvalues = np.linalg.eigvalsh(population_hessian(filters, activation, patches))
    singular = np.linalg.svd(filters.T, compute_uv=False)  # of W*
    kappa, volume = singular[0] / singular[-1], np.prod(singular / singular[-1])
    rho = as_activation(activation).rho(singular[-1])
    bound = patches * float(rho) / (kappa**2 * volume)
    return {
        "activation": activation,
        "patch_size": filters.shape[1],
        "kernels": filters.shape[0],
        "patches": patches,
        "kappa": kappa,
        "smallest": eigenvalues[0],
        "largest": eigenvalues[-1],
        "kappa_lambda": kappa**2 * volume,
        "bound": bound,
    }


def orthonormal(patch_size, kernels):
    """Filters e_1 .. e_t: the Hessian's spectrum does not depend on the rotation."""
    return np.eye(kernels, patch_size)


def against_patches(options, rng):
    for activation in ACTIVATIONS:
        for trial in range(options.trials):
            draws = rng("patches", trial)
            filters = draw_teacher(3, 6, rng=draws)
            for patches in options.patches:
                yield "patches", trial, spectrum(filters, activation, patches)


def against_bound(options, rng):
    for activation in ACTIVATIONS:
        for trial in range(options.teachers):
            draws = rng("bound", trial)
            kernels = int(draws.integers(2, 6))
            patch_size = int(draws.integers(kernels, 9))
            scale, kappa = np.exp(draws.uniform(np.log(0.2), np.log(3))), draws.uniform(1, 6)
            filters = scale * draw_teacher(kernels, patch_size, kappa, rng=draws)
            yield "bound", trial, spectrum(filters, activation, int(draws.integers(1, 9)))


def shaped(points, kernels, kappa, scales):
    """Teachers (points, t, t + 1) of condition number kappa, from points in R^(t^2 + t - 1).

    Filters V diag(sigma): a rotation of the inputs changes no spectrum, and one of their entries
    stays free of filters. t^2 numbers make V, one sigma_t within `scales`, t - 2 the singular
    values between the ends.
    """
    square, rest = np.split(points, [kernels**2], axis=1)
    V = np.linalg.qr(square.reshape(-1, kernels, kernels))[0]
    share = (1 + np.sin(rest)) / 2
    ends = np.broadcast_to([0.0, 1.0], (len(points), 2))
    between = np.concatenate([ends, share[:, 1:]], axis=1)
    low, high = np.log(scales)
    sigma = np.exp(low + (high - low) * share[:, :1] + np.log(kappa) * between)
    filters = np.zeros((len(points), kernels, kernels + 1))
    filters[..., :kernels] = V * sigma[:, None]
    return filters


def against_worst(options, rng):
    for activation in ACTIVATIONS:
        for trial in range(options.searches):
            draws = rng(f"search {activation}", trial)
            kernels = int(draws.integers(2, 5))
            kappa = options.kappas[trial % len(options.kappas)]

            def teachers(points, kernels=kernels, kappa=kappa):
                return shaped(points, kernels, kappa, options.scales)

            def ratio(points, activation=activation, teachers=teachers):
                filters = teachers(points)
                # r = 1: the term of the mean only adds.
                smallest = np.linalg.eigvalsh(series_hessian(filters, activation, 1))[:, 0]
                singular = np.linalg.svd(filters.swapaxes(1, 2), compute_uv=False)
                rho = as_activation(activation).rho(singular[:, -1])
                bound = rho / (singular[:, 0] / singular[:, -1]) ** 2
                return smallest * np.prod(singular / singular[:, -1:], axis=1) / bound

            start = draws.standard_normal(kernels**2 + kernels - 1)
            found = worst_case(ratio, start, rng=draws, evaluations=options.evaluations)
            row = spectrum(teachers(found.point[None])[0], activation, 1)
            yield "search", trial, row | {"evaluations": found.evaluations}


def against_kernels(options, _):
    for activation in ACTIVATIONS:
        for kernels in options.kernels:
            # sigmoid: the constant is 1 only where some direction is free of filters.
            filters = orthonormal(max(options.kernels) + 1, kernels)
            yield "orthonormal", 0, spectrum(filters, activation, 4)


def near_parallel(options, _):
    for activation in ACTIVATIONS:
        for angle in options.angles:
            filters = np.zeros((2, 4))
            filters[:, 0] = np.cos(angle / 2)
            filters[:, 1] = np.sin(angle / 2) * np.array([1, -1])
            yield "parallel", 0, spectrum(filters, activation, 2)


def against_size(options, rng):
    for activation in ACTIVATIONS:
        for trial in range(options.trials):
            draws = rng("size", trial)
            core = draw_teacher(3, 3, rng=draws)
            for patch_size in options.patch_sizes:
                filters = np.zeros((3, patch_size))
                filters[:, :3] = core
                yield "size", trial, spectrum(filters, activation, 4)


def degenerate(options, rng):
    for activation in ACTIVATIONS:
        for trial in range(options.trials):
            draws = rng("degenerate", trial)
            filters = draw_teacher(3, 5, rng=draws)
            twice, flat = filters.copy(), filters.copy()
            twice[1] = twice[0]
            flat[2] = flat[0] + flat[1]
            for study, filters in (("duplicated", twice), ("rank 2", flat)):
                H = population_hessian(filters, activation, 2)
                eigenvalues = np.linalg.eigvalsh(H)
                row = {
                    "activation": activation,
                    "patch_size": 5,
                    "kernels": 3,
                    "patches": 2,
                    "kappa": np.inf,
                    "kappa_lambda": np.inf,
                    "smallest": eigenvalues[0],
                    "largest": eigenvalues[-1],
                    "bound": 0.0,
                }
                yield study, trial, row


STUDIES = (
    against_patches,
    against_bound,
    against_worst,
    against_kernels,
    near_parallel,
    against_size,
    degenerate,
)


class Options(step.Options):
    """Z2 to Z5 and N2, Theorem T1: the exact spectrum of the population Hessian at the truth."""

    trials: Count = Field(description="teachers of a study")
    teachers: Count = Field(description="random ones beside the bound")
    searches: Count = Field(description="for the worst teacher, each activation")
    kappas: list[Annotated[float, Field(ge=1)]] = Field(
        min_length=1, description="condition numbers, in turn, of those searched"
    )
    scales: list[Positive] = Field(
        min_length=2, max_length=2, description="range of sigma_t of those searched"
    )
    evaluations: Count = Field(description="Hessians of a search")
    patches: list[Count] = Field(min_length=1, description="grid of r")
    kernels: list[Annotated[int, Field(ge=2)]] = Field(
        min_length=3, description="grid of t, orthonormal kernels"
    )
    angles: list[Annotated[float, Field(gt=0, le=1.5)]] = Field(
        min_length=2, description="between two near-parallel kernels, radians"
    )
    patch_sizes: list[Annotated[int, Field(ge=4)]] = Field(min_length=2, description="grid of k")


def measure(options, rng):
    rows = []
    for study in step.progress(STUDIES, label="spectra", unit="study"):
        rows += [{"study": name, "seed": seed} | row for name, seed, row in study(options, rng)]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
