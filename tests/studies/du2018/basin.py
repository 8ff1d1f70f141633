"""Made-up ends of gradient descent from starts below and above l(0)."""

import itertools

import pandas as pd

CONTROLS = {"3x": "one-sided cap", "3y": "rank 3 in R^5"}
LAWS = ("mixture, sigma = 1", "Gaussian, p = 10", "two-sided cap", *CONTROLS.values())


def made(claim, good):
    table = pd.DataFrame(
        [
            dict(law=law, start_loss=loss, seed=seed, end_loss=0.1, data="synthetic")
            for law, loss, seed in itertools.product(LAWS, (0.99, 1.01), range(12))
        ]
    )
    if claim == "3":
        law = "Gaussian, p = 10"
        judged = table.law.isin(LAWS[:2]) & (table.start_loss < 1)
    else:
        law = CONTROLS.get(claim)
        judged = table.law == law
    # What is not judged does not recover; one start decides.
    table["filter_error"] = 1.0
    table.loc[judged, "filter_error"] = 0.9e-3
    if not good:
        table.loc[judged & (table.law == law) & (table.seed == 3), "filter_error"] = 1.1e-3
    laws = [dict(law="Gaussian, p = 10", start_loss=2.0), dict(law="not judged", start_loss=0.9)]
    search = pd.DataFrame(laws).assign(filter_error=0.5, evaluations=100, data="synthetic")
    search["end_error"] = [0.9e-3 if good else 1.1e-3, 1.0]
    nothing = pd.DataFrame({"data": ["synthetic"]})
    landscape = dict(landscape_levels=nothing, landscape_paths=nothing)
    return {"basin": table, "start_search": search} | landscape
