"""Claims 8, 11: what is left of the optimum when constraints of the program are left out.

Studies: ``all`` (the program), ``no ordering`` (max pooling: winners need not be the largest),
``no cones`` (gated ReLU). Column objective: that of the network with the same weights.
"""

from functools import partial

import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import enumerate_cells, relax, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import TOLERANCE, Signals, draw_patches
from workflow.scripts.step import Count, Positive

# What is left out, as the option `cones` of the library's `relax`.
STUDIES = {
    "average": {"all": True, "no cones": False},
    "max": {"all": True, "no ordering": "order"},
}


class Options(Signals):
    """Claims 8, 11: constraints of the programs left out."""

    trials: Count = Field(description="instances")
    betas: list[Positive] = Field(
        description="weight decays, 0.01 among them",
        json_schema_extra={"contains": {"const": 0.01}},
    )


def measure(options, rng):
    rows = []
    for seed in step.progress(range(options.trials), label="relaxations", unit="instance"):
        patches, y = draw_patches(rng, seed, options)
        for pooling, studies in STUDIES.items():
            cells = enumerate_cells(patches, pooling)
            for beta in options.betas:
                for study, cones in studies.items():
                    solve = train_convex if cones is True else partial(relax, cones=cones)
                    solution = solve(
                        patches, y, beta, architecture=pooling, cells=cells, tol=TOLERANCE
                    )
                    rows.append(
                        {
                            "pooling": pooling,
                            "study": study,
                            "seed": seed,
                            "samples": options.samples,
                            "beta": beta,
                            "cells": len(cells.patterns),
                            "program": solution.program,
                            "gap": solution.gap,
                            "objective": solution.network.objective(patches, y, beta),
                        }
                    )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
