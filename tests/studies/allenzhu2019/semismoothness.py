"""Made-up residuals of the first-order expansion beside the two terms of the bound."""

import numpy as np

from tests.studies.allenzhu2019.grids import trials


def made(claim, good):
    kinds = ["gaussian", "rank one", "up the gradient"]
    table = trials(
        perturbation=kinds, omega=[0.01, 0.03, 0.1], width=[256, 1024], iteration=[0, 20]
    )
    last = table.perturbation == "up the gradient"
    exponent = np.where(last & (claim == "P5b"), 2.25 if good else 2.35, 1.7)
    residual = table.omega**exponent
    share = np.full(len(table), 0.95)
    if not good and claim in ("P5", "P5x"):
        share[17] = 1.05
    # Terms whose sum, or whose sum without its growth in m, is the residual over the share.
    terms = residual / share * (table.width if claim == "P5x" else 1)
    if claim == "P5c":
        negative = np.arange(len(table)) % 20 < (3 if good else 5)
        residual = residual.where(~negative, -residual)
    return {"semismoothness": table.assign(residual=residual, kink_term=0.0, smooth_term=terms)}
