"""Made-up curves of a convolutional filter over the spread of its patches."""

import numpy as np
import pandas as pd

from tests.studies.du2018.curves import curve

SPREADS = (0.0, 0.3, 0.5, 1.0, np.inf)


def made(claim, good):
    rows = []
    labels = np.tile(np.arange(len(SPREADS)), (20, 1))
    shuffled = np.random.default_rng(0).permuted(labels, axis=1)
    for seed in range(20):
        if claim == "8":
            arrivals = [100 + 10 * i for i in range(5)]
            if not good and seed == 3:
                arrivals[2] = arrivals[3]
        else:
            # In order once the labels are shuffled as the judge will.
            arrivals = np.empty(5)
            arrivals[shuffled[seed]] = [100 + 10 * i for i in range(5)]
            if not good and seed == 3:
                arrivals = arrivals[::-1]
        for sigma, arrival in zip(SPREADS, arrivals, strict=True):
            rows.append(curve(seed, sigma, 0.02, arrival, base_sigma=1.0))
            # Another base law, out of order.
            rows.append(curve(100 + seed, sigma, 0.02, 50, base_sigma=0.5))
    return {"sgd_patches_p2": pd.concat(rows)}
