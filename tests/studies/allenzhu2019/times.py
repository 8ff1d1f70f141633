"""Made-up times that are powers of the number of images and of delta."""

import numpy as np

from tests.studies.allenzhu2019.grids import trials


def made(claim, good):
    exponents = {
        "P3-samples": 2.9 if good else 3.1,
        "P3-delta": -2.3 if good else -2.5,
        "P3-kernel": -1.2 if good else -1.3,
    }
    mine = exponents[claim]
    samples = trials(subsets=2, samples=[10, 20, 40])
    times = 10.0 * (1 + samples.seed) * samples.samples**mine
    samples = samples.assign(iterations=times, kernel_iterations=10.0 * samples.samples)
    pairs = trials(width=[256, 1024], depth=[2, 3], delta=[0.9, 0.6, 0.3])
    judged = (pairs.width == 1024) & (pairs.depth == 2)

    def power(name):
        return (1 + pairs.seed) * pairs.delta ** np.where(judged & (claim == name), mine, -4)

    pairs = pairs.assign(iterations=power("P3-delta"), kernel_iterations=power("P3-kernel"))
    return {"times_samples": samples, "pairs": pairs}
