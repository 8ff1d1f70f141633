"""Made-up tables of T4: the published recipe beside ours."""

import itertools

import pandas as pd

SEEDS = range(21)
SAMPLES = tuple(500 * 2**i for i in range(11))
ACTIVATIONS = {"square": "squared_relu", "relu": "relu", "tanh": "tanh", "sigmoid": "sigmoid"}


def made(claim, good):
    """Errors that fall as the root of n, and reach 0.3 at a number of samples of each method."""
    rows = []
    for activation, n, seed in itertools.product(ACTIVATIONS.values(), SAMPLES, SEEDS):
        judged = ACTIVATIONS.get(claim.removeprefix("Z9d-"), "squared_relu") == activation
        times = {"kcl": 1, "published": 9.0, "jennrich": 1.0, "first patch": 1.0}
        if judged:
            times["jennrich" if claim == "Z9dx" else "published"] = 5.5 if good else 3.0
        for method, more in times.items():
            # A spread of the seeds that leaves the median where it is.
            needed = 2000 * more * (1 + 0.02 * (seed - 10))
            distance = 0.3 * (needed / n) ** 0.5
            rows.append((activation, method, n, seed, distance))
    columns = ["activation", "method", "samples", "seed", "distance"]
    return {"tensor_published": pd.DataFrame(rows, columns=columns)}
