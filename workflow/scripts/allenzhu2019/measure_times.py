"""P3: iterations until the loss has fallen to 1e-3, measured and predicted by the frozen kernel.

Varies the width, the number of images, the depth, or the distance delta of random pairs of inputs
with opposite labels (then the inputs are synthetic and `subset` numbers them).
"""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from cnntheory.allenzhu2019 import (
    copy,
    forward,
    gram_matrix,
    movement,
    predicted_iterations,
    step_size,
    train,
)
from cnntheory.allenzhu2019.inputs import pairs, separation
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, Trials, crossing, numpy, on_images
from workflow.scripts.step import Count, Positive, from_rule


class Options(step.Options):
    """P3: iterations until the loss has fallen, measured and predicted."""

    case: Literal["samples", "depth", "pairs", "wide_pairs"] = Field(description="what is varied")
    widths: list[Count] = Field(min_length=1, description="m")
    depths: list[Count] = Field(min_length=1, description="L")
    samples: list[Count] = Field(min_length=1, description="n")
    trials: Count = Field(description="seeds of the weights (and of the random pairs)")
    subsets: Count = Field(1, description="of the images, each with every seed")
    distances: list[Annotated[float, Field(gt=0, le=1.4)]] = Field(
        [],
        min_length=2,
        description="delta of random pairs with opposite labels (then no images are used)",
    )
    dimension: Count = Field(196, description="of the random pairs")
    steps: Count = Field(description="iterations, at most")
    tolerance: Positive = Field(1e-3, description="of the loss, in units of its start")
    device: str = from_rule("cpu", description="where to compute")


def paired_inputs(options, rng):
    """Trials on random pairs, one batch of them for every distance."""
    seed = np.arange(options.trials)
    drawn = [
        pairs(
            rng("pairs", s, stream="measure_times"),
            options.samples[0] // 2,
            options.dimension,
            options.distances,
        )
        for s in seed
    ]
    x = np.stack([inputs for inputs, _ in drawn], axis=1)
    y = torch.as_tensor(np.stack([labels for _, labels in drawn]), device=options.device)
    for distance, inputs in zip(options.distances, x, strict=True):
        on_device = torch.as_tensor(inputs, device=options.device)
        yield distance, Trials(seed, seed, on_device, y, separation(inputs))


def train_trials(options, rng, width, depth, trials):
    """Rows of one setting."""
    net = trials.networks(rng, f"width {width}", width, depth)
    start, kernel = copy(net), gram_matrix(net, trials.x)
    residual = forward(net, trials.x).outputs[..., 0] - trials.y
    eta, tolerance = step_size(kernel), options.tolerance
    losses = [
        numpy(state.loss)
        for state in train(net, trials.x, trials.y, eta, steps=options.steps, tolerance=tolerance)
    ]
    return pd.DataFrame(
        trials.frame(
            width=width,
            depth=depth,
            samples=trials.x.shape[1],
            iterations=crossing(losses, tolerance),
            kernel_iterations=numpy(predicted_iterations(kernel, residual, eta, tolerance)),
            spectral_movement=numpy(movement(net, start)[0]).max(axis=-1),
        )
    )


def measure(options, rng, pixels, digits):
    if options.distances:
        inputs = list(paired_inputs(options, rng))
    else:
        inputs = [
            (
                np.nan,
                on_images(pixels, digits, n, options.trials, options.subsets, options.device),
            )
            for n in options.samples
        ]
    cells = [
        (width, depth, distance, trials)
        for distance, trials in inputs
        for width in options.widths
        for depth in options.depths
    ]
    table = pd.concat(
        train_trials(options, rng, width, depth, trials).assign(delta=distance)
        for width, depth, distance, trials in step.progress(cells, label="times", unit="cell")
    )
    return table.assign(data="synthetic") if options.distances else table


if __name__ == "__main__":
    step.main(Options, measure, stream=STREAM)
