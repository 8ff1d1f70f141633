"""Claim 1b: the best of several starts of descent beside the convex optimum, over many data sets.

Every data set is trained at one beta, the fractions taken in turn, so that all data sets are
independent. Further rounds of starts, with other sizes of the starting weights, are begun while
none has reached the optimum; more starts would not change whether the best of them has.
"""

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import beta_max
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    ARCHITECTURES,
    Descent,
    Instances,
    draw_signals,
    inputs_of,
    train_case,
    train_restarts,
)
from workflow.scripts.step import Count, Positive


class Options(Instances, Descent):
    """Claim 1b: restarts of descent over many data sets, each at one of the fractions in turn."""

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
    scales: list[Positive] = Field(
        min_length=1, description="of the starts of each round, in units of 1 / sqrt(fan-in)"
    )
    tol: Positive = Field(description="excess over p*, relative, that ends the rounds")
    width: Count | None = Field(None, description="filters m; 2n unless given")


def rounds(options, inputs, y, beta, program, rng):
    """End objectives of every start, a list a round; the last one has reached the optimum."""
    width = options.width or 2 * len(y)
    found = []
    for scale in options.scales:
        trained, _ = train_restarts(
            options, options.case, inputs, y, [beta], width, rng, scale=scale
        )
        found.append(trained.objective)
        if trained.objective.min() <= program * (1 + options.tol):
            break
    return found


def measure(options, rng):
    rows = []
    for seed in step.progress(range(options.trials), label=options.case, unit="data set"):
        X, y = draw_signals(rng, seed, options.samples, options.dimension, "restart_descent")
        inputs = inputs_of(options.case, X, options.patch_size)
        fraction = options.fractions[seed % len(options.fractions)]
        beta = fraction * beta_max(inputs, y, architecture=ARCHITECTURES[options.case])
        optimum = train_case(options.case, inputs, y, beta)
        draws = rng(options.case, seed)
        ends = rounds(options, inputs, y, beta, optimum.program, draws)
        rows += [
            {
                "architecture": options.case,
                "seed": seed,
                "beta_fraction": fraction,
                "beta": beta,
                "width": options.width or 2 * options.samples,
                "restart": restart,
                "objective": objective,
                "program": optimum.program,
                "dual_bound": optimum.dual_bound,
            }
            for restart, objective in enumerate(np.concatenate(ends))
        ]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
