"""Tensor initialisation and population Hessians, beside the direct ways.

The direct way of the first forms the whole ``p^3`` moment, block by block with ``einsum``, and
hands it to TensorLy's ``parafac``; signs and magnitudes are then found as in the library. Beside it
stands one product ``Z^T diag(y) Z``, which every method of moments needs.
"""

import numpy as np
from paired import paired, row
from tensorly.decomposition import parafac

from cnntheory.zhong2017 import (
    ACTIVATIONS,
    draw_teacher,
    network_output,
    population_hessian,
    recovery_error,
    tensor_initialise,
)
from cnntheory.zhong2017.activations import as_activation
from cnntheory.zhong2017.initialise import signs_and_magnitudes
from cnntheory.zhong2017.moments import first_moment

ROWS = 20_000
# With room for the products of two columns einsum ends in one BLAS call a block; its default
# limit on memory takes a path that is four to twelve times slower.
PATH = ("greedy", 1 << 30)
# Activation and patch size: least speed-up over the direct way.
BARS = {
    ("squared_relu", 10): None,
    ("squared_relu", 30): 10,
    ("squared_relu", 50): 20,
    ("tanh", 10): None,
    ("tanh", 30): 3,
    ("tanh", 50): None,
}
# Time of the one product over that of the library, at least.
LIMITS = {"squared_relu": 1 / 2, "tanh": 1 / 4}


def direct_initialise(patches, y, n_filters, activation):
    """Form ``M_3`` as a whole, decompose it with TensorLy, scale by ``M_1``."""
    mean = y.mean()
    _, k, p = patches.shape
    z = patches.reshape(-1, p)
    c = np.repeat(y - mean, k)
    moment = np.zeros((p, p, p))
    for start in range(0, len(z), ROWS):
        block, weight = z[start : start + ROWS], c[start : start + ROWS]
        moment += np.einsum("n,ni,nj,nk->ijk", weight, block, block, block, optimize=PATH)
    moment /= len(z)
    M_1 = first_moment(patches, y - mean)
    trace = np.einsum("i,jk->ijk", M_1, np.eye(p))
    moment -= trace + trace.transpose(1, 0, 2) + trace.transpose(1, 2, 0)
    factors = parafac(moment, n_filters, init="svd", n_iter_max=200, tol=1e-8).factors
    directions = (factors[0] / np.linalg.norm(factors[0], axis=0)).T
    ceiling = ACTIVATIONS[activation].ceiling(M_1, mean / k, n_filters)
    return signs_and_magnitudes(directions, M_1, activation, ceiling)[0]


def one_product(patches, y):
    """The one product that every method needs, ``Z^T diag(y) Z``, rows weighted once."""
    z = patches.reshape(-1, patches.shape[-1])
    return z.T @ (np.repeat(y, patches.shape[1])[:, None] * z)


def initialise(activation, p, repeats, n=160_000, k=4, n_filters=3):
    """Tensor initialisation beside the direct way, and beside one product of matrices."""
    rng = np.random.default_rng(0)
    teacher = draw_teacher(n_filters, p, rng=rng)
    patches = rng.standard_normal((n, k, p))
    y = network_output(teacher, patches, activation)
    data = (patches, y, n_filters, activation)
    ways = {
        "library": lambda: tensor_initialise(*data).filters,
        "einsum + TensorLy": lambda: direct_initialise(*data),
        "one product": lambda: one_product(patches, y),
    }
    seconds, found = paired(ways, repeats)
    ours, theirs = (
        recovery_error(found[name], teacher).frobenius for name in ("library", "einsum + TensorLy")
    )
    size = f"{activation}, n = {n}, r = {k}, k = {p}, t = {n_filters}"
    work = "tensor initialisation"
    said = f"error {ours:.4f}, peer {theirs:.4f}"
    yield row(work, size, seconds, "einsum + TensorLy", BARS[activation, p], said)
    yield row(work, size, seconds, "one product", LIMITS[activation], "a part of any way")


def eigenvalues(name, repeats, m=5, p=10, draws=4_000_000):
    """Least eigenvalue of the population Hessian, beside Monte Carlo."""
    rng = np.random.default_rng(0)
    teacher = draw_teacher(m, p, rng=rng)
    activation = as_activation(name)

    def sampled():
        total = np.zeros((m * p, m * p))
        for _ in range(draws // ROWS):
            z = rng.standard_normal((ROWS, p))
            g = (activation(z @ teacher.T, 1)[:, :, None] * z[:, None]).reshape(ROWS, -1)
            total += g.T @ g
        return np.linalg.eigvalsh(total / draws)[0]

    ways = {
        "library": lambda: np.linalg.eigvalsh(population_hessian(teacher, activation, 1))[0],
        "Monte Carlo": sampled,
    }
    seconds, found = paired(ways, repeats)
    apart = abs(found["Monte Carlo"] / found["library"] - 1)
    size = f"{name}, m = {m}, p = {p}; {draws:.0e} draws"
    said = f"exact; the draws are {apart:.1e} off"
    yield row("population Hessian's eigenvalue", size, seconds, "Monte Carlo", 100, said)


def comparisons(repeats):
    """Rows of the table."""
    for activation, p in BARS:
        yield from initialise(activation, p, repeats)
    for activation in ("relu", "tanh"):
        yield from eigenvalues(activation, repeats)
