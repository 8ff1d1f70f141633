"""Z2-Z5, N2: extreme eigenvalues of the exact population Hessian at the truth.

Studies: ``patches`` (against r), ``bound`` (against r rho(sigma_t) / (kappa^2 lambda) for random
teachers), ``orthonormal`` (the same for orthonormal kernels, against t), ``parallel`` (two kernels
that close up on each other), ``size`` (against k, the kernels' shape fixed), ``duplicated`` (a
kernel given twice), ``rank 2`` (kernels of deficient rank, pairwise not parallel).
"""

import json

import numpy as np
import pandas as pd

from cnntheory.zhong2017 import draw_teacher, population_hessian, rho
from workflow.scripts import step

SMOOTH_OR_KINKED = (
    "relu",
    "leaky_relu",
    "squared_relu",
    "sigmoid",
    "tanh",
    "erf",
)


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


def against_patches(args):
    for activation in SMOOTH_OR_KINKED:
        for seed in range(args.seeds):
            rng = step.generator(args.seed, "hessian_spectrum", "patches", seed)
            W = draw_teacher(rng, 6, 3)
            for patches in args.patches:
                yield "patches", seed, spectrum(W, activation, patches)


def against_bound(args):
    for activation in SMOOTH_OR_KINKED:
        for seed in range(args.teachers):
            rng = step.generator(args.seed, "hessian_spectrum", "bound", seed)
            kernels = int(rng.integers(2, 6))
            patch_size = int(rng.integers(kernels, 9))
            scale, kappa = np.exp(rng.uniform(np.log(0.2), np.log(3))), rng.uniform(1, 6)
            W = scale * draw_teacher(rng, patch_size, kernels, kappa)
            yield "bound", seed, spectrum(W, activation, int(rng.integers(1, 9)))


def against_kernels(args):
    for activation in SMOOTH_OR_KINKED:
        for kernels in args.kernels:
            # sigmoid: the constant is 1 only where some direction is free of kernels.
            W = orthonormal(max(args.kernels) + 1, kernels)
            yield "orthonormal", 0, spectrum(W, activation, 4)


def near_parallel(args):
    for activation in SMOOTH_OR_KINKED:
        for angle in args.angles:
            W = np.zeros((4, 2))
            W[0] = np.cos(angle / 2)
            W[1] = np.sin(angle / 2) * np.array([1, -1])
            yield "parallel", 0, spectrum(W, activation, 2)


def against_size(args):
    for activation in SMOOTH_OR_KINKED:
        for seed in range(args.seeds):
            rng = step.generator(args.seed, "hessian_spectrum", "size", seed)
            core = draw_teacher(rng, 3, 3)
            for patch_size in args.patch_sizes:
                W = np.zeros((patch_size, 3))
                W[:3] = core
                yield "size", seed, spectrum(W, activation, 4)


def degenerate(args):
    for activation in SMOOTH_OR_KINKED:
        for seed in range(args.seeds):
            rng = step.generator(args.seed, "hessian_spectrum", "degenerate", seed)
            W = draw_teacher(rng, 5, 3)
            twice, flat = W.copy(), W.copy()
            twice[:, 1] = twice[:, 0]
            flat[:, 2] = flat[:, 0] + flat[:, 1]
            for case, kernels in (("duplicated", twice), ("rank 2", flat)):
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
                yield case, seed, row


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        seed=int,
        seeds=int,
        teachers=int,
        patches=json.loads,
        kernels=json.loads,
        angles=json.loads,
        patch_sizes=json.loads,
    )
    studies = (
        against_patches,
        against_bound,
        against_kernels,
        near_parallel,
        against_size,
        degenerate,
    )
    rows = []
    for study in step.progress(studies, label="spectra", unit="study"):
        rows += [{"study": name, "seed": seed} | row for name, seed, row in study(args)]
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
