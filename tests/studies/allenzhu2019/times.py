"""Made-up times beside those of the frozen kernel, which are powers of n and of delta."""

import numpy as np
import pandas as pd

from tests.studies.allenzhu2019.grids import trials


def made(claim, good):
    samples = trials(samples=[10, 20, 100])
    kernel = 10.0 * (1 + samples.seed) * samples.samples
    # The median counts, and the worst n.
    off = (claim == "P3-samples") & (samples.samples == 20) & (samples.seed > 0)
    ratio = np.where(off, 1.55 if good else 1.65, np.where(samples.seed > 0, 1.2, 9.0))
    samples = samples.assign(iterations=ratio * kernel, kernel_iterations=kernel)

    pairs = trials(width=[256, 1024], depth=[2, 3], delta=[0.9, 0.6, 0.3])
    judged = (pairs.width == 1024) & (pairs.depth == 2)
    exponent = -1.2 if good or claim != "P3-kernel" else -1.3
    kernel = (1 + pairs.seed) * pairs.delta ** np.where(judged, exponent, -4)
    ratio = np.where(judged & (pairs.seed > 0), 1.5, 9.0)
    if claim == "P3-delta":
        ratio[judged & (pairs.delta == 0.3) & (pairs.seed > 0)] = 2.9 if good else 3.1
    pairs = pairs.assign(iterations=ratio * kernel, kernel_iterations=kernel)
    # What was not trained is not judged.
    alone = judged & (pairs.delta == 0.3)
    alone = pairs[alone].assign(delta=0.1, iterations=np.nan, kernel_iterations=1e9)
    return {"times_samples": samples, "pairs": pd.concat([pairs, alone], ignore_index=True)}
