"""Made-up separations of the inputs, layer by layer."""

import numpy as np

from tests.studies.allenzhu2019.grids import grid

DELTA = 0.25


def made(claim, good):
    table = grid(
        seed=list(range(12)), width=[256, 1024], layer=[0, 2, 4, 5, 8, 9, 64], separation=DELTA
    )
    # The theorem grants layer 5 to one subset only, which is too few to judge it.
    table["separation"] = table.separation.where(table.seed > 0, 0.19)
    widest = table.width == 1024
    # Up to 1 / delta, up to layer 8 and at the deepest layer the claims look; elsewhere all is bad.
    looks = table.layer == 64 if claim == "P10x" else table.layer <= 1 / DELTA
    share, match = np.where(widest & looks, 1.05, 0.5), np.where(widest & (table.layer <= 8), 1, 9)
    match = match.astype(float)
    if claim == "P10" and not good:
        share[table.layer == 4] = 0.95
    if claim == "P10x" and not good:
        share[table.layer == 64] = 0.95
    if claim == "P10b":
        match[widest & (table.layer == 8)] = 0.82 if good else 0.78
    value = share * table.separation / 2
    return {"separation": table.assign(value=value, predicted=value / match)}
