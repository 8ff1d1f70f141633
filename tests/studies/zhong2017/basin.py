"""Made-up tables of T2: the basin."""

import itertools

import pandas as pd


def made(claim, good):
    grid = itertools.product(
        ("relu", "squared_relu", "sigmoid", "tanh", "erf"),
        range(12),
        (0.05, 0.1, 0.2, 0.8, 0.9),
        range(3),
    )
    table = pd.DataFrame(grid, columns=["activation", "seed", "radius", "direction"])
    odd = table.activation.isin(["sigmoid", "tanh", "erf"])
    bounded = odd & (table.activation != "sigmoid")
    # Positive close by (at 0.8 too, so that the control holds), negative where nobody asks.
    unasked = (table.activation == "squared_relu") | (table.radius == 0.9)
    unasked |= odd & (table.radius == 0.1)
    table["smallest"] = 0.1 - 1.1 * unasked
    # One direction of a teacher is enough at 0.2.
    table.loc[bounded & (table.radius == 0.2) & (table.direction == 1), "smallest"] = -0.1
    one = (table.seed == 5) & (table.direction == 1)
    if not good:
        chosen = {
            "Z7": (table.activation == "tanh") & (table.radius == 0.05),
            "Z7b": (table.activation == "erf") & (table.radius == 0.2),
            "Z7c": (table.activation == "relu") & (table.radius == 0.8),
            "Z7x": (table.activation == "sigmoid") & (table.radius == 0.8),
        }[claim]
        table.loc[chosen & one, "smallest"] = 0.1 if claim == "Z7b" else 0.0
    return {"basin": table}
