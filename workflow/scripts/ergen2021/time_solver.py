"""Claim 6: seconds to a certified optimum against the number of samples (shown, not judged)."""

import json
import time

import numpy as np
import pandas as pd

from cnntheory.ergen2021 import beta_max, enumerate_cells, train_convex
from workflow.scripts import step


def run():
    args = step.arguments(
        __doc__,
        ["timing"],
        seed=int,
        seeds=int,
        samples=json.loads,
        patches=int,
        patch_sizes=json.loads,
        fraction=float,
    )
    rows = []
    cells = [(h, n, s) for h in args.patch_sizes for n in args.samples for s in range(args.seeds)]
    for h, n, seed in step.progress(cells, label="solver", unit="instance"):
        rng = step.generator(args.seed, "time_solver", f"{n} x {h}", seed)
        patches, y = rng.standard_normal((n, args.patches, h)), rng.standard_normal(n)
        start = time.perf_counter()
        found = enumerate_cells(patches)
        enumerated = time.perf_counter()
        beta = args.fraction * beta_max(patches, y, cells=found)
        begun = time.perf_counter()
        solution = train_convex(patches, y, beta, arrangements=found.patterns)
        seconds = {
            "arrangements": enumerated - start,
            "convex program": time.perf_counter() - begun,
        }
        rows += [
            {
                "seed": seed,
                "samples": n,
                "patches": args.patches,
                "patch_size": h,
                "cells": len(found.patterns),
                "quantity": quantity,
                "seconds": value,
                "gap": solution.gap,
                "filters": int(np.count_nonzero(solution.network.weights)),
            }
            for quantity, value in seconds.items()
        ]
    step.write_table(pd.DataFrame(rows), args.timing, args)


if __name__ == "__main__":
    step.main(run)
