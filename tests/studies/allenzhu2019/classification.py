"""Made-up accuracies of networks in training."""

import numpy as np
import pandas as pd

from tests.studies.allenzhu2019.grids import grid

WIDTHS = {"fully": [8, 16, 256], "conv": [2, 4, 32], "res": [8, 16, 256]}
NARROW = {"fully": 16, "conv": 4, "res": 16}


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
    control = claim.startswith("P15x")
    network = claim.partition("-")[2] or "fully"
    narrow = table.width <= table.network.map(NARROW)
    judged = (table.network == network) & (table.labels == "random") & (narrow == control)
    squared = table.loss_function == "squared"
    accuracy = np.where(judged & ~squared & (table.epoch > 2), 1.0, 0.5)
    if control:  # the best of all trials and narrow widths counts, and nothing else
        accuracy[judged & ((table.seed > 0) | (table.width < NARROW[network]))] = 0.5
        accuracy[~judged] = 0.5 if good else 1.0
    if not good:
        # One trial, at the third epoch from the end.
        worst = (table.seed == 3) | control
        accuracy[judged & worst & (table.epoch == 3)] = 0.99
    # Straight only where it is judged, between the two levels.
    bend = np.where(judged & (table.seed > 1), 0.1 if good else 1.5, 5.0)
    loss = np.exp(-0.7 * table.epoch - bend * (table.epoch == 3))
    loss = loss.where(table.epoch < 5, 1e-9)
    return {"classification": table.assign(accuracy=accuracy, relative_loss=loss)}
