"""Made-up edges of ||grad F||^2 / (F m) along the path."""

import numpy as np

from tests.studies.allenzhu2019.grids import trials


def made(claim, good):
    table = trials(seeds=36, width=[64, 256, 512, 2048])
    wide = table.width >= 256
    edge, top = np.where(wide, 0.75, 0.1), np.where(wide, 1.05, 2.0)
    level = np.where(table.width == 2048, 1.9, 1.0)
    one = (table.width == 512) & (table.seed == 3)
    if claim == "P4b":
        edge[one] = 0.2  # one trial says nothing
    if not good:
        edge[(claim == "P4") & (table.width == 512)] = 0.65
        edge[(claim == "P4b") & (table.width == 512) & (table.seed % 2 == 0)] = 0.45
        top[(claim == "P4c") & one] = 1.15
        level[(claim == "P4d") & (table.width == 2048)] = 2.1
    pairs = trials(width=[256, 1024], depth=[2, 3], delta=[0.9, 0.6, 0.3]).assign(iterations=9.0)
    judged = (pairs.width == 1024) & (pairs.depth == 2)
    samples = trials(samples=[10, 20, 100])
    return {
        "descent": table.assign(
            lambda_min=level,
            lambda_max=1.0,
            least_ratio=2 * level * edge,
            greatest_ratio=2 * top,
        ),
        "times_kernel_pairs": powers(
            trials(width=[1024, 2048], delta=[0.9, 0.6, 0.3]).assign(iterations=9.0),
            "delta",
            1,
            claim,
            EDGES,
            good,
        ),
        "pairs": powers(pairs, "delta", np.where(judged, 1, 5), claim, EDGES, good),
        "times_samples": powers(samples, "samples", 1, claim, EDGES, good),
    }


# Claim to what falls, and to an exponent just inside and one just outside its band.
EDGES = {
    "P4e": ("lambda_min", 0.97, 1.03),
    "P4f": ("least_ratio", 0.97, 1.03),
    "P4g": ("least_ratio", -1.97, -2.03),
    "P4h": ("lambda_min", -1.97, -2.03),
}


def powers(table, x, elsewhere, claim, judged, good):
    """Both edges as powers of `x`; only what the claim speaks of has its exponent."""
    column, inside, outside = judged.get(claim, ("none", 1, 1))
    for name in ("lambda_min", "least_ratio"):
        exponent = inside if good else outside
        exponent = elsewhere * (exponent if name == column else -4.0)
        table[name] = (1 + table.seed) * table[x] ** exponent
    return table
