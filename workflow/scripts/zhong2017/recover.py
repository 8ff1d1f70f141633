"""Z10: share of trials in which gradient descent recovers W*, over patch size and sample size.

From the tensor initialisation, from a start near the truth and from a random one, on the same
sample; a trial's smaller samples are the first of its largest. The error of the start is kept
beside that of the end: where the first is large and the second small, descent was lucky, and the
initialisation has no part in it.
"""

from itertools import product
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.zhong2017 import (
    draw_teacher,
    empirical_hessian,
    empirical_objective,
    gradient_descent,
    network_output,
    recovery_error,
)
from workflow.scripts import step
from workflow.scripts.step import Count, Positive
from workflow.scripts.zhong2017.activations import Identifiable
from workflow.scripts.zhong2017.starts import start_at_random, start_from_tensor, start_near

# The step 1 / lambda_max needs the curvature to a few per cent: this many samples tell it.
CURVATURE_SAMPLES = 1000


class Options(step.Options):
    """Z10, Theorem T5: where gradient descent recovers the kernels, from which start."""

    case: Literal["grid", "judged", "local", "tanh", "sigmoid", "erf"] = Field(
        description="which table"
    )
    activation: Identifiable = Field(description="phi")
    trials: Count = Field(description="teachers with their samples and starts")
    starts: list[Literal["tensor", "random", "local"]] = Field(
        min_length=1, description="which are compared"
    )
    samples: list[Count] = Field(min_length=1, description="grid of n")
    patch_sizes: list[Count] = Field(min_length=1, description="grid of k")
    kernels: Count = Field(description="t")
    patches: Count = Field(description="r")
    steps: Count = Field(description="at most")
    tolerance: Positive = Field(description="loss at which descent ends")
    scale: Positive = Field(1.5, description="length of a random start's kernels")
    radius: Positive = Field(0.1, description="distance of a local start")


def largest_error(filters, teacher):
    return recovery_error(filters, teacher).largest if np.isfinite(filters).all() else np.inf


def descend(start, patches, y, activation, steps, tolerance):
    """Where one start ends, its loss and the steps taken."""
    few = slice(CURVATURE_SAMPLES)

    def curvature(filters):
        return empirical_hessian(filters, patches[few], activation, y[few])

    objective = empirical_objective(patches, y, activation)
    descent = gradient_descent(
        start[None], objective, curvature, max_iter=steps, refresh=50, tol=tolerance
    )
    for iteration, (filters, loss) in enumerate(descent):  # noqa: B007
        pass
    return filters[0], loss[0], iteration


def measure(options, rng):
    activation, t, r = options.activation, options.kernels, options.patches
    rows = []
    cells = list(product(options.patch_sizes, range(options.trials)))
    for k, trial in step.progress(cells, label=f"{options.case} {activation}", unit="trial"):
        draws = rng(f"k {k}", trial)
        teacher = draw_teacher(t, k, rng=draws)
        starts = {
            "random": start_at_random(draws, (t, k), options.scale),
            "local": start_near(draws, teacher, options.radius),
        }
        inputs = draws.standard_normal((max(options.samples), r, k))
        labels = network_output(teacher, inputs, activation)
        for n in options.samples:
            patches, y = inputs[:n], labels[:n]
            if "tensor" in options.starts:
                starts["tensor"] = start_from_tensor(patches, y, t, activation)
            for name in options.starts:
                end, loss, iteration = descend(
                    starts[name], patches, y, activation, options.steps, options.tolerance
                )
                rows.append(
                    {
                        "study": options.case,
                        "activation": activation,
                        "patch_size": k,
                        "kernels": t,
                        "patches": r,
                        "samples": n,
                        "seed": trial,
                        "start": name,
                        "start_error": largest_error(starts[name], teacher),
                        "max_error": largest_error(end, teacher),
                        "end_loss": loss,
                        "iteration": iteration,
                    }
                )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
