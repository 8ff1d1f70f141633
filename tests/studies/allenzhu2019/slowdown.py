"""Made-up slowdowns of training against the movement of the weights."""

import numpy as np

from tests.studies.allenzhu2019.grids import trials

REACH = {0.9: 0.1, 0.6: 0.3, 0.4: 0.6, 0.3: 0.9}

# Claim to exponents of delta and of the movement, just inside and just outside its band.
EXPONENTS = {"P3b": ((-1.05, 0.1), (-0.65, 0.1)), "P3d": ((-1.5, 0.85), (-1.5, 0.75))}


def made(claim, good):
    table = trials(width=[256, 1024], depth=[2, 3], delta=list(REACH))
    reach = table.delta.map(REACH)
    near, far = reach < 0.2, reach > 0.5
    slow = 1 + reach
    if claim == "P3-gap":
        sign = 1 if good else -1
        slow = slow * np.exp(np.where(table.width == 256, 0.05 * sign, 0))
    elif claim in EXPONENTS:
        # The movement has an exponent of its own in delta, so that both can be told apart.
        delta, omega = EXPONENTS[claim][0 if good else 1]
        noise = 1 + 0.5 * (table.seed % 3) + 0.5 * (table.width == 256)
        reach = reach * noise
        slow = 1 + table.delta**delta * (reach * table.delta**1.5) ** omega
    elif claim == "P3c":
        worst = near & (table.width == 1024) & (table.seed == 3)
        slow = slow.where(~worst, 1.25 if good else 1.35)
    elif claim == "P3x":
        slow = slow.where(far, 1.9).where(~far, 1.25 if good else 1.35)
    # Deeper networks are not judged: there everything is the other way round.
    slow = slow.where(table.depth == 2, 9 / (1 + reach) * table.width)
    return {
        "pairs": table.assign(
            separation=table.delta if claim in EXPONENTS else 1.0,
            spectral_movement=reach * (table.delta**1.5 if claim in EXPONENTS else 1.0),
            kernel_iterations=100.0,
            iterations=100 * slow,
        )
    }
