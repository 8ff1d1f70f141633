"""Figures 3a and 3b: SGD on the synthetic inputs, all levels and trials at once.

Start at distance 1/2, orthogonal to w*; levels share the order of their mini-batches. The table
keeps the relative filter error at fractions of an epoch.
"""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.descent import gradient_descent, minibatches
from cnntheory.du2018.laws import unit_vectors
from cnntheory.du2018.neuron import empirical_gradient
from workflow.scripts import step
from workflow.scripts.step import Count, Positive, Spread, SpreadOrNone, from_rule

POINTS = 10  # measurements an epoch


class Options(step.Options):
    """Figures 3a, 3b: SGD on the synthetic inputs."""

    case: Literal["neuron", "patches", "close_patches"] = Field(description="which inputs")
    dimension: Annotated[int, Field(ge=2)] = from_rule(description="p")
    sigmas: list[SpreadOrNone] = from_rule(description="the levels of the inputs")
    base_sigma: Spread | None = from_rule(None, description="spread of the base patch, if any")
    step: Positive = Field(description="eta")
    batch: Count = Field(description="inputs of a mini-batch")
    epochs: Count = Field(description="passes over the inputs")


def batches(angles, dimension, draws):
    """``next(batches)`` is a mini-batch ``(levels, trials, samples, patches, p)`` of the inputs.

    The directions across w* are the same for all levels of a trial.
    """
    levels, trials = angles.shape[:2]
    seeds = [rng.integers(2**63) for rng in draws]

    def turned(level, trial):
        return unit_vectors(angles[level, trial], dimension, np.random.default_rng(seeds[trial]))

    trial_axis, level_axis = np.arange(trials)[:, None], np.arange(levels)[:, None, None]
    if dimension > 2:
        z = np.stack([np.stack([turned(i, s) for s in range(trials)]) for i in range(levels)])
        return lambda picks: z[level_axis, trial_axis, picks]
    # In the plane the angles say it all: no need to hold all vectors.
    return lambda picks: unit_vectors(angles[level_axis, trial_axis, picks])


def measure(options, rng, inputs):
    levels, trials, samples, _ = inputs.shape
    p = options.dimension
    draws = [rng(f"R^{p}", trial) for trial in range(trials)]
    batch_of = batches(inputs, p, draws)
    orders = [minibatches(draw, samples, options.batch) for draw in draws]
    w_star = np.zeros((levels, trials, 1, p))
    w_star[..., 0] = 1.0
    start = w_star.copy()
    start[..., 1] = 0.5

    def gradient(w):
        return empirical_gradient(w, w_star, batch_of(np.stack([next(order) for order in orders])))

    per_epoch = samples // options.batch
    every = max(per_epoch // POINTS, 1)
    total = options.epochs * per_epoch
    rows = []
    with step.progress(total=total, label="SGD", unit="step") as bar:
        for t, w in enumerate(gradient_descent(gradient, start, options.step)):
            if t % every == 0:
                error = np.linalg.norm(w - w_star, axis=-1)[..., 0]
                rows.append(
                    pd.DataFrame(
                        dict(
                            sigma=np.repeat(options.sigmas, trials),
                            seed=np.tile(np.arange(trials), levels),
                            epoch=t / per_epoch,
                            iteration=t,
                            filter_error=error.ravel(),
                        )
                    )
                )
            if t == total:
                break
            bar.update()
    table = pd.concat(rows).assign(dimension=p)
    return table if options.base_sigma is None else table.assign(base_sigma=options.base_sigma)


if __name__ == "__main__":
    step.main(Options, measure)
