"""Claims 1, 5x: many restarts of descent with m = 2n filters on the instances of train_convex."""

from typing import Literal

import numpy as np
import pandas as pd

from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    POOLING,
    Descent,
    draw_signals,
    groups,
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


def problem(options, rng, seed, known):
    """``inputs, y`` of an instance, by its rows of the convex program's table."""
    instance = known.iloc[0]
    X, y = draw_signals(rng, seed, instance.samples, instance.dimension)
    return inputs_of(options.case, X, instance.patch_size), y


def ends_of(options, seed, betas, inputs, width, trained, ends):
    """Rows of an instance: every start at every beta."""
    for index, which, restart, objective in ends:
        known = betas.iloc[which]
        row = {
            "architecture": options.case,
            "seed": seed,
            "beta_fraction": known.beta_fraction,
            "beta": known.beta,
            "width": width,
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
        yield row


def measure(options, rng, convex):
    rows = []
    instances = list(convex.groupby("seed"))
    width = 2 * convex.samples.iloc[0]
    progress = step.progress(instances, label=options.case, unit="instance")
    for group in groups(progress):
        problems = [problem(options, rng, *known) for known in group]
        betas = [known.beta.to_numpy() for _, known in group]
        draws = [rng(options.case, seed) for seed, _ in group]
        found = train_restarts(
            options, options.case, *zip(*problems, strict=True), betas, width, draws
        )
        for (seed, known), (inputs, _), trained in zip(group, problems, found, strict=True):
            rows += ends_of(options, seed, known, inputs, width, *trained)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
