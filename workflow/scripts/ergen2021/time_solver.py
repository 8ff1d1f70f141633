"""Claim 16: counted work, and seconds, to a certified optimum against the number of samples."""

import time

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import beta_max, enumerate_cells, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import Length
from workflow.scripts.step import Count, Share


class Options(step.Options):
    """Claim 16: counted work and seconds to a certified optimum."""

    trials: Count = Field(description="instances of every size")
    samples: list[Count] = Field(min_length=2, description="grid of n")
    patches: Count = Field(description="K")
    patch_sizes: list[Length] = Field(min_length=1, description="grid of h")
    fraction: Share = Field(description="beta in units of beta_max")


def measure(options, rng):
    cells = [
        (h, n, trial)
        for h in options.patch_sizes
        for n in options.samples
        for trial in range(options.trials)
    ]
    counted, timed = [], []
    for h, n, seed in step.progress(cells, label="solver", unit="instance"):
        draws = rng(f"{n} x {h}", seed)
        patches, y = draws.standard_normal((n, options.patches, h)), draws.standard_normal(n)
        start = time.perf_counter()
        found = enumerate_cells(patches)
        enumerated = time.perf_counter()
        beta = options.fraction * beta_max(patches, y, cells=found)
        begun = time.perf_counter()
        solution = train_convex(patches, y, beta, cells=found)
        seconds = {
            "arrangements": enumerated - start,
            "convex program": time.perf_counter() - begun,
        }
        instance = {
            "seed": seed,
            "samples": n,
            "patches": options.patches,
            "patch_size": h,
            "cells": len(found.patterns),
        }
        counted.append(
            instance
            | {
                "newton_steps": solution.n_iter,
                "work": solution.work,
                "gap": solution.restricted_gap,
            }
        )
        filters = int(np.count_nonzero(solution.network.weights))
        timed += [
            instance | {"quantity": quantity, "seconds": value, "filters": filters}
            for quantity, value in seconds.items()
        ]
    return {"work": pd.DataFrame(counted), "timing": pd.DataFrame(timed)}


if __name__ == "__main__":
    step.main(Options, measure, tables=("work", "timing"))
