"""Made-up accuracies of networks in training."""

import numpy as np
import pandas as pd

from tests.studies.allenzhu2019.grids import grid

WIDTHS = {"fully": [8, 16, 64, 256], "conv": [6, 24], "res": [64, 256]}


def made(claim, good):
    table = pd.concat(
        [
            grid(
                network=network,
                width=widths,
                labels=["true", "random"],
                loss_function=["cross_entropy", "squared"],
                seed=list(range(12)),
                epoch=[1, 2, 3, 4, 5],
            )
            for network, widths in WIDTHS.items()
        ],
        ignore_index=True,
    )
    control = claim == "P15x"
    network = "fully" if control else claim.removeprefix("P15-")
    judged = (table.network == network) & (table.labels == "random")
    judged &= table.loss_function == "cross_entropy"
    if network == "fully":
        judged &= table.width <= 16 if control else table.width > 16
    accuracy = np.where(judged & (table.epoch > 2), 1.0, 0.5)
    if control:  # the best of all seeds and narrow widths counts, and nothing else
        accuracy[judged & ((table.seed > 0) | (table.width == 8))] = 0.5
        accuracy[~judged] = 0.5 if good else 1.0
    if not good:
        # Of a claim's widths one that is not the widest, and one seed of it, at the third epoch
        # from the end.
        worst = table.width.isin([6, 64]) & (table.seed == 3) | control
        accuracy[judged & worst & (table.epoch == 3)] = 0.99
    return {"classification": table.assign(accuracy=accuracy)}
