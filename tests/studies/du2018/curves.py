"""Made-up curves of SGD that arrive where they are asked to."""

import numpy as np
import pandas as pd

LENGTH = 1000


def curve(seed, sigma, error, arrival, **more):
    """Falls to `error` at the iteration `arrival`, and then at a rate that is the same for all."""
    iterations = np.array([0.0, arrival, LENGTH])
    errors = np.array([0.5, error, error * 1e-3])
    return pd.DataFrame(
        dict(seed=seed, sigma=sigma, iteration=iterations, filter_error=errors, **more)
    ).assign(data="synthetic")
