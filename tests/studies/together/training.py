"""Made-up trainings of which a quantity is right where it is judged, and wrong elsewhere."""

import numpy as np

from tests.studies.allenzhu2019.grids import grid

# Claim to the quantity, rows that are judged, and a value just inside and one just outside.
JUDGED = {
    "T10": ("above", "width > 0", 0.0, -1e-9),
    "T10x": ("predicted_above", "width >= 256", 0.0, -1e-9),
    "T11": ("above", "width >= 256 and time == 8", 0.049, 0.051),
    "T11b": ("above", "width == 4 and time == 8", 0.099, 0.101),
    "T11x": ("above", "width >= 256 and time == 0.2", 0.049, 0.051),
    "T12": ("ratio", "width >= 256 and time == 0.001", 0.951, 0.949),
    "T12x": ("ratio", "width >= 256 and time > 0", 1.049, 1.051),
    "T13": ("convexity", "width >= 32 and time == 0", -0.0011, -0.0009),
    "T13x": ("convexity", "width >= 256 and time == 0.2", -0.0011, -0.0009),
    "T14": ("condition", "width > 0", 1.0, 1.001),
    "T14x": ("merged_gamma", "width > 0", 0.0, 1e-9),
    "T15": ("convexity", "width >= 256 and time == 0.2", 0.0, -1e-6),
    "T15x": ("convexity", "width >= 256 and time == 2", 0.0, -1e-6),
}
MEDIANS = "T11b", "T12", "T12x", "T15", "T15x"


def made(claim, good):
    table = grid(seed=list(range(12)), width=[4, 32, 256, 1024], time=[0, 0.001, 0.2, 2, 8])
    usual = dict(above=1.0, predicted_above=1.0, ratio=1.0, convexity=0.1, condition=0.5)
    table = table.assign(**usual, merged_gamma=0.0)
    quantity, where, inside, outside = JUDGED[claim]
    judged = table.index.isin(table.query(where).index)
    # What is bad is so in one run, of a median in those of one width.
    worst = judged & (table.width == table.width[judged].max())
    worst &= (claim in MEDIANS) | (table.seed == 3)
    table[quantity] = np.where(judged, inside, outside)
    if not good:
        table[quantity] = np.where(worst, outside, inside)
    return {
        "training": table.assign(
            program=1.0,
            dual_bound=1.0,
            objective=1 + table.above,
            predicted_objective=1 + table.predicted_above,
            relative_loss=table.time.map({0: 1.0, 0.001: 0.06, 0.2: 0.04, 2: 0.01, 8: 0.04}),
            predicted_movement=table.time,
            movement=table.ratio * table.time,
            smallest=3 * table.convexity,
            largest=3.0,
            l_cross=0.5,
            gamma=3 * table.condition,
            beta=0.1,
            phi=0.1,
        )
    }
