"""Made-up losses of SGD on images."""

import numpy as np

from tests.studies.du2018.image_runs import DEAD, runs, trained


def made(claim, good):
    table = runs()
    if claim == "12a":
        # Fifteen seeds of eighteen in order are enough for every kind and pair, fourteen are not.
        loss = table.start_distance - 10
        turned = table.seed < np.where(
            good | (table.teacher == "random") | (table.start_distance > 0.75), 3, 4
        )
        loss = loss.where(~(turned & (table.start_distance <= 0.75)), -8.5 - table.start_distance)
    else:
        # The dead are left out; the worse kind of teacher decides.
        loss = table.noise - np.where(table.teacher == "random", 8.1, 8.05 if good else 7.95)
        loss = loss.where(table.seed >= DEAD, -1.9)
    return {"image_training": trained(table, loss)}
