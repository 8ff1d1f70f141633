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
    growth = np.where(depth.perturbation == "gaussian", 2, 0.5)
    share = (1 + depth.seed) * depth.omega ** (2 / 3)
    depth = depth.assign(most_flipped=share * depth.depth**growth)
    split = grid(
        seed=list(range(12)), perturbation="split adversary", omega=[0.03], depth=[2, 4, 8]
    )
    split = split.assign(most_flipped=(1 + split.seed) * split.depth ** (0.95 if good else 1.05))
    drawn = grid(seed=list(range(12)), omega=[0.001, 0.01], width=[4096, 65536])
    exponent = np.where(drawn.width == 65536, 0.65 if good or claim != "P6d" else 0.64, 2)
    drawn = drawn.assign(flipped=(1 + drawn.seed) * drawn.omega**exponent)
    return {
        "perturbed_omega": table.assign(flipped=0.1) if claim == "P6x" else table,
        "perturbed_control": table if claim == "P6x" else table.assign(flipped=0.1),
        "perturbed_depth": depth,
        "perturbed_split": split,
        "perturbed_drawn": drawn,
    }
