"""Made-up Rayleigh quotients around their closed forms."""

import itertools

import numpy as np
import pandas as pd

SEEDS = 12
CELLS = [("gaussian", 2), ("gaussian", 10), ("sphere", 2), ("sphere", 10), ("mixture", 2)]


def made(claim, good):
    table = pd.DataFrame(
        [
            dict(law=law, dimension=p, quantity=quantity, phi=phi, seed=seed, data="synthetic")
            for (law, p), quantity, phi, seed in itertools.product(
                CELLS, ("gamma", "L", "wrong"), (0.1, 1.0), range(SEEDS)
            )
        ]
    )
    noise = 1e-3 * (-1.0) ** table.seed
    mixture, wrong, near = table.law == "mixture", table.quantity == "wrong", table.phi == 0.1
    table["closed_form"] = 0.3
    if claim == "2b":
        tight = np.where(table.law == "gaussian", 1, 1 / table.dimension) / np.pi
        ratio = (1.02 if good else 1.04) + noise
        # Larger angles, other quantities and the mixture are far off.
        ratio = ratio.where(wrong & near & ~mixture, 3.0)
        return {"smoothness": table.assign(rayleigh_quotient=ratio * table.phi * tight)}
    # One cell decides, in either direction, by the end of its interval.
    judged = mixture if claim == "2x" else ~mixture
    law = "mixture" if claim == "2x" else "sphere"
    worst = (table.law == law) & (table.dimension == 2) & (table.quantity == "L") & near
    deviation = np.where(worst, -0.09 if good else -0.11, 0.02) * table.closed_form
    return {
        "smoothness": table.assign(
            rayleigh_quotient=table.closed_form + noise + np.where(judged, deviation, 0.3)
        )
    }
