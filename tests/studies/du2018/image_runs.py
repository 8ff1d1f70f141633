"""Made-up runs on images: seven of eighteen died where nothing else is said."""

import itertools

import pandas as pd

SEEDS = 18
DEAD = 7  # the first seeds


def runs():
    """A row a run: two kinds of teachers, three starts."""
    table = pd.DataFrame(
        [
            dict(teacher=teacher, start_distance=distance, seed=seed, data="MNIST")
            for teacher, distance, seed in itertools.product(
                ("random", "gabor"), (0.5, 0.75, 1.0), range(SEEDS)
            )
        ]
    )
    return table.assign(noise=1e-4 * (-1.0) ** table.seed)


def trained(table, loss):
    """Training curves that end at the given losses; at the start all are alike."""
    start = table.assign(epoch=0, relative_loss=-table.start_distance)
    return pd.concat([start, table.assign(epoch=5, relative_loss=loss)])
