"""Made-up residuals along the eigenvectors of a kernel."""

import numpy as np

from tests.studies.allenzhu2019.grids import trials


def made(claim, good):
    table = trials(width=[4, 256, 2048], mode=[0, 1, 2], decay_time=[0.1, 0.6, 1.0, 2.9, 5.0])
    judged = table.width == (2048 if claim == "P1d" else 4)
    judged &= table.decay_time.between(0.5, 3)
    # The median over trials and over patterns counts: one of them may be far off.
    judged &= (table["mode"] > 0) & (table.seed > 1)
    off = np.where(judged, 0.19 if good else 0.21, 2.0)
    return {"descent_modes": table.assign(residual_share=np.exp(off - table.decay_time))}
