"""Claim 10, Theorem 3.2: SGD on a stream, one fresh input a step, all runs of a step size at once.

Realisable labels, and labels with noise (a control, which leaves a floor).
"""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.descent import gradient_descent
from cnntheory.du2018.laws import patch_mixture, sample_patch_angles, unit_vectors
from cnntheory.du2018.neuron import empirical_gradient
from workflow.scripts import step
from workflow.scripts.step import Count, Positive, Share, Spread

LATE = 0.8  # of the horizon: from here on the end error is averaged
POINTS = 60  # of a curve


class Setting(step.Options):
    """The stream and when a run has arrived."""

    base_sigma: Spread = Field(description="spread of the base patch, `.inf` is uniform")
    patch_sigma: Spread = Field(description="spread of the patches around it, `.inf` is uniform")
    patches: Count = Field(description="k")
    distance: Share = Field(0.5, description="of the start")
    tolerance: Positive = Field(0.01, description="distance to reach")
    horizon: Positive = Field(150.0, description="step times iterations")


class Options(Setting):
    """Claim 10, Theorem 3.2: SGD on a stream of inputs."""

    trials: Annotated[int, Field(ge=2)] = Field(description="runs of a step")
    steps: list[Positive] = Field(min_length=2, description="step sizes")
    noise: Positive = Field(description="standard deviation of the labels' noise in the control")


def noisy_stream(options, eta, noise, draws):
    """Iterates of all runs of a step size, each on its own stream of inputs."""
    law = patch_mixture(options.base_sigma, options.patch_sigma, options.patches)
    w_star = np.tile([1.0, 0.0], (options.trials, 1, 1))
    turn = draws.uniform(-np.pi, np.pi, options.trials)
    start = w_star + options.distance * unit_vectors(turn)[:, None]
    deviations = draws.spawn(1)[0]

    def gradient(w):
        z = unit_vectors(sample_patch_angles(law, draws, (options.trials, 1)))
        labels = noise * deviations.standard_normal((options.trials, 1, 1))
        return empirical_gradient(w, w_star, z, noise=labels)

    return gradient_descent(gradient, start, eta)


def follow(options, eta, noise, draws):
    """A row a run, and quantiles of the runs' errors along the way."""
    total = int(options.horizon / eta)
    late, every = int(LATE * total), max(total // POINTS, 1)
    hit = np.full(options.trials, np.inf)
    farthest, tail, curve = np.zeros(options.trials), np.zeros(options.trials), []
    for t, w in enumerate(noisy_stream(options, eta, noise, draws)):
        error = np.linalg.norm(w - [1.0, 0.0], axis=-1)[:, 0]
        hit[(error <= options.tolerance) & np.isinf(hit)] = t
        farthest = np.maximum(farthest, error)
        if t >= late:
            tail += error**2
        if t % every == 0:
            low, middle, high = np.quantile(error, [0.05, 0.5, 0.95])
            curve.append(
                dict(step=eta, noise=noise, iteration=t, low=low, median=middle, high=high)
            )
        if t == total:
            break
    runs = dict(
        step=eta,
        noise=noise,
        run=np.arange(options.trials),
        iterations=hit,
        escaped=farthest >= 1,
        end_error=np.sqrt(tail / (total - late + 1)),
    )
    return pd.DataFrame(runs), pd.DataFrame(curve)


def measure(options, rng):
    runs, curves = [], []
    for noise in (0.0, options.noise):
        for eta in step.progress(options.steps, label=f"label noise {noise:g}", unit="step size"):
            ends, curve = follow(options, eta, noise, rng(f"eta {eta}", 0))
            runs.append(ends)
            curves.append(curve)
    return {"table": pd.concat(runs), "curves": pd.concat(curves)}


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "curves"))
