"""P6-P8: what a perturbation of spectral norm omega changes at the initialisation.

Kinds: ``gaussian``, ``rank one``, ``gradient`` (a step down the gradient of the loss) and
``adversary`` (layer by layer, for one input each, as many flipped activations as its norm affords).
Means (flips) and medians (changes) over the inputs, one row a seed.
"""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.allenzhu2019 import perturb
from cnntheory.allenzhu2019.networks import backward, forward
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, independent, numpy
from workflow.scripts.step import Count, Positive, from_rule


class Options(step.Options):
    """P6-P8: what a perturbation of the weights changes."""

    case: Literal["omega", "depth", "variance", "control"] = Field(description="what is varied")
    widths: list[Count] = Field(min_length=1, description="m")
    depths: list[Count] = Field(min_length=1, description="L")
    variances: list[Positive] = Field(
        [2.0], min_length=1, description="c of weights drawn with variance c / m"
    )
    kinds: list[Literal["gaussian", "gradient", "rank one", "adversary"]] = Field(
        min_length=1, description="of perturbation"
    )
    smallest: Positive = Field(description="spectral norm")
    largest: Positive = Field(description="spectral norm")
    sizes: Count = Field(description="how many spectral norms")
    samples: Count = Field(description="n")
    first_trial: Annotated[int, Field(ge=0)] = Field(0, description="number of the first trial")
    trials: Count = Field(description="networks with images of their own")
    device: str = from_rule("cpu", description="where to compute")


def changes(net, x, y, sizes, kinds, rngs):
    """Rows of one network (S = 1)."""
    signals = forward(net, x)
    p = backward(net, signals)
    residual = signals.outputs - y[..., None]
    directions = {
        "gaussian": lambda: perturb.gaussian(net, rngs),
        "rank one": lambda: perturb.rank_one(net, signals, rngs),
        "gradient": lambda: perturb.gradient(net, signals, residual),
    }
    for kind in kinds:
        if kind == "adversary":
            moved = perturb.adversary(net, x, sizes)
        else:
            moved = perturb.passes(net, x, directions[kind](), sizes)
        found = perturb.changes(signals, p, moved)
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


def measure(options, rng, pixels, digits):
    first, last = options.first_trial, options.first_trial + options.trials
    trials = independent(pixels, digits, options.samples, last, options.device)
    sizes = np.geomspace(options.smallest, options.largest, options.sizes)
    cells = [
        (width, depth, variance, s)
        for width in options.widths
        for depth in options.depths
        for variance in options.variances
        for s in range(first, last)
    ]
    frames = []
    for width, depth, variance, s in step.progress(cells, label="perturb", unit="network"):
        # A wide network at a time: twelve of them would take gigabytes.
        trial = trials.one(s)
        net = trial.networks(rng, f"width {width}", width, depth, variance=variance)
        rngs = trial.rngs(rng, "perturb")
        for rows in changes(net, trial.x, trial.y, sizes, options.kinds, rngs):
            frames.append(
                rows.assign(
                    width=width, depth=depth, variance=variance, samples=options.samples, seed=s
                )
            )
    return pd.concat(frames)


if __name__ == "__main__":
    step.main(Options, measure, stream=STREAM)
