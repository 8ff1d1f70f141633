"""Claim 12: the linear network without pooling, descent with a growing number of filters.

Patches side by side: of overlapping windows the network sees the sums along the anti-diagonals of Z
only, the optimal Z is not unique, and fewer filters than its rank can do.
"""

import numpy as np
import pandas as pd

from cnntheory.ergen2021 import beta_max
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    Descent,
    Instances,
    draw_signals,
    groups,
    train_case,
    train_restarts,
    windows,
)


class Options(Instances, Descent):
    """Claim 12: the linear network on windows side by side, m = 1 to the largest rank plus one."""


def solve(options, rng, seed):
    """An instance: ``patches, y, betas, solutions`` and the ranks of these."""
    X, y = draw_signals(rng, seed, options.samples, options.dimension)
    patches = windows(X, options.patch_size, options.patch_size)
    betas = np.array(options.fractions) * beta_max(patches, y, architecture="linear")
    optima = [train_case("linear", patches, y, beta) for beta in betas]
    return patches, y, betas, optima, [len(optimum.network.filters) for optimum in optima]


def measure(options, rng):
    rows = []
    progress = step.progress(range(options.trials), label="rank", unit="instance")
    for seeds in groups(progress):
        solved = [solve(options, rng, seed) for seed in seeds]
        for width in range(1, max(max(ranks) for *_, ranks in solved) + 2):
            going = [
                (seed, *one)
                for seed, one in zip(seeds, solved, strict=True)
                if width <= max(one[-1]) + 1
            ]
            _, patches, y, betas, _, _ = zip(*going, strict=True)
            draws = [rng(f"{width}", seed) for seed, *_ in going]
            found = train_restarts(options, "linear", patches, y, betas, width, draws)
            for (seed, _, _, _, optima, ranks), (_, ends) in zip(going, found, strict=True):
                rows += [
                    {
                        "seed": seed,
                        "samples": options.samples,
                        "beta_fraction": options.fractions[which],
                        "width": width,
                        "rank": ranks[which],
                        "restart": restart,
                        "objective": objective,
                        "program": optima[which].program,
                    }
                    for _, which, restart, objective in ends
                ]
    return pd.DataFrame(rows).sort_values("seed", kind="stable")


if __name__ == "__main__":
    step.main(Options, measure)
