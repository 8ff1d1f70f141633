"""Made-up changes of signals that are powers of omega and of the depth."""

import numpy as np

from tests.studies.allenzhu2019.grids import grid

# Claim to what it speaks of, and to an exponent just inside and one just outside its band.
IN_OMEGA = {
    "P7": ("forward_change", "gradient", 1.04, 1.06),
    "P8": ("backward_change", "adversary", 0.38, 0.40),
    "P8b": ("backward_change", "gradient", 0.42, 0.38),
    "P8c": ("gradient_change", "adversary", 0.29, 0.26),
    "P8d": ("gradient_change", "gradient", 0.58, 0.62),
    "P8x": ("backward_change", "gradient", 0.38, 0.40),
}
KINDS = ["adversary", "gaussian", "gradient", "rank one"]


def made(claim, good):
    seeds = list(range(12))
    omega = grid(seed=seeds, perturbation=KINDS, omega=[0.003, 0.01, 0.1], width=[256, 2048])
    column, kind, inside, outside = IN_OMEGA.get(claim, (None, None, 2, 2))
    judged = (omega.perturbation == kind) & (omega.width == 2048)
    for name in ("forward_change", "backward_change", "gradient_change"):
        exponent = np.where(judged & (name == column), inside if good else outside, 2.0)
        omega[name] = (1 + omega.seed) * omega.omega**exponent

    control = omega.copy() if claim == "P8x" else omega.assign(backward_change=0.1)
    if claim == "P8x":
        omega["backward_change"] = 0.1
    drawn = grid(seed=seeds, omega=[0.001, 0.01], width=[4096, 65536])
    exponent = np.where(drawn.width == 65536, 0.32 if good else 0.30, 2.0)
    drawn = drawn.assign(backward_change=(1 + drawn.seed) * drawn.omega**exponent)

    def in_depth(exponents):
        table = grid(seed=seeds, perturbation=list(exponents), omega=[0.01, 0.1], depth=[2, 4, 8])
        power = table.depth ** table.perturbation.map(exponents)
        return table.assign(forward_change=(1 + table.seed) * table.omega * power)

    steep = 2.4 if good else 2.6
    return {
        "perturbed_omega": omega,
        "perturbed_control": control,
        "perturbed_drawn": drawn,
        "perturbed_depth": in_depth(dict.fromkeys(KINDS, 1.0) | {"rank one": steep}),
        "perturbed_variance": in_depth({"gaussian": 9.0, "gradient": steep}),
    }
