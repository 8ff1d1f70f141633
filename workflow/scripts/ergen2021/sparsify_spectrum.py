"""Claim 9: frequencies of the circular network's filters under spectral l1 and group l2 norms.

Signals of low rank, so that the number of sign patterns stays small at d = 16 and 32.
"""

import json

import pandas as pd

from cnntheory.ergen2021.circular import (
    beta_max_circular,
    spectral_support,
    train_circular,
)
from workflow.scripts import step

PENALTIES = ("spectral", "group")


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        seed=int,
        seeds=int,
        samples=int,
        dimensions=json.loads,
        rank=int,
        fraction=float,
    )
    cells = [(d, seed) for d in args.dimensions for seed in range(args.seeds)]
    rows = []
    for d, seed in step.progress(cells, label="spectra", unit="instance"):
        rng = step.generator(args.seed, "sparsify_spectrum", f"{args.samples} x {d}", seed)
        X = rng.standard_normal((args.samples, args.rank)) @ rng.standard_normal((args.rank, d))
        y = rng.standard_normal(args.samples)
        beta = args.fraction * beta_max_circular(X, y)
        for penalty in PENALTIES:
            solution = train_circular(X, y, beta, penalty=penalty)
            support = spectral_support(solution.spectra)
            rows += [
                {
                    "seed": seed,
                    "samples": args.samples,
                    "dimension": d,
                    "rank": args.rank,
                    "penalty": penalty,
                    "filter_index": index,
                    "nonzero": count,
                    "gap": solution.gap,
                }
                for index, count in enumerate(support)
            ]
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
