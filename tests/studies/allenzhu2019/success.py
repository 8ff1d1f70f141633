"""Made-up success of networks of several widths."""

import numpy as np

from tests.studies.allenzhu2019.grids import trials


def made(claim, good):
    table = trials(seeds=40, samples=[10, 20], width=[2, 32, 64, 128])
    judged = table.width >= 64 if claim == "P3-width" else table.width == 2
    fits = (table.samples == 20) & judged
    if not good:
        fits &= ~(table.width.isin([2, 64]) & (table.seed < 3))
    return {"success": table.assign(end_loss=np.where(fits, 9e-4, 2e-3))}
