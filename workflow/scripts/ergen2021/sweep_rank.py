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
    train_case,
    train_restarts,
    windows,
)


class Options(Instances, Descent):
    """Claim 12: the linear network on windows side by side, m = 1 to the largest rank plus one."""


def measure(options, rng):
    rows = []
    for seed in step.progress(range(options.trials), label="rank", unit="instance"):
        X, y = draw_signals(rng, seed, options.samples, options.dimension)
        patches = windows(X, options.patch_size, options.patch_size)
        betas = np.array(options.fractions) * beta_max(patches, y, architecture="linear")
        optima = [train_case("linear", patches, y, beta) for beta in betas]
        ranks = [len(optimum.network.filters) for optimum in optima]
        for width in range(1, max(ranks) + 2):
            _, ends = train_restarts(
                options, "linear", patches, y, betas, width, rng(f"{width}", seed)
            )
            for _, which, restart, objective in ends:
                rows.append(
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
                )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
