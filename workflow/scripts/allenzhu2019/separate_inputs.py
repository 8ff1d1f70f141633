"""P10: how far apart the inputs stay from layer to layer, beside the arc-cosine recursion."""

import json

import numpy as np
import pandas as pd
import torch

from cnntheory.allenzhu2019 import initial_signals, limit_separations, separations
from workflow.scripts import step
from workflow.scripts.allenzhu2019 import trials as shared
from workflow.scripts.allenzhu2019.trials import numpy


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        **shared.OPTIONS,
        widths=json.loads,
        depth=int,
        samples=int,
        seeds=int,
        subsets=int,
    )
    trials = shared.load(args, args.samples, args.seeds, args.subsets)
    upper = torch.triu(torch.ones(args.samples, args.samples, dtype=torch.bool), 1)
    cosines = (trials.x @ trials.x.mT)[:, upper]
    limit = limit_separations(numpy(cosines), args.depth).min(axis=-1)  # (layers, S)
    frames = []
    for width in step.progress(args.widths, label="separation", unit="width"):
        for s in range(len(trials.seed)):
            trial = trials.one(s)
            rngs = trial.rngs(args.seed, f"width {width}")
            layers = initial_signals(rngs, trial.x, width, args.depth)
            frames.append(
                pd.DataFrame(
                    dict(
                        width=width,
                        samples=args.samples,
                        seed=trials.seed[s],
                        subset=trials.subset[s],
                        separation=trials.separation[s],
                        layer=np.arange(args.depth + 1),
                        value=[float(separations(h)[0]) for h in layers],
                        predicted=limit[:, s],
                    )
                )
            )
    step.write_table(pd.concat(frames), args.table, args, trials.data)


if __name__ == "__main__":
    step.main(run)
