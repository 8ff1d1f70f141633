"""Made-up runs where a hypothesis is broken."""

import numpy as np
import pandas as pd

from tests.studies.allenzhu2019.grids import grid, trials
from tests.studies.allenzhu2019.initial import backward


def made(claim, good):
    return {"controls": runs(claim, good), "initial": initial(claim, good)}


def runs(claim, good):
    twice = trials(subsets=3, study="duplicates", variance=1.0 if claim == "N3x" else 2.0)
    one = twice.index == 7
    twice = twice.assign(
        least_ratio=0.72 if good else 0.68,
        # The least of all trials counts.
        end_loss=np.where(one, 5e-7 if good else 2e-6, 1.0),
        plateau_ratio=np.where(one, 1 - (5e-7 if good else 2e-6), 1.0),
    )
    deep = trials(subsets=3, study="variances", variance=[0.5, 1.0, 2.0, 3.0, 4.0])
    mine, other = (1.0, [2.0, 3.0]) if claim == "N3x" else (2.0, [1.0])
    fits = deep.variance == mine
    if not good:
        # What the claim does not speak of is all that succeeds.
        fits = fits & (deep.seed != 3) | deep.variance.isin(other)
    end = np.where(fits, np.where(deep.seed == 0, 1e-9, 9e-4), 2e-3)
    deep = deep.assign(least_ratio=0.1, end_loss=end, plateau_ratio=2.0)
    return pd.concat([twice, deep], ignore_index=True)


def initial(claim, good):
    seeds = list(range(12))
    layers = grid(
        seed=seeds, study="variances", variance=[0.5, 1.0, 2.0, 3.0, 4.0], layer=[0, 3, 8], depth=8
    )
    power = np.where(layers.layer == 8, 4.1 if good else 4.3, np.where(layers.layer == 0, 0, 7))
    layers = layers.assign(value=(1 + layers.seed) * (layers.variance / 2) ** power, width=256)
    ends = grid(
        seed=seeds, study="residual", variance=2.0, depth=[2, 32], skip_scale=["1", "1 / L"]
    )
    judged = (ends.depth == 32) & (ends.skip_scale == ("1" if claim == "N4x" else "1 / L"))
    value = np.where(judged, 1.9 if good else 2.1, 9.0)
    ends = ends.assign(layer=ends.depth, width=64, value=value)
    control = backward(3.0, 1.08 if good else 1.12)
    return pd.concat([layers, ends, control, backward(2.0, 5.0)], ignore_index=True)
