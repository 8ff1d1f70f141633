"""Made-up components of the filter's error along five directions."""

import numpy as np
import pandas as pd

from tests.studies.du2018.image_runs import DEAD, runs, trained

HORIZON = 4000
# Of each direction: how many steps 1 / (eta lambda_j) predicts. The second and third are judged.
PREDICTED = {1: 1, 2: 100, 3: 1000, 4: 2000, 5: 1e9}


def components(table, iteration, share):
    """The third of five directions, the first of the low half, has the given share."""
    parts = {1: 0 * share, 2: 1 - share, 3: share, 4: 0 * share, 5: 0 * share}
    return pd.concat(
        [
            table.assign(
                iteration=iteration,
                direction=j,
                component=np.sqrt(part),
                step=2.0,
                eigenvalue=0.5 / PREDICTED[j],
            )
            for j, part in parts.items()
        ]
    )


def halved(table, factor):
    """Components that halve at a factor of their predicted times; others at once."""
    rows = []
    for j, predicted in PREDICTED.items():
        at = predicted * factor if j in (2, 3) else predicted / 100
        for iteration in (0, 1, *np.geomspace(10, HORIZON, 60)):
            rows.append(
                table.assign(
                    iteration=iteration,
                    direction=j,
                    component=2.0 ** -(iteration / at),
                    step=2.0,
                    eigenvalue=0.5 / predicted,
                )
            )
    return pd.concat(rows)


def made(claim, good):
    table = runs().query("start_distance != 0.75")
    dead = table.seed < DEAD
    one = (table.teacher == "gabor") & (table.start_distance == 0.5)
    loss = pd.Series(np.where(dead, -1.9, -10.0), index=table.index)
    training = trained(table, loss)
    if claim == "12e":
        # The worst cell decides, at the lower end of the band; the dead do not.
        factor = np.where(dead, 50.0, np.where(one, 0.52 if good else 0.48, 1.5)) + table.noise
        return {"image_training": training, "image_spectrum": halved(table, factor)}
    edge = (0.91 if good else 0.89) + table.noise
    if claim == "12f":
        # The worst cell decides: 0.21 or 0.19 more than at the start, whose level says nothing.
        start = 0.3 + 0.01 * table.seed
        end = start + np.where(one, 0.21 if good else 0.19, 0.4) + table.noise
        spectrum = [components(table, 0, start), components(table, HORIZON, end.where(~dead, 0))]
        return {"image_training": training, "image_spectrum": pd.concat(spectrum)}
    if claim == "12d":
        # The worst cell decides at the end; what died or has not begun does not.
        end = edge.where(one, 0.95).where(~dead, 0.0)
        start = pd.Series(0.0 if good else 1.0, index=table.index)
    else:
        start = edge.where(one, 0.1 if good else 0.5).where(~dead, 0.0 if good else 1.0)
        end = pd.Series(0.0 if good else 1.0, index=table.index)
    spectrum = [components(table, 0, start), components(table, HORIZON, end)]
    return {"image_training": training, "image_spectrum": pd.concat(spectrum)}
