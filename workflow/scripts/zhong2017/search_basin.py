"""Z7, T2: how far from the truth the loss stays convex in every direction, by search.

Minimises the least eigenvalue of the Hessian at ``W* + delta ||W*||_F D`` over unit directions D,
of the population loss and of the loss of n = C d samples, at growing radii until it is negative.
The search asks for the fast Hessian; what it finds is measured by the exact one.
"""

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.search import worst_case
from cnntheory.zhong2017 import (
    draw_teacher,
    empirical_hessian,
    network_output,
    population_hessian,
    series_hessian,
)
from workflow.scripts import step
from workflow.scripts.step import Count, Positive

Smooth = Literal["squared_relu", "sigmoid", "tanh", "erf"]


class Options(step.Options):
    """Z7, Theorem T2: the worst direction at every distance from the truth."""

    trials: Count = Field(description="teachers, those of `measure_basin`")
    activations: list[Smooth] = Field(min_length=1, description="phi, with a Hessian everywhere")
    radii: list[Positive] = Field(min_length=2, description="distances from the truth")
    evaluations: Count = Field(description="Hessians that the searches may ask for at a radius")
    restarts: Count = Field(description="searches at a radius, beside the one that goes on")
    factors: list[Count] = Field(description="C, for samples n = C d; the population comes too")
    sampled: list[Smooth] = Field(description="phi whose empirical loss is searched too")
    patch_size: Count = Field(description="k")
    kernels: Count = Field(description="t")
    patches: Count = Field(description="r")


def shaped(points, teacher):
    """Filters of the teacher's shape from points in R^(m p), entry by entry as they are drawn."""
    m, p = teacher.shape
    return points.reshape(-1, p, m).swapaxes(1, 2)


def steepest(hessian, teacher, distance):
    """Unit directions (2 t k, t k) along which v^T H v falls or rises fastest, v each eigenvector.

    Which of the close eigenvalues is the least farther out is open: all are starts for a search.
    """
    shifts = distance * shaped(np.eye(teacher.size), teacher)
    _, vectors = np.linalg.eigh(hessian(teacher[None])[0])
    ahead, behind = hessian(teacher + shifts), hessian(teacher - shifts)
    slopes = np.einsum("ai,pab,bi->ip", vectors, ahead - behind, vectors)
    slopes /= np.linalg.norm(slopes, axis=1, keepdims=True)
    return np.concatenate([slopes, -slopes])


def worst_directions(fast, exact, teacher, options, rng):
    """Worst curvature at each radius, up to the first that is negative.

    Yields radius, least eigenvalue of the exact Hessian, and Hessians asked for.
    """
    length = np.linalg.norm(teacher)
    candidates = steepest(fast, teacher, 0.01 * length)
    best = candidates[:0]
    yield 0.0, least(exact(teacher[None]))[0], 0
    for radius in sorted(options.radii):

        def place(points, radius=radius):
            unit = points / np.linalg.norm(points, axis=-1, keepdims=True)
            return teacher + radius * length * shaped(unit, teacher)

        def value(points, place=place):
            return least(fast(place(points)))

        # The best of the candidates, and where the search at the radius before has come to.
        order = np.argsort(value(candidates))[: options.restarts]
        starts = np.concatenate([best, candidates[order]])
        found = worst_case(value, starts, rng=rng, evaluations=options.evaluations, spread=0.1)
        best = found.point[None] / np.linalg.norm(found.point)
        worst = least(exact(place(best)))[0]
        yield radius, worst, found.evaluations + len(candidates)
        if worst < 0:
            return


def least(H):
    return np.linalg.eigvalsh(H)[..., 0]


def losses(activation, teacher, options, rng):
    """Samples, fast Hessian and exact one, of the population loss and of every sample size."""
    r, d = options.patches, options.patches * options.patch_size

    def exact(filters):
        return population_hessian(filters, activation, r, teacher)

    def series(filters):
        return series_hessian(filters, activation, r, teacher)

    # The population is one of infinitely many samples.
    yield np.inf, series, exact
    factors = options.factors if activation in options.sampled else []
    inputs = rng.standard_normal((max(factors, default=0) * d, r, options.patch_size))
    for factor in factors:
        patches = inputs[: factor * d]
        labels = network_output(teacher, patches, activation)

        def empirical(filters, patches=patches, labels=labels):
            return empirical_hessian(filters, patches, activation, labels)

        yield factor * d, empirical, empirical


def measure(options, rng):
    rows = []
    cells = [(a, trial) for a in options.activations for trial in range(options.trials)]
    for activation, trial in step.progress(cells, label="worst directions", unit="teacher"):
        draws = rng("teacher", trial, stream="measure_basin")
        teacher = draw_teacher(options.kernels, options.patch_size, rng=draws)
        for n, fast, exact in losses(activation, teacher, options, rng("sample", trial)):
            search = rng(f"{activation}, {n}", trial)
            about = {"activation": activation, "seed": trial, "samples": n}
            rows += [
                about | {"radius": radius, "smallest": worst, "evaluations": spent}
                for radius, worst, spent in worst_directions(fast, exact, teacher, options, search)
            ]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
