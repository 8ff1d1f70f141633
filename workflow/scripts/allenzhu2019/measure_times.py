"""P3: iterations until the loss has fallen to 1e-3, measured and predicted by the frozen kernel.

Varies the width, the number of images, the depth, or the distance delta of random pairs of inputs
with opposite labels (then the inputs are synthetic and `subset` numbers them).
"""

import json

import numpy as np
import pandas as pd
import torch

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
from workflow.scripts.allenzhu2019 import trials as shared
from workflow.scripts.allenzhu2019.trials import numpy


def paired_inputs(args, seeds):
    """Trials on random pairs, one batch of them for every distance."""
    drawn = [
        pairs(
            step.generator(args.seed, "measure_times", "pairs", s),
            args.samples[0] // 2,
            args.dimension,
            args.distances,
        )
        for s in range(seeds)
    ]
    x = np.stack([inputs for inputs, _ in drawn], axis=1)
    y = torch.as_tensor(np.stack([labels for _, labels in drawn]), device=args.device)
    seed = np.arange(seeds)
    for i, distance in enumerate(args.distances):
        yield (
            distance,
            shared.Trials(
                seed,
                seed,
                torch.as_tensor(x[i], device=args.device),
                y,
                separation(x[i]),
                "synthetic",
            ),
        )


def measure(args, width, depth, trials):
    net = trials.networks(args.seed, f"width {width}", width, depth)
    start, kernel = copy(net), gram_matrix(net, trials.x)
    residual = forward(net, trials.x).outputs[..., 0] - trials.y
    eta = step_size(kernel)
    losses = [
        numpy(state.loss)
        for state in train(net, trials.x, trials.y, eta, steps=args.steps, tolerance=args.tolerance)
    ]
    return pd.DataFrame(
        trials.frame(
            width=width,
            depth=depth,
            samples=trials.x.shape[1],
            iterations=shared.crossing(losses, args.tolerance),
            kernel_iterations=numpy(predicted_iterations(kernel, residual, eta, args.tolerance)),
            spectral_movement=numpy(movement(net, start)[0]).max(axis=-1),
        )
    )


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        **shared.OPTIONS,
        widths=json.loads,
        depths=json.loads,
        samples=json.loads,
        seeds=int,
        subsets=(int, 1),
        distances=(json.loads, []),
        dimension=(int, 196),
        steps=int,
        tolerance=(float, 1e-3),
    )
    if args.distances:
        cells = [
            (width, depth, distance, trials)
            for distance, trials in paired_inputs(args, args.seeds)
            for width in args.widths
            for depth in args.depths
        ]
    else:
        cells = [
            (width, depth, np.nan, shared.load(args, n, args.seeds, args.subsets))
            for n in args.samples
            for width in args.widths
            for depth in args.depths
        ]
    frames = [
        measure(args, width, depth, trials).assign(delta=distance)
        for width, depth, distance, trials in step.progress(cells, label="times", unit="cell")
    ]
    step.write_table(pd.concat(frames), args.table, args, cells[0][-1].data)


if __name__ == "__main__":
    step.main(run)
