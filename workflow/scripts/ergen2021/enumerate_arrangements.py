"""Claims 6, 8b: exact numbers of sign patterns beside Cover's formula and the paper's bound.

Studies: ``general`` (Gaussian patches, in general position), ``plane`` (patches of rank 2 in R^3,
control 6x), ``full`` (one patch as long as the input, control 6y), ``max`` (merged winner patterns
of max pooling; their formula counts the arrangement of the patches and their differences).
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import cover_count, enumerate_cells, paper_bound
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import Length
from workflow.scripts.step import Count

# Most patterns that an arrangement may be predicted to have, the library's own budget.
LARGEST = 200_000


class Options(step.Options):
    """Claims 6, 8b: exact numbers of sign patterns."""

    trials: Count = Field(description="draws of the patches of a cell of the grid")
    samples: list[Count] = Field(min_length=2, description="grid of n")
    patches: list[Count] = Field(
        min_length=1,
        description="grid of K, one above 1 among them",
        json_schema_extra={"contains": {"type": "integer", "minimum": 2}},
    )
    patch_sizes: list[Length] = Field(min_length=1, description="grid of h")
    dimension: Length = Field(description="d = h of the fully connected control")
    budget: Count = Field(description="cells of the grid with more patterns are left out")


def draw(rng, study, samples, patches, patch_size):
    """Gaussian patches ``(n, K, h)``; of the study ``plane`` on two directions only."""
    if study == "plane":
        return rng.standard_normal((samples, patches, 2)) @ rng.standard_normal((2, patch_size))
    return rng.standard_normal((samples, patches, patch_size))


def grid(options):
    """Cells ``(study, n, K, h)``."""
    every = [
        (n, K, h) for h in options.patch_sizes for K in options.patches for n in options.samples
    ]
    return [
        *(("general", n, K, h) for n, K, h in every),
        *(("plane", n, K, 3) for K in options.patches for n in options.samples),
        *(("full", n, 1, options.dimension) for n in options.samples),
        *(("max", n, K, h) for n, K, h in every if K > 1),
    ]


def measure(options, rng):
    rows = []
    for study, n, K, h in step.progress(grid(options), label="arrangements", unit="cell"):
        # Max pooling orders the patches of a sample too: their differences are further rows.
        count = n * (K + K * (K - 1) // 2) if study == "max" else n * K
        formula = cover_count(count, h)
        if cover_count(n * K, h) > options.budget or formula > LARGEST:
            continue
        for seed in range(options.trials):
            patches = draw(rng(f"{n} x {K} x {h}", seed), study, n, K, h)
            cells = enumerate_cells(patches, "max" if study == "max" else "average")
            rows.append(
                {
                    "study": study,
                    "seed": seed,
                    "samples": n,
                    "patches": K,
                    "patch_size": h,
                    "rows": count,
                    "cells": len(cells.patterns),
                    "formula": formula,
                    "bound": paper_bound(count, np.linalg.matrix_rank(patches.reshape(-1, h))),
                }
            )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
