"""Claims 8, 11: what is left of the optimum when constraints of the program are left out.

Studies: ``all`` (the program), ``no ordering`` (max pooling: winners need not be the largest),
``no cones`` (gated ReLU). Column objective: that of the network with the same weights.
"""

import json

import pandas as pd

from cnntheory.ergen2021 import enumerate_cells, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import TOLERANCE, draw_patches

STUDIES = {
    "average": {"all": True, "no cones": False},
    "max": {"all": True, "no ordering": "order"},
}


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        seed=int,
        seeds=int,
        samples=int,
        dimension=int,
        patch_size=int,
        betas=json.loads,
    )
    rows = []
    for seed in step.progress(range(args.seeds), label="relaxations", unit="instance"):
        patches, y = draw_patches(args.seed, seed, args.samples, args.dimension, args.patch_size)
        for pooling, studies in STUDIES.items():
            patterns = enumerate_cells(patches, pooling).patterns
            for beta in args.betas:
                for study, cones in studies.items():
                    solution = train_convex(
                        patches,
                        y,
                        beta,
                        pooling=pooling,
                        arrangements=patterns,
                        cones=cones,
                        tol=TOLERANCE,
                    )
                    rows.append(
                        {
                            "pooling": pooling,
                            "study": study,
                            "seed": seed,
                            "samples": args.samples,
                            "beta": beta,
                            "cells": len(patterns),
                            "program": solution.program,
                            "gap": solution.gap,
                            "objective": solution.network.objective(patches, y, beta),
                        }
                    )
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
