"""Made-up probabilities of a good start."""

import itertools

import numpy as np
import pandas as pd
from scipy import stats

DRAWS = 10_000


def made(claim, good):
    table = pd.DataFrame(
        [
            dict(dimension=p, fraction=fraction, draws=DRAWS, exact=0.4, data="synthetic")
            for p, fraction in itertools.product((10, 12), (0.5, 1.0))
        ]
    )
    worst = (table.dimension == 12) & (table.fraction == 1.0)
    edge = -0.001 if good else 0.001
    table = table.assign(successes=4000, bound=0.2, sharper_bound=0.2, unscaled_bound=0.9)
    if claim == "11":
        # Downwards, so that the interval ends on either side of the tolerance.
        reach = stats.norm.isf(0.025 / len(table)) * np.sqrt(0.4 * 0.6 / DRAWS)
        far = 0.029 - reach if good else 0.031 + reach
        table.loc[worst, "successes"] = round(DRAWS * (0.4 - far))
    if claim == "11b":
        table.loc[worst, "sharper_bound"] = 0.4 + edge
    if claim == "11x":
        table.loc[table.dimension == 12, "unscaled_bound"] = 0.2
        table.loc[worst, "unscaled_bound"] = 0.4 + edge
    # The worst law decides: its interval ends on either side of the bound.
    inside = pd.DataFrame(dict(draws=2000, bound=0.3, phi=1.5, successes=[900, 760, 900]))
    inside["data"] = "synthetic"
    inside.loc[1, "successes"] = 660 if good else 610
    return {"starts": table, "starts_inside": inside}
