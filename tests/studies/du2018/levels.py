"""Made-up iterations over nine levels of smoothness."""

import numpy as np
import pandas as pd

SEEDS = 12


def curve(rule, powers_of_complexity):
    """Iterations of all seeds, the given ones with a little noise."""
    complexity = 30 * 1.5 ** np.arange(len(powers_of_complexity))
    rows = []
    for level, iterations in enumerate(powers_of_complexity):
        for seed in range(SEEDS):
            noise = 1 + 1e-4 * (-1) ** (seed + level)
            rows.append(
                dict(
                    rule=rule,
                    complexity=complexity[level],
                    seed=seed,
                    iterations=iterations * noise,
                    data="synthetic",
                )
            )
    return rows


def made(claim, good):
    levels = np.arange(9)
    shape = {"fixed": 1.5 ** (0.5 * levels), "theorem": 1.5 ** (1.0 * levels)}
    if claim == "5":
        # The worse rule decides: correlation 0.92 or 0.88.
        order = [0, 1, 2, 3, 4, 5, 8, 7, 6] if good else [3, 1, 2, 0, 4, 5, 6, 8, 7]
        shape["fixed"] = shape["fixed"][np.array(order)]
    if claim == "5b":
        shape = {"fixed": 1.5 ** ((0.41 if good else 0.39) * levels), "theorem": 1.5**levels}
    if claim == "5c":
        shape["theorem"] = 1.5 ** ((1.19 if good else 1.21) * levels)
    if claim == "5x" and good:
        # Two levels: the permutations drawn put one rule in order and the other not.
        shape = {"fixed": [10.0, 20.0], "theorem": [20.0, 10.0]}
    return {"levels": pd.DataFrame([row for rule, it in shape.items() for row in curve(rule, it)])}
