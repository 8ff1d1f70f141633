"""Claims 6, 8b: exact numbers of sign patterns beside Cover's formula and the paper's bound.

Studies: ``general`` (Gaussian patches, in general position), ``plane`` (patches of rank 2 in R^3,
control 6x), ``full`` (one patch as long as the input, control 6y), ``max`` (merged winner patterns
of max pooling; their formula counts the arrangement of the patches and their differences).
"""

import json

import numpy as np
import pandas as pd

from cnntheory.ergen2021 import cover_count, paper_bound, sign_patterns, winner_patterns
from workflow.scripts import step

# Most patterns that an arrangement may be predicted to have, the library's own budget.
LARGEST = 200_000


def draw(rng, study, samples, patches, patch_size):
    """Gaussian patches ``(n, K, h)``; of the study ``plane`` on two directions only."""
    if study == "plane":
        return rng.standard_normal((samples, patches, 2)) @ rng.standard_normal((2, patch_size))
    return rng.standard_normal((samples, patches, patch_size))


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        seed=int,
        seeds=int,
        samples=json.loads,
        patches=json.loads,
        patch_sizes=json.loads,
        dimension=int,
        budget=int,
    )
    cells = [
        ("general", n, K, h) for h in args.patch_sizes for K in args.patches for n in args.samples
    ]
    cells += [("plane", n, K, 3) for K in args.patches for n in args.samples]
    cells += [("full", n, 1, args.dimension) for n in args.samples]
    cells += [
        ("max", n, K, h)
        for h in args.patch_sizes
        for K in args.patches
        for n in args.samples
        if K > 1
    ]
    rows = []
    for study, n, K, h in step.progress(cells, label="arrangements", unit="cell"):
        # Max pooling orders the patches of a sample too: their differences are further rows.
        count = n * (K + K * (K - 1) // 2) if study == "max" else n * K
        formula = cover_count(count, h)
        if cover_count(n * K, h) > args.budget or formula > LARGEST:
            continue
        for seed in range(args.seeds):
            rng = step.generator(args.seed, "enumerate_arrangements", f"{n} x {K} x {h}", seed)
            patches = draw(rng, study, n, K, h)
            enumerate_cells = winner_patterns if study == "max" else sign_patterns
            rows.append(
                {
                    "study": study,
                    "seed": seed,
                    "samples": n,
                    "patches": K,
                    "patch_size": h,
                    "rows": count,
                    "cells": len(enumerate_cells(patches)),
                    "formula": formula,
                    "bound": paper_bound(count, np.linalg.matrix_rank(patches.reshape(-1, h))),
                }
            )
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
