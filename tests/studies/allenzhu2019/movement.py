"""Made-up movements of the weights that are powers of the width."""

import numpy as np

from tests.studies.allenzhu2019.grids import trials

# Claim to what it speaks of, and to an exponent just inside and one just outside its band.
SLOPES = {
    "P12": ("usual", "spectral_movement", -0.56, -0.60),
    "P12b": ("usual", "movement", -0.44, -0.40),
    "P12x": ("small", "movement", -0.56, -0.60),
}


def sweep(scaling, column, exponent, columns, usual_from=128):
    """Powers of the width; only `column` under `scaling`, from a width on, has the exponent."""
    table = trials(subsets=2, scaling=["usual", "small"], width=[64, 128, 256, 512, 1024])
    judged = table.width >= np.where(table.scaling == "usual", usual_from, 128)
    # A residual at the start that goes with the quantities, but not with the width.
    table["start_residual"] = 1 + 0.1 * ((table.seed + table.width) % 3)
    for name in columns:
        mine = judged & (table.scaling == scaling) & (name == column)
        power = table.width ** np.where(mine, exponent, 1.0)
        table[name] = (1 + table.seed) * np.where(judged, power, 1e6)
        table[name] *= np.where(table.scaling == "usual", table.start_residual, 1)
    table["limit_movement"] = np.where(table.scaling == "usual", table.start_residual, 1)
    return table


def made(claim, good):
    scaling, column, inside, outside = SLOPES.get(claim, ("usual", "movement", -0.5, -0.5))
    columns = ("spectral_movement", "movement")
    table = sweep(scaling, column, inside if good else outside, columns, usual_from=256)
    judged = (table.scaling == "usual") & (table.width >= 256)
    ratio = np.where(judged, 1.05, 3.0)
    if claim == "P12c":
        ratio[judged & (table.width == 1024)] = 1.14 if good else 1.16
    return {"descent": table.assign(predicted_movement=table.movement / ratio)}
