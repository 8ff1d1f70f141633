"""Made-up slowdowns of training against the movement of the weights."""

import numpy as np

from tests.studies.allenzhu2019.grids import trials

REACH = {0.9: 0.1, 0.6: 0.3, 0.4: 0.6, 0.3: 0.9}


def made(claim, good):
    table = trials(width=[256, 1024], depth=[2, 3], delta=list(REACH))
    reach = table.delta.map(REACH)
    near, far = reach < 0.2, reach > 0.5
    slow = 1 + reach
    if claim == "P3-gap":
        sign = 1 if good else -1
        slow = slow * np.exp(np.where(table.width == 256, 0.05 * sign, 0))
    elif claim == "P3b" and not good:
        slow = slow.where(table.delta != 0.6, 1.7)  # above the third: a correlation of 0.8
    elif claim == "P3c":
        worst = near & (table.width == 1024) & (table.seed == 3)
        slow = slow.where(~worst, 1.25 if good else 1.35)
    elif claim == "P3x":
        slow = slow.where(far, 1.9).where(~far, 1.25 if good else 1.35)
    # Deeper networks are not judged: there everything is the other way round.
    slow = slow.where(table.depth == 2, 9 / (1 + reach) * table.width)
    return {
        "pairs": table.assign(
            separation=1.0,
            spectral_movement=reach,
            kernel_iterations=100.0,
            iterations=100 * slow,
        )
    }
