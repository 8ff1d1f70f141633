"""Z6, N3: least eigenvalue of the empirical Hessian at the truth against the sample size n.

Samples are nested: a larger n extends the smaller one of the same seed, so that the curves of one
seed and the n at which half the population value is reached are comparable.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.zhong2017 import draw_teacher, empirical_hessian, population_hessian
from workflow.scripts import step


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        seed=int,
        seeds=int,
        activations=json.loads,
        samples=json.loads,
        cells=json.loads,
        growth=json.loads,
        growth_seeds=int,
        growth_samples=int,
    )
    # (activation, k, t, r): all activations in the figure's cells, squared ReLU where k or r grows.
    few = [n for n in sorted(args.samples) if n <= args.growth_samples]
    cells = [
        (a, *cell, args.seeds, sorted(args.samples))
        for cell in args.cells
        for a in args.activations
    ]
    cells += [("squared_relu", *cell, args.growth_seeds, few) for cell in args.growth]
    rows = []
    for activation, k, t, r, seeds, samples in step.progress(cells, label="Hessians", unit="cell"):
        for seed in range(seeds):
            rng = step.generator(args.seed, "sample_hessian", f"{k},{t},{r}", seed)
            W = draw_teacher(rng, k, t)
            exact = np.linalg.eigvalsh(population_hessian(W, activation, r))[0]
            x = rng.standard_normal((samples[-1], r * k))
            total, first = 0.0, 0
            for n in samples:
                # Sums over the new samples only.
                total = total + (n - first) * empirical_hessian(W, x[first:n], activation)
                first = n
                least, most = np.linalg.eigvalsh(total / n)[[0, -1]]
                rows.append(
                    {
                        "activation": activation,
                        "patch_size": k,
                        "kernels": t,
                        "patches": r,
                        "seed": seed,
                        "samples": n,
                        "smallest": least,
                        "largest": most,
                        "population": exact,
                    }
                )
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
