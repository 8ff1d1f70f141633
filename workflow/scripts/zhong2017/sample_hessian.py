"""Z6, N3: least eigenvalue of the empirical Hessian at the truth against the sample size n.

Samples are nested: a larger n extends the smaller one of the same trial, so that the curves of one
trial and the n at which half the population value is reached are comparable.
"""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.zhong2017 import draw_teacher, empirical_hessian, population_hessian
from workflow.scripts import step
from workflow.scripts.step import Count
from workflow.scripts.zhong2017.activations import Activation

Cell = Annotated[list[Count], Field(min_length=3, max_length=3)]


class Options(step.Options):
    """Z6 and N3, Theorem T2: the empirical Hessian at the truth against the sample size."""

    trials: Count = Field(description="teachers of a cell")
    activations: list[Activation] = Field(min_length=1, description="in every one of `cells`")
    samples: list[Count] = Field(min_length=1, description="grid of n")
    cells: list[Cell] = Field(min_length=1, description="where all activations are measured")
    growth: list[Cell] = Field(
        min_length=1, description="cells along which n_half grows, squared ReLU only"
    )
    growth_trials: Count = Field(description="teachers of a cell of `growth`")
    growth_samples: Count = Field(description="largest n there")


def nested_ends(filters, patches, samples, activation):
    """Least and largest eigenvalue of the Hessian of the first n inputs, for each n."""
    total, first = 0.0, 0
    for n in samples:
        # Sums over the new inputs only.
        total = total + (n - first) * empirical_hessian(filters, patches[first:n], activation)
        first = n
        yield np.linalg.eigvalsh(total / n)[[0, -1]]


def measure(options, rng):
    samples = sorted(options.samples)
    few = [n for n in samples if n <= options.growth_samples]
    if not few:
        raise ValueError(
            f"zhong2017.sample_hessian: no number in samples is at most growth_samples = "
            f"{options.growth_samples}; give a larger one"
        )
    cells = [
        (a, *cell, options.trials, samples) for cell in options.cells for a in options.activations
    ]
    cells += [("squared_relu", *cell, options.growth_trials, few) for cell in options.growth]
    rows = []
    for activation, k, t, r, trials, grid in step.progress(cells, label="Hessians", unit="cell"):
        for trial in range(trials):
            draws = rng(f"{k},{t},{r}", trial)
            filters = draw_teacher(t, k, rng=draws)
            exact = np.linalg.eigvalsh(population_hessian(filters, activation, r))[0]
            inputs = draws.standard_normal((grid[-1], r, k))
            ends = nested_ends(filters, inputs, grid, activation)
            for n, (least, most) in zip(grid, ends, strict=True):
                rows.append(
                    {
                        "activation": activation,
                        "patch_size": k,
                        "kernels": t,
                        "patches": r,
                        "seed": trial,
                        "samples": n,
                        "smallest": least,
                        "largest": most,
                        "population": exact,
                    }
                )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
