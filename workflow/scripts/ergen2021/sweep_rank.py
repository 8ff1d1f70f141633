"""Claim 12: the linear network without pooling, descent with a growing number of filters.

Patches side by side: of overlapping windows the network sees the sums along the anti-diagonals of Z
only, the optimal Z is not unique, and fewer filters than its rank can do.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.ergen2021.linear import beta_max_linear, train_linear
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import draw_signals, train_restarts, windows


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        seed=int,
        seeds=int,
        samples=int,
        dimension=int,
        patch_size=int,
        fractions=json.loads,
        restarts=int,
        steps=int,
        step_size=(float, None),
    )
    rows = []
    for seed in step.progress(range(args.seeds), label="rank", unit="instance"):
        X, y = draw_signals(args.seed, seed, args.samples, args.dimension)
        patches = windows(X, args.patch_size, args.patch_size)
        betas = np.array(args.fractions) * beta_max_linear(patches, y)
        optima = [train_linear(patches, y, beta) for beta in betas]
        for width in range(1, max(optimum.rank for optimum in optima) + 2):
            rng = step.generator(args.seed, "sweep_rank", f"{width}", seed)
            _, ends = train_restarts(args, "linear", patches, y, betas, width, rng)
            for _, which, restart, objective in ends:
                optimum = optima[which]
                rows.append(
                    {
                        "seed": seed,
                        "samples": args.samples,
                        "beta_fraction": args.fractions[which],
                        "width": width,
                        "rank": optimum.rank,
                        "restart": restart,
                        "objective": objective,
                        "program": optimum.program,
                    }
                )
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
