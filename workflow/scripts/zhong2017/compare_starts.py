"""Z11: population gradient descent from tensor initialisation, random and local starts, paired.

A trial is a teacher with its three starts. The tensor initialisation sees `samples` inputs;
descent is on the population loss, so that a failure is one of the start, not of the sample.
"""

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.zhong2017 import (
    draw_teacher,
    gradient_descent,
    network_output,
    population_hessian,
    population_objective,
    recovery_error,
)
from workflow.scripts import step
from workflow.scripts.step import Count, Positive
from workflow.scripts.zhong2017.starts import start_at_random, start_from_tensor, start_near

STARTS = ("tensor", "random", "local")
POINTS = 60  # of a curve


class Options(step.Options):
    """Z11, Theorem T5: three kinds of starts on the population loss."""

    case: Literal["relu_12", "relu_8", "erf_5", "erf_5_few"] = Field(description="which table")
    activation: Literal["relu", "leaky_relu", "erf"] = Field(description="phi")
    trials: Count = Field(description="teachers with their starts")
    samples: Count = Field(description="n of the tensor initialisation")
    patch_size: Count = Field(description="k")
    kernels: Count = Field(description="t")
    patches: Count = Field(description="r")
    steps: Count = Field(description="of descent, at most")
    scale: Positive = Field(description="length of a random start's kernels")
    radius: Positive = Field(0.1, description="distance of a local start")
    refresh: Count = Field(100, description="steps between Hessians")


def draw_trials(options, rng):
    """Teachers and starts, shapes (trials, t, k) and (3, trials, t, k)."""
    k, t = options.patch_size, options.kernels
    teachers, starts = [], []
    progress = step.progress(range(options.trials), label="tensor initialisation", unit="trial")
    for trial in progress:
        draws = rng(f"k {k}, t {t}", trial)
        teacher = draw_teacher(t, k, rng=draws)
        random = start_at_random(draws, (t, k), options.scale)
        local = start_near(draws, teacher, options.radius)
        patches = draws.standard_normal((options.samples, options.patches, k))
        y = network_output(teacher, patches, options.activation)
        tensor = start_from_tensor(patches, y, t, options.activation)
        teachers.append(teacher)
        starts.append((tensor, random, local))
    return np.array(teachers), np.array(starts).swapaxes(0, 1)


def descend(options, name, teachers, first):
    """Table and curves of one kind of starts, shape (trials, t, k)."""
    descent = gradient_descent(
        first,
        population_objective(teachers, options.activation, options.patches),
        lambda filters: population_hessian(filters, options.activation, options.patches),
        max_iter=options.steps,
        refresh=options.refresh,
        tol=1e-14,
    )
    setting = {
        "activation": options.activation,
        "patch_size": options.patch_size,
        "kernels": options.kernels,
        "samples": options.samples,
        "start": name,
        "seed": np.arange(options.trials),
    }
    shown = {0, *np.unique(np.geomspace(1, options.steps, POINTS).astype(int))}
    curves = []
    descent = step.progress(descent, total=options.steps + 1, label=name, unit="step")
    for iteration, (end, loss) in enumerate(descent):  # noqa: B007
        if iteration in shown:
            curves.append(pd.DataFrame({**setting, "iteration": iteration, "loss": loss}))
    # Descent ends early when every start has arrived: the curves stay where they are.
    for later in sorted(i for i in shown if i > iteration):
        curves.append(pd.DataFrame({**setting, "iteration": later, "loss": loss}))

    def errors(found):
        return [recovery_error(*pair).largest for pair in zip(found, teachers, strict=True)]

    found = {"start_error": errors(first), "max_error": errors(end), "end_loss": loss}
    return pd.DataFrame({**setting, **found}), pd.concat(curves)


def measure(options, rng):
    teachers, starts = draw_trials(options, rng)
    # One kind after the other: most of one kind arrive early, and those of another never.
    kinds = zip(STARTS, starts, strict=True)
    found = [descend(options, name, teachers, first) for name, first in kinds]
    return dict(zip(("table", "curves"), map(pd.concat, zip(*found, strict=True)), strict=True))


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "curves"))
