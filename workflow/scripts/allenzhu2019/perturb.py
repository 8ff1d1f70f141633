"""P6-P8: what a perturbation of spectral norm omega changes at the initialisation.

Kinds: ``gaussian``, ``rank one``, ``gradient`` (a step down the gradient of the loss) and
``adversary`` (layer by layer, for one input each, as many flipped activations as its norm affords).
Means (flips) and medians (changes) over the inputs, one row a seed.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.allenzhu2019 import (
    adversary,
    backward,
    changes,
    forward,
    gaussian,
    gradient,
    perturbed,
    rank_one,
)
from workflow.scripts import step
from workflow.scripts.allenzhu2019 import trials as shared
from workflow.scripts.allenzhu2019.trials import numpy


def measure(net, x, y, sizes, kinds, rngs):
    """Rows of one network (S = 1)."""
    signals = forward(net, x)
    p = backward(net, signals)
    residual = signals.outputs - y[..., None]
    directions = {
        "gaussian": lambda: gaussian(net, rngs),
        "rank one": lambda: rank_one(net, signals, rngs),
        "gradient": lambda: gradient(net, signals, residual),
    }
    for kind in kinds:
        if kind == "adversary":
            moved = adversary(net, x, sizes)
        else:
            moved = perturbed(net, x, directions[kind](), sizes)
        found = changes(signals, p, moved)
        flips = numpy(found.flips)[0]  # (sizes, inputs, layers)
        yield pd.DataFrame(
            dict(
                perturbation=kind,
                omega=sizes,
                # Means: a small perturbation flips less than one activation of most inputs.
                flipped=flips.mean(axis=(1, 2)),
                most_flipped=flips.mean(axis=1).max(axis=-1),
                forward_change=np.median(numpy(found.forward)[0, ..., -1], axis=1),
                backward_change=np.median(numpy(found.backward)[0, ..., 0], axis=1),
                gradient_change=np.median(numpy(found.gradient)[0], axis=1),
            )
        )


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        **shared.OPTIONS,
        widths=json.loads,
        depths=json.loads,
        variances=(json.loads, [2.0]),
        kinds=json.loads,
        smallest=float,
        largest=float,
        sizes=int,
        samples=int,
        seeds=int,
    )
    trials = shared.load(args, args.samples, args.seeds, 1)
    sizes = np.geomspace(args.smallest, args.largest, args.sizes)
    cells = [
        (width, depth, variance, s)
        for width in args.widths
        for depth in args.depths
        for variance in args.variances
        for s in range(args.seeds)
    ]
    frames = []
    for width, depth, variance, s in step.progress(cells, label="perturb", unit="network"):
        # A wide network at a time: twelve of them would take gigabytes.
        trial = trials.one(s)
        net = trial.networks(args.seed, f"width {width}", width, depth, variance=variance)
        rngs = trial.rngs(args.seed, "perturb")
        for rows in measure(net, trial.x, trial.y, sizes, args.kinds, rngs):
            frames.append(
                rows.assign(
                    width=width, depth=depth, variance=variance, samples=args.samples, seed=s
                )
            )
    step.write_table(pd.concat(frames), args.table, args, trials.data)


if __name__ == "__main__":
    step.main(run)
