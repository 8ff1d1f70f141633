"""Made-up runs of gradient descent: their rates beside those of the frozen kernel."""

import numpy as np

from tests.studies.allenzhu2019.grids import trials


def made(claim, good):
    table = trials(
        seeds=36, width=[4, 128, 256, 1024], lambda_min=1.0, lambda_max=2.0, predicted_rate=1.0
    )
    wide = table.width >= 256
    straightness = np.where(wide, 0.995, 0.5)
    ratio = np.where(wide, 1.25, 0.2)
    narrow = np.where(table.width == 4, 0.6, 0.1)
    one = table.seed == 3
    if claim == "P1c":
        ratio[(table.width == 256) & one] = 0.2  # one trial says nothing
    if not good:
        straightness[(claim == "P1") & (table.width == 1024)] = 0.985
        ratio[(claim == "P1b") & (table.width == 1024)] = 1.35
        ratio[(claim == "P1c") & (table.width == 256) & (table.seed % 3 == 0)] = 0.45
        narrow[(claim == "P1x") & (table.width == 4) & one] = 0.45
    return {
        "descent": table.assign(
            straightness=straightness, measured_rate=ratio, limit_rate=ratio / narrow
        )
    }
