"""Made-up runs of SGD, with the usual step and with one that is too long."""

import numpy as np
import pandas as pd

from tests.studies.allenzhu2019.grids import trials


def made(claim, good):
    usual, long = trials(study="sgd", batch=[1, 5, 20]), trials(study="long", batch=1)
    straight, end, beyond = np.full(len(usual), 0.99), np.full(len(usual), 5e-7), np.inf
    if claim == "P2x":
        end[:], beyond = 1.0, 5e-7 if good else 5e-6
    elif not good:
        straight[(claim == "P2") & (usual.batch == 5)] = 0.97
        end[(claim == "P2b") & (usual.batch == 5) & (usual.seed == 3)] = 2e-6
    usual = usual.assign(straightness=straight, end_loss=end, step=1.0 / usual.batch)
    # Its median is judged: two runs of twelve may do as they like.
    long = long.assign(straightness=0.1, end_loss=np.where(long.seed < 2, np.inf, beyond), step=1.0)
    return {"sgd": pd.concat([usual, long], ignore_index=True).assign(measured_rate=1.0)}
