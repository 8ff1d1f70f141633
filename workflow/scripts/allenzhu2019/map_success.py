"""N2, P3: which widths fit how many images."""

import json

import numpy as np
import pandas as pd

from cnntheory.allenzhu2019 import gram_matrix, step_size, train
from workflow.scripts import step
from workflow.scripts.allenzhu2019 import trials as shared
from workflow.scripts.allenzhu2019.trials import numpy


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        **shared.OPTIONS,
        widths=json.loads,
        samples=json.loads,
        depth=int,
        seeds=int,
        subsets=int,
        steps=int,
        tolerance=(float, 1e-3),
    )
    cells = [(width, n) for n in args.samples for width in args.widths]
    frames = []
    for width, n in step.progress(cells, label="success", unit="cell"):
        trials = shared.load(args, n, args.seeds, args.subsets)
        net = trials.networks(args.seed, f"success, width {width}", width, args.depth)
        # A network that is dead on all images has a zero kernel; any step leaves it as it is.
        eta = step_size(gram_matrix(net, trials.x)).nan_to_num(0.0, 0.0, 0.0)
        first = last = None
        for state in train(
            net, trials.x, trials.y, eta, steps=args.steps, tolerance=args.tolerance
        ):
            last = numpy(state.loss)
            first = last if first is None else first
        relative = np.where(np.isfinite(last), last, np.inf) / first
        frames.append(
            pd.DataFrame(
                trials.frame(
                    width=width,
                    samples=n,
                    end_loss=relative,
                    converged=relative <= args.tolerance,
                )
            )
        )
    step.write_table(pd.concat(frames), args.table, args, trials.data)


if __name__ == "__main__":
    step.main(run)
