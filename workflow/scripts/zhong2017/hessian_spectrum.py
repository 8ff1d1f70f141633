"""Z2-Z5, N2: extreme eigenvalues of the exact population Hessian at the truth.

Studies: ``patches`` (against r), ``bound`` (against r rho(sigma_t) / (kappa^2 lambda) for random
teachers), ``orthonormal`` (the same for orthonormal kernels, against t), ``parallel`` (two kernels
that close up on each other), ``size`` (against k, the kernels' shape fixed), ``duplicated`` (a
kernel given twice), ``rank 2`` (kernels of deficient rank, pairwise not parallel).
"""

from typing import Annotated, get_args

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.zhong2017 import draw_teacher, population_hessian, rho
from workflow.scripts import step
from workflow.scripts.step import Count
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
    against_kernels,
    near_parallel,
    against_size,
    degenerate,
)


class Options(step.Options):
    """Z2 to Z5 and N2, Theorem T1: the exact spectrum of the population Hessian at the truth."""

    trials: Count = Field(description="teachers of a study")
    teachers: Count = Field(description="random ones beside the bound")
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
