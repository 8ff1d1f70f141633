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
# Pre-activations of runs that descend at the same time: those of small samples, a step of which is
# all overhead. Larger ones would wait for the slowest among them.
TOGETHER = 1 << 13


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


def descend(starts, patches, y, activation, steps, tolerance):
    """Where the starts end, each on its own sample: filters, losses and the steps taken."""

    def curvature(filters):
        few = patches[:, :CURVATURE_SAMPLES], activation, y[:, :CURVATURE_SAMPLES]
        return empirical_hessian(filters, *few)

    objective = empirical_objective(patches, y, activation)
    descent = gradient_descent(
        starts, objective, curvature, max_iter=steps, refresh=50, tol=tolerance
    )
    taken = np.zeros(len(starts), dtype=int)
    for iteration, (filters, loss) in enumerate(descent):  # noqa: B007
        taken[~(loss <= tolerance)] = iteration + 1
    return filters, loss, np.minimum(taken, iteration)


def draw_trial(options, k, draws):
    """Teacher, starts that need no sample, and the largest sample of a trial."""
    t = options.kernels
    teacher = draw_teacher(t, k, rng=draws)
    starts = {
        "random": start_at_random(draws, (t, k), options.scale),
        "local": start_near(draws, teacher, options.radius),
    }
    inputs = draws.standard_normal((max(options.samples), options.patches, k))
    return teacher, starts, inputs, network_output(teacher, inputs, options.activation)


def descend_together(options, k, n, trials):
    """Rows of some trials, (seed, what `draw_trial` returns) each, on their first n samples."""
    about, starts, teachers, patches, labels = [], [], [], [], []
    for seed, (teacher, given, inputs, outputs) in trials:
        x, y = inputs[:n], outputs[:n]
        if "tensor" in options.starts:
            given["tensor"] = start_from_tensor(x, y, options.kernels, options.activation)
        for name in options.starts:
            about.append({"seed": seed, "start": name})
            starts.append(given[name])
            teachers.append(teacher)
            patches.append(x)
            labels.append(y)
    data = map(np.array, (starts, patches, labels))
    found = descend(*data, options.activation, options.steps, options.tolerance)
    for one, start, teacher, end, loss, iteration in zip(
        about, starts, teachers, *found, strict=True
    ):
        yield {
            "study": options.case,
            "activation": options.activation,
            "patch_size": k,
            "kernels": options.kernels,
            "patches": options.patches,
            "samples": n,
            **one,
            "start_error": largest_error(start, teacher),
            "max_error": largest_error(end, teacher),
            "end_loss": loss,
            "iteration": iteration,
        }


def batches(options):
    """Cells k and n, and the seeds whose runs descend together."""
    for k, n in product(options.patch_sizes, options.samples):
        entries = len(options.starts) * n * options.kernels * options.patches
        size = max(1, TOGETHER // entries)
        for first in range(0, options.trials, size):
            yield k, n, range(first, min(first + size, options.trials))


def measure(options, rng):
    rows, label = [], f"{options.case} {options.activation}"
    for k, n, seeds in step.progress(list(batches(options)), label=label, unit="batch"):
        trials = [(seed, draw_trial(options, k, rng(f"k {k}", seed))) for seed in seeds]
        rows += descend_together(options, k, n, trials)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
