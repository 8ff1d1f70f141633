"""Made-up edges of ||grad F||^2 / (F m) along the path."""

import numpy as np

from tests.studies.allenzhu2019.grids import trials


def made(claim, good):
    table = trials(width=[64, 256, 512, 2048])
    wide = table.width >= 256
    edge, top = np.where(wide, 0.75, 0.1), np.where(wide, 1.05, 2.0)
    level = np.where(table.width == 2048, 1.9, 1.0)
    one = (table.width == 512) & (table.seed == 3)
    if not good:
        edge[(claim == "P4") & (table.width == 512)] = 0.65
        edge[(claim == "P4b") & one] = 0.45
        top[(claim == "P4c") & one] = 1.15
        level[(claim == "P4d") & (table.width == 2048)] = 2.1
    return {
        "descent": table.assign(
            lambda_min=level,
            lambda_max=1.0,
            least_ratio=2 * level * edge,
            greatest_ratio=2 * top,
        )
    }
