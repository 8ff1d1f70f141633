"""Claim 7: the optimum over the cells of T sampled gates, its gap to p*, the share of cells found.

Studies: ``nested`` (prefixes of one sequence of gates), ``fresh`` (control 7x: drawn anew for
every T).
"""

import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import beta_max, enumerate_cells, sample_gates, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import TOLERANCE, Signals, draw_patches
from workflow.scripts.step import Count, Share


class Options(Signals):
    """Claim 7: the optimum over the cells of sampled gates."""

    trials: Count = Field(description="instances")
    fraction: Share = Field(description="beta in units of beta_max")
    gates: list[Count] = Field(min_length=2, description="grid of T")


def measure(options, rng):
    rows = []
    for seed in step.progress(range(options.trials), label="gates", unit="instance"):
        patches, y = draw_patches(rng, seed, options)
        cells = enumerate_cells(patches)
        beta = options.fraction * beta_max(patches, y, cells=cells)
        optimum = train_convex(patches, y, beta, cells=cells, tol=TOLERANCE)

        def draw(group, count, seed=seed):
            return sample_gates(options.patch_size, count, rng(group, seed))

        nested = draw("nested", max(options.gates))
        for study in ("nested", "fresh"):
            for count in options.gates:
                gates = nested[:, :count] if study == "nested" else draw(f"fresh {count}", count)
                solution = train_convex(patches, y, beta, cells=gates, tol=TOLERANCE)
                rows.append(
                    {
                        "study": study,
                        "seed": seed,
                        "samples": options.samples,
                        "gates": count,
                        "cells": len(solution.cells.patterns),
                        "all_cells": len(cells.patterns),
                        "objective": solution.program,
                        "program": optimum.program,
                        "dual_bound": optimum.dual_bound,
                    }
                )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
