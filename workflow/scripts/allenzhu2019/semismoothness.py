"""P5: the residual of semi-smoothness and its two terms, at several times of a run.

Five kinds of perturbation W': a step down and up the gradient, a gaussian, a rank-one and an
adversarial one. The radius omega is the larger of ||W - W(0)||_2 and ||W'||_2.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.allenzhu2019 import (
    adversarial_direction,
    copy,
    forward,
    gaussian,
    gradient,
    gram_matrix,
    movement,
    rank_one,
    semismoothness,
    step_size,
    train,
)
from workflow.scripts import step
from workflow.scripts.allenzhu2019 import trials as shared
from workflow.scripts.allenzhu2019.trials import numpy


def measure(net, start, trials, sizes, rngs):
    """Rows of one time of the run."""
    signals = forward(net, trials.x)
    residual = signals.outputs - trials.y[..., None]
    radius = movement(net, start)[0].amax(dim=-1)
    directions = {
        "down the gradient": gradient(net, signals, residual, sign=-1),
        "up the gradient": gradient(net, signals, residual, sign=1),
        "gaussian": gaussian(net, rngs),
        "rank one": rank_one(net, signals, rngs),
        "adversary": adversarial_direction(net, trials.x, sizes[len(sizes) // 2 :][:1]),
    }
    for kind, direction in directions.items():
        found = semismoothness(net, trials.x, trials.y, direction, sizes, radius)
        for s, (rest, kink, smooth) in enumerate(zip(*map(numpy, found), strict=True)):
            yield pd.DataFrame(
                dict(
                    perturbation=kind,
                    omega=sizes,
                    seed=trials.seed[s],
                    subset=trials.subset[s],
                    residual=rest,
                    kink_term=kink,
                    smooth_term=smooth,
                    spectral_movement=numpy(radius)[s],
                )
            )


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
        smallest=float,
        largest=float,
        sizes=int,
        times=json.loads,
    )
    trials = shared.load(args, args.samples, args.seeds, args.subsets)
    sizes = np.geomspace(args.smallest, args.largest, args.sizes)
    frames = []
    for width in step.progress(args.widths, label="semi-smoothness", unit="width"):
        net = trials.networks(args.seed, f"width {width}", width, args.depth)
        start, rngs = copy(net), trials.rngs(args.seed, "semismoothness")
        eta = step_size(gram_matrix(net, trials.x))
        for state in train(net, trials.x, trials.y, eta, steps=max(args.times)):
            if state.iteration in args.times:
                for rows in measure(net, start, trials, sizes, rngs):
                    frames.append(
                        rows.assign(
                            width=width,
                            depth=args.depth,
                            samples=args.samples,
                            iteration=state.iteration,
                        )
                    )
    step.write_table(pd.concat(frames), args.table, args, trials.data)


if __name__ == "__main__":
    step.main(run)
