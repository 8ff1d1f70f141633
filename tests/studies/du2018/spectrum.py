"""Made-up components of the filter's error along five directions."""

import numpy as np
import pandas as pd

from tests.studies.du2018.image_runs import DEAD, runs, trained


def components(table, epoch, share):
    """The third of five directions, the first of the low half, has the given share."""
    parts = {1: 0 * share, 2: 1 - share, 3: share, 4: 0 * share, 5: 0 * share}
    return pd.concat(
        [
            table.assign(epoch=epoch, direction=j, component=np.sqrt(part))
            for j, part in parts.items()
        ]
    )


def made(claim, good):
    table = runs().query("start_distance != 0.75")
    dead = table.seed < DEAD
    one = (table.teacher == "gabor") & (table.start_distance == 0.5)
    edge = (0.76 if good else 0.74) + table.noise
    if claim == "12d":
        # The worst cell decides at the end; what died or has not begun does not.
        end = edge.where(one, 0.9).where(~dead, 0.0)
        start = pd.Series(0.0 if good else 1.0, index=table.index)
    else:
        start = edge.where(one, 0.1 if good else 0.5).where(~dead, 0.0 if good else 1.0)
        end = pd.Series(0.0 if good else 1.0, index=table.index)
    spectrum = pd.concat([components(table, 0, start), components(table, 5, end)])
    loss = pd.Series(np.where(dead, -1.9, -10.0), index=table.index)
    return {"image_training": trained(table, loss), "image_spectrum": spectrum}
