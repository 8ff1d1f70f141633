"""Z7: how far from the truth the loss stays convex: least eigenvalue of its full Hessian.

Population Hessian with the residual's term at ``W* + delta ||W*||_F D`` for random unit D; the
worst D is what `search_basin` looks for. For the ReLU the almost-everywhere Hessian, which leaves
out a point mass, hence also the monotonicity ``<grad f(W), W - W*> / ||W - W*||^2`` of the
population gradient where it is closed.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.zhong2017 import (
    as_activation,
    draw_teacher,
    population_objective,
    series_hessian,
)
from workflow.scripts import step
from workflow.scripts.step import Count, NonNegative
from workflow.scripts.zhong2017.activations import Activation
from workflow.scripts.zhong2017.starts import draw_filters


class Options(step.Options):
    """Z7, Theorem T2: how far from the truth the loss is convex."""

    trials: Count = Field(description="teachers")
    activations: list[Activation] = Field(min_length=1, description="phi")
    radii: list[NonNegative] = Field(min_length=2, description="distances from the truth")
    directions: Count = Field(description="random ones a teacher")
    patch_size: Count = Field(description="k")
    kernels: Count = Field(description="t")
    patches: Count = Field(description="r")


def monotonicity(filters, teacher, activation, patches):
    """``<grad f(W), W - W*> / ||W - W*||^2`` where the population gradient is closed, else NaN."""
    if not as_activation(activation).has_kernel:
        return np.full(len(filters), np.nan)
    _, gradient = population_objective(teacher, activation, patches)(filters)
    away = filters - teacher
    return (gradient * away).sum(axis=(1, 2)) / (away**2).sum(axis=(1, 2))


def mean_residual(filters, teacher, activation, patches):
    """``E f_W - E f_{W*}``: what meets phi'' in the Hessian beside the residual's fluctuation."""
    phi = as_activation(activation)
    means = [phi.gamma(0, np.linalg.norm(W, axis=-1)).sum(axis=-1) for W in (filters, teacher)]
    return patches * (means[0] - means[1])


def measure(options, rng):
    tables = []
    for activation in step.progress(options.activations, label="basin", unit="activation"):
        for trial in range(options.trials):
            draws = rng("teacher", trial)
            teacher = draw_teacher(options.kernels, options.patch_size, rng=draws)
            D = draw_filters(draws, (options.directions, *teacher.shape))
            D *= np.linalg.norm(teacher) / np.linalg.norm(D, axis=(1, 2), keepdims=True)
            for radius in options.radii:
                filters = teacher + radius * D
                about = (teacher, activation, options.patches)
                H = series_hessian(filters, activation, options.patches, teacher=teacher)
                tables.append(
                    pd.DataFrame(
                        {
                            "activation": activation,
                            "seed": trial,
                            "radius": radius,
                            "direction": np.arange(options.directions),
                            "smallest": np.linalg.eigvalsh(H)[:, 0],
                            "mean_residual": mean_residual(filters, *about),
                            "monotonicity": monotonicity(filters, *about),
                        }
                    )
                )
    return pd.concat(tables)


if __name__ == "__main__":
    step.main(Options, measure)
