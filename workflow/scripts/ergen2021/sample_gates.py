"""Claim 7: the optimum over the cells of T sampled gates, its gap to p*, the share of cells found.

Studies: ``nested`` (prefixes of one sequence of gates), ``fresh`` (control 7x: drawn anew for
every T).
"""

import json

import pandas as pd

from cnntheory.ergen2021 import beta_max, enumerate_cells, gate_patterns, sample_gates, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import TOLERANCE, draw_patches


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        seed=int,
        seeds=int,
        samples=int,
        dimension=int,
        patch_size=int,
        fraction=float,
        gates=json.loads,
    )
    rows = []
    for seed in step.progress(range(args.seeds), label="gates", unit="instance"):
        patches, y = draw_patches(args.seed, seed, args.samples, args.dimension, args.patch_size)
        cells = enumerate_cells(patches)
        beta = args.fraction * beta_max(patches, y, cells=cells)
        optimum = train_convex(patches, y, beta, arrangements=cells.patterns, tol=TOLERANCE)

        def draw(group, count, seed=seed):
            rng = step.generator(args.seed, "sample_gates", group, seed)
            return sample_gates(args.patch_size, count, rng)

        nested = draw("nested", max(args.gates))
        for study in ("nested", "fresh"):
            for count in args.gates:
                gates = nested[:, :count] if study == "nested" else draw(f"fresh {count}", count)
                patterns = gate_patterns(patches, gates)
                solution = train_convex(patches, y, beta, arrangements=patterns, tol=TOLERANCE)
                rows.append(
                    {
                        "study": study,
                        "seed": seed,
                        "samples": args.samples,
                        "gates": count,
                        "cells": len(patterns),
                        "all_cells": len(cells.patterns),
                        "objective": solution.program,
                        "program": optimum.program,
                        "dual_bound": optimum.dual_bound,
                    }
                )
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
