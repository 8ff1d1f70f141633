"""The tangent kernel at initialisation beside its infinite-width limit, both over the width."""

import json

import numpy as np
import pandas as pd

from cnntheory.allenzhu2019 import gram_matrix, limit_gram
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
    )
    trials = shared.load(args, args.samples, args.seeds, 1)
    limit = limit_gram(numpy(trials.x[0]), args.depth)
    ends = np.linalg.eigvalsh(limit)[[0, -1]]
    rows = []
    cells = [(width, s) for width in args.widths for s in range(args.seeds)]
    for width, s in step.progress(cells, label="kernel", unit="network"):
        trial = trials.one(s)
        net = trial.networks(args.seed, f"width {width}", width, args.depth)
        kernel = numpy(gram_matrix(net, trial.x))[0] / width
        values = np.linalg.eigvalsh(kernel)
        gap = np.linalg.norm(kernel - limit) / np.linalg.norm(limit)
        rows.append(
            dict(
                width=width,
                depth=args.depth,
                samples=args.samples,
                seed=s,
                lambda_min=values[0],
                lambda_max=values[-1],
                limit_min=ends[0],
                limit_max=ends[1],
                kernel_gap=gap,
            )
        )
    table = pd.DataFrame(rows)
    step.write_table(table.astype({"seed": np.int64}), args.table, args, trials.data)


if __name__ == "__main__":
    step.main(run)
