"""Made-up least ratios of drop and guarantee."""

import itertools

import pandas as pd

RULES = [(law, rule) for law in ("Gaussian", "mixture, sigma = 1") for rule in ("theorem", "1.0")]


def made(claim, good):
    table = pd.DataFrame(
        [
            dict(law=law, rule=rule, seed=seed, iteration=iteration, end_error=1.0)
            for (law, rule), seed, iteration in itertools.product(
                [*RULES, ("Gaussian", "4.5")], range(12), (0, 1)
            )
        ]
    ).assign(data="synthetic")
    edge = 1.01 if good else 0.99
    one = table.seed == 3
    if claim == "4x":
        # The best seed of the unstable step decides; other steps do not.
        table = table.assign(margin=0.1 if good else 5.0, sharper_margin=0.1)
        unstable = table.rule == "4.5"
        table.loc[unstable, "margin"] = 0.5
        table.loc[unstable & one, "margin"] = edge
        return {"rate": table}
    # The worst seed of the theorem's step decides; larger steps do not.
    column, other = ("margin", "sharper_margin")[:: 1 if claim == "4" else -1]
    theorem = table.rule == "theorem"
    table = table.assign(**{column: 0.5, other: 0.5 if good else 5.0})
    table.loc[theorem, column] = 2.0
    table.loc[theorem & one & (table.law != "Gaussian"), column] = edge
    return {"rate": table}
