"""Claims 8, 11: what is left of the optimum when constraints of the program are left out.

Studies: ``all`` (the program), ``no ordering`` (max pooling: winners need not be the largest),
``no cones`` (gated ReLU). Column objective: that of the network with the same weights.
"""

import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import enumerate_cells, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import TOLERANCE, Signals, draw_patches
from workflow.scripts.step import Count, Positive

# What is left out, as the library's option `cones`.
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
            patterns = enumerate_cells(patches, pooling).patterns
            for beta in options.betas:
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
                            "samples": options.samples,
                            "beta": beta,
                            "cells": len(patterns),
                            "program": solution.program,
                            "gap": solution.restricted_gap,
                            "objective": solution.network.objective(patches, y, beta),
                        }
                    )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
