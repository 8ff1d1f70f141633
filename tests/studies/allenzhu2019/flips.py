"""Made-up shares of flipped activations that are powers of omega and of the depth."""

import numpy as np

from tests.studies.allenzhu2019.grids import grid


def made(claim, good):
    table = grid(
        seed=list(range(12)),
        perturbation=["adversary", "gaussian", "gradient", "rank one"],
        omega=[0.003, 0.01, 0.1],
        width=[256, 2048],
    )
    exponents = {"adversary": 0.7, "gaussian": 1.0, "gradient": 1.04, "rank one": 1.0}
    if claim == "P6" and not good:
        exponents["adversary"] = 0.73
    if claim == "P6b" and not good:
        exponents["rank one"] = 1.06
    if claim == "P6x":
        exponents["gaussian"] = 0.7 if good else 0.73
        exponents["adversary"] = 2
    exponent = np.where(table.width == 2048, table.perturbation.map(exponents), 2)
    table = table.assign(flipped=(1 + table.seed) * table.omega**exponent)

    depth = grid(
        seed=list(range(12)),
        perturbation=["adversary", "gaussian"],
        omega=[0.01, 0.1],
        depth=[2, 4, 8],
    )
    growth = np.where(depth.depth == 8, 0.95 if good else 1.05, 1.0)
    growth[depth.perturbation == "gaussian"] = depth.depth[depth.perturbation == "gaussian"]
    share = growth * (1 + depth.seed)
    depth = depth.assign(most_flipped=share * depth.omega ** (2 / 3) * depth.depth)
    return {"perturbed_omega": table, "perturbed_depth": depth}
