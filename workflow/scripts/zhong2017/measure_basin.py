"""Z7: how far from the truth the loss stays convex: least eigenvalue of its full Hessian.

Population Hessian with the residual's term at ``W* + delta ||W*||_F D`` for random unit D; for the
ReLU the almost-everywhere Hessian, which leaves out a point mass, hence also the monotonicity
``<grad f(W), W - W*> / ||W - W*||^2`` of the population gradient where it is closed.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.zhong2017 import draw_teacher, population_hessian, population_objective
from workflow.scripts import step


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        seed=int,
        seeds=int,
        activations=json.loads,
        radii=json.loads,
        directions=int,
        patch_size=int,
        kernels=int,
        patches=int,
    )
    rows = []
    for activation in step.progress(args.activations, label="basin", unit="activation"):
        for seed in range(args.seeds):
            rng = step.generator(args.seed, "measure_basin", "teacher", seed)
            teacher = draw_teacher(rng, args.patch_size, args.kernels)
            D = rng.standard_normal((args.directions, *teacher.shape))
            D *= np.linalg.norm(teacher) / np.linalg.norm(D, axis=(1, 2), keepdims=True)
            for radius in args.radii:
                W = teacher + radius * D
                H = population_hessian(W, activation, args.patches, teacher=teacher)
                monotone = np.full(args.directions, np.nan)
                if activation in ("relu", "leaky_relu", "erf"):
                    _, gradient = population_objective(teacher, activation, args.patches)(W)
                    inner = (gradient * (W - teacher)).sum(axis=(1, 2))
                    monotone = inner / ((W - teacher) ** 2).sum(axis=(1, 2))
                rows.append(
                    pd.DataFrame(
                        {
                            "activation": activation,
                            "seed": seed,
                            "radius": radius,
                            "direction": np.arange(args.directions),
                            "smallest": np.linalg.eigvalsh(H)[:, 0],
                            "monotonicity": monotone,
                        }
                    )
                )
    step.write_table(pd.concat(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
