"""Claim 9e: circular programs of longer signals, certified, all cells of signals of low rank.

Networks of L = 3 with bounded filters and of L = 4 with their product bounded, in turn.
"""

import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import Circular, beta_max, enumerate_cells, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import TOLERANCES, low_rank
from workflow.scripts.step import Count, Share

NETWORKS = {3: "filter", 4: "product"}


class Options(step.Options):
    """Claim 9e: circular programs at d = 16 to 64 with their certificates."""

    dimensions: list[Count] = Field(min_length=1, description="grid of d, length of a signal")
    samples: list[Count] = Field(description="n at each length")
    trials: list[Count] = Field(description="data sets at each length")
    ranks: list[Count] = Field(min_length=1, description="of the signals, in turn")
    fraction: Share = Field(description="beta in units of beta_max")


def measure(options, rng):
    grid = zip(options.dimensions, options.samples, options.trials, strict=True)
    cells = [(d, n, seed) for d, n, trials in grid for seed in range(trials)]
    rows = []
    for d, n, seed in step.progress(cells, label="circular", unit="data set"):
        # Both ranks with both networks.
        rank = options.ranks[seed % len(options.ranks)]
        layers = list(NETWORKS)[seed // len(options.ranks) % len(NETWORKS)]
        X, y = low_rank(rng(f"{n} x {d}", seed), n, d, rank)
        circular = Circular(layers, NETWORKS[layers])
        known = dict(architecture=circular, cells=enumerate_cells(X, circular))
        beta = options.fraction * beta_max(X, y, **known)
        solution = train_convex(X, y, beta, tol=TOLERANCES["circular"], **known)
        rows.append(
            {
                "seed": seed,
                "samples": n,
                "dimension": d,
                "rank": rank,
                "layers": layers,
                "beta": beta,
                "objective": solution.objective,
                "dual_bound": solution.dual_bound,
                "gap": solution.gap,
                "filters": len(solution.network.weights),
                "constraint": circular.largest_norm(solution.network.parameters),
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
