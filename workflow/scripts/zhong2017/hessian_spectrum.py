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
from cnntheory.zhong2017 import draw_teacher, population_hessian, rho, series_hessian
from workflow.scripts import step
from workflow.scripts.step import Count, Positive
from workflow.scripts.zhong2017.activations import Activation

ACTIVATIONS = get_args(Activation)


def spectrum(W, activation, patches):
    """Extreme eigenvalues, singular values' condition numbers and the theorem's bound."""
    eigenvalues = np.linalg.eigvalsh(population_hessian(W, activation, patches))
    singular = np.linalg.svd(W, compute_uv=False)
    kappa, volume = singular[0] / singular[-1], np.prod(singular / singular[-1])
    bound = patches * float(rho(activation, singular[-1])) / (kappa**2 * volume)
    return {
        "activation": activation,
        "patch_size": W.shape[0],
        "kernels": W.shape[1],
        "patches": patches,
        "kappa": kappa,
        "smallest": eigenvalues[0],
        "largest": eigenvalues[-1],
        "kappa_lambda": kappa**2 * volume,
        "bound": bound,
    }


def orthonormal(patch_size, kernels):
    """Kernels e_1 .. e_t: the Hessian's spectrum does not depend on the rotation."""
    return np.eye(patch_size)[:, :kernels]


def against_patches(options, rng):
    for activation in ACTIVATIONS:
        for trial in range(options.trials):
            draws = rng("patches", trial)
            W = draw_teacher(draws, 6, 3)
            for patches in options.patches:
                yield "patches", trial, spectrum(W, activation, patches)


def against_bound(options, rng):
    for activation in ACTIVATIONS:
        for trial in range(options.teachers):
            draws = rng("bound", trial)
            kernels = int(draws.integers(2, 6))
            patch_size = int(draws.integers(kernels, 9))
            scale, kappa = np.exp(draws.uniform(np.log(0.2), np.log(3))), draws.uniform(1, 6)
            W = scale * draw_teacher(draws, patch_size, kernels, kappa)
            yield "bound", trial, spectrum(W, activation, int(draws.integers(1, 9)))


def shaped(points, kernels, kappa, scales):
    """Teachers (points, t + 1, t) of condition number kappa, from points in R^(t^2 + t - 1).

    W* = diag(sigma) V^T: a rotation of the inputs changes no spectrum, and one of their coordinates
    stays free of kernels. t^2 numbers make V, one sigma_t within `scales`, t - 2 the singular
    values between the ends.
    """
    square, rest = np.split(points, [kernels**2], axis=1)
    V = np.linalg.qr(square.reshape(-1, kernels, kernels))[0]
    share = (1 + np.sin(rest)) / 2
    ends = np.broadcast_to([0.0, 1.0], (len(points), 2))
    between = np.concatenate([ends, share[:, 1:]], axis=1)
    low, high = np.log(scales)
    sigma = np.exp(low + (high - low) * share[:, :1] + np.log(kappa) * between)
    W = np.zeros((len(points), kernels + 1, kernels))
    W[:, :kernels] = sigma[..., None] * np.swapaxes(V, 1, 2)
    return W


def against_worst(options, rng):
    for activation in ACTIVATIONS:
        for trial in range(options.searches):
            draws = rng(f"search {activation}", trial)
            kernels = int(draws.integers(2, 5))
            kappa = options.kappas[trial % len(options.kappas)]

            def teachers(points, kernels=kernels, kappa=kappa):
                return shaped(points, kernels, kappa, options.scales)

            def ratio(points, activation=activation, teachers=teachers):
                W = teachers(points)
                # r = 1: the term of the mean only adds.
                smallest = np.linalg.eigvalsh(series_hessian(W, activation, 1))[:, 0]
                singular = np.linalg.svd(W, compute_uv=False)
                bound = rho(activation, singular[:, -1]) / (singular[:, 0] / singular[:, -1]) ** 2
                return smallest * np.prod(singular / singular[:, -1:], axis=1) / bound

            start = draws.standard_normal(kernels**2 + kernels - 1)
            found = worst_case(ratio, start, rng=draws, evaluations=options.evaluations)
            row = spectrum(teachers(found.point[None])[0], activation, 1)
            yield "search", trial, row | {"evaluations": found.evaluations}


def against_kernels(options, _):
    for activation in ACTIVATIONS:
        for kernels in options.kernels:
            # sigmoid: the constant is 1 only where some direction is free of kernels.
            W = orthonormal(max(options.kernels) + 1, kernels)
            yield "orthonormal", 0, spectrum(W, activation, 4)


def near_parallel(options, _):
    for activation in ACTIVATIONS:
        for angle in options.angles:
            W = np.zeros((4, 2))
            W[0] = np.cos(angle / 2)
            W[1] = np.sin(angle / 2) * np.array([1, -1])
            yield "parallel", 0, spectrum(W, activation, 2)


def against_size(options, rng):
    for activation in ACTIVATIONS:
        for trial in range(options.trials):
            draws = rng("size", trial)
            core = draw_teacher(draws, 3, 3)
            for patch_size in options.patch_sizes:
                W = np.zeros((patch_size, 3))
                W[:3] = core
                yield "size", trial, spectrum(W, activation, 4)


def degenerate(options, rng):
    for activation in ACTIVATIONS:
        for trial in range(options.trials):
            draws = rng("degenerate", trial)
            W = draw_teacher(draws, 5, 3)
            twice, flat = W.copy(), W.copy()
            twice[:, 1] = twice[:, 0]
            flat[:, 2] = flat[:, 0] + flat[:, 1]
            for study, kernels in (("duplicated", twice), ("rank 2", flat)):
                H = population_hessian(kernels, activation, 2)
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
