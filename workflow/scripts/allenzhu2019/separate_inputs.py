"""P10: how far apart the inputs stay from layer to layer, beside the arc-cosine recursion."""

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from cnntheory.allenzhu2019 import conditioned
from cnntheory.allenzhu2019.initialisation import limit_separations, separations
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, independent, numpy
from workflow.scripts.step import Count


class Options(step.Options):
    """P10: how far apart the inputs stay from layer to layer."""

    widths: list[Count] = Field(min_length=1, description="m")
    depth: Count = Field(description="L, far beyond 1/delta")
    samples: Count = Field(description="n")
    trials: Count = Field(description="networks with images of their own")


def measure(options, rng, pixels, digits):
    trials = independent(pixels, digits, options.samples, options.trials)
    upper = torch.triu(torch.ones(options.samples, options.samples, dtype=torch.bool), 1)
    cosines = (trials.x @ trials.x.mT)[:, upper]
    limit = limit_separations(numpy(cosines), options.depth).min(axis=-1)  # (layers, S)
    frames = []
    for width in step.progress(options.widths, label="separation", unit="width"):
        for s in range(len(trials.seed)):
            trial = trials.one(s)
            (own,) = trial.rngs(rng, f"width {width}")
            # Drawn as far as the images see it: the law of whole networks.
            layers = conditioned.signals(own, numpy(trial.x[0]), width, options.depth)
            frames.append(
                pd.DataFrame(
                    dict(
                        width=width,
                        samples=options.samples,
                        seed=trials.seed[s],
                        separation=trials.separation[s],
                        layer=np.arange(options.depth + 1),
                        value=[float(separations(torch.from_numpy(h.T))) for h, _ in layers],
                        predicted=limit[:, s],
                    )
                )
            )
    return pd.concat(frames)


if __name__ == "__main__":
    step.main(Options, measure, stream=STREAM)
