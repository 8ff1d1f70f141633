"""Claims 1, 5x: many restarts of descent with m = 2n filters on the instances of train_convex."""

from typing import Literal

import numpy as np
import pandas as pd

from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    POOLING,
    Descent,
    draw_signals,
    inputs_of,
    output_rank,
    train_restarts,
)


class Options(Descent):
    """Claims 1, 5x: descent with m = 2n filters beside the convex optimum."""

    case: Literal[
        "fully_connected",
        "average",
        "max",
        "linear",
        "unpooled",
        "circular",
        "two_relu_shared",
        "two_relu_unshared",
    ]


def used(filters, weights, floor=1e-6):
    """Filters whose size ``|u| |w|`` exceeds `floor` of the largest, with their weights."""
    size = np.linalg.norm(filters, axis=1) * np.abs(weights)
    return filters[size > floor * size.max()], weights[size > floor * size.max()]


def measure(options, rng, convex):
    rows = []
    instances = list(convex.groupby("seed"))
    for seed, betas in step.progress(instances, label=options.case, unit="instance"):
        instance = betas.iloc[0]
        X, y = draw_signals(rng, seed, instance.samples, instance.dimension)
        inputs = inputs_of(options.case, X, instance.patch_size)
        trained, ends = train_restarts(
            options,
            options.case,
            inputs,
            y,
            betas.beta.to_numpy(),
            2 * len(y),
            rng(options.case, seed),
        )
        for index, which, restart, objective in ends:
            known = betas.iloc[which]
            row = {
                "architecture": options.case,
                "seed": seed,
                "beta_fraction": known.beta_fraction,
                "beta": known.beta,
                "width": 2 * len(y),
                "restart": restart,
                "objective": objective,
                "program": known.program,
                "dual_bound": known.dual_bound,
            }
            if options.case in POOLING:
                network = trained.network(index)
                filters, weights = used(network.filters, network.weights)
                row |= {
                    "filters": len(weights),
                    "rank": output_rank(filters, inputs, POOLING[options.case]),
                }
            rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
