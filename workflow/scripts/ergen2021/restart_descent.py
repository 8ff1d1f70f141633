"""Claim 1b: the best of several starts of descent beside the convex optimum, over many data sets.

Every data set is trained at one beta, the fractions taken in turn, so that all data sets are
independent. Further rounds, each of as many starts as all before it, with other sizes of the
starting weights, are begun while none has reached the optimum; more starts would not change whether
the best of them has.
"""

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import beta_max, enumerate_cells
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    ARCHITECTURES,
    Descent,
    Instances,
    draw_signals,
    groups,
    inputs_of,
    train_case,
    train_restarts,
)
from workflow.scripts.step import Count, Positive

# Starts that descend together: the arrays of more leave the cache. No result depends on it.
TOGETHER = 160


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
    restarts: Count = Field(description="starts of the first round; a later one doubles their sum")
    scales: list[Positive] = Field(
        min_length=1, description="of the starts of each round, in units of 1 / sqrt(fan-in)"
    )
    tol: Positive = Field(description="excess over p*, relative, that ends the rounds")
    width: Count | None = Field(None, description="filters m; 2n unless given")


def solve(options, rng, seed):
    """A data set at its fraction of beta_max: ``inputs, y, beta, solution``."""
    X, y = draw_signals(rng, seed, options.samples, options.dimension, "restart_descent")
    inputs = inputs_of(options.case, X, options.patch_size)
    fraction = options.fractions[seed % len(options.fractions)]
    architecture = ARCHITECTURES[options.case]
    cells = enumerate_cells(inputs, architecture)
    beta = fraction * beta_max(inputs, y, architecture=architecture, cells=cells)
    return inputs, y, beta, train_case(options.case, inputs, y, beta, cells)


def rounds(options, solved, width, draws):
    """End objectives of every start, for each data set; its last round has reached the optimum."""
    found = [[] for _ in solved]
    going = range(len(solved))
    for number, scale in enumerate(options.scales, 1):
        label = f"{options.case}, round {number}"
        starts = options.restarts * 2 ** max(number - 2, 0)
        now = options.model_copy(update={"restarts": starts})
        progress = step.progress(going, label=label, unit="data set")
        for group in groups(progress, max(1, TOGETHER // starts)):
            inputs, y, betas, _ = zip(*(solved[i] for i in group), strict=True)
            betas, rng = [[beta] for beta in betas], [draws[i] for i in group]
            trained = train_restarts(now, options.case, inputs, y, betas, width, rng, scale=scale)
            for i, (ends, _) in zip(group, trained, strict=True):
                found[i].append(ends.objective)
        going = [i for i in going if found[i][-1].min() > solved[i][-1].program * (1 + options.tol)]
        if not going:
            break
    return map(np.concatenate, found)


def measure(options, rng):
    width = options.width or 2 * options.samples
    seeds = step.progress(range(options.trials), label=f"{options.case}, optima", unit="data set")
    solved = [solve(options, rng, seed) for seed in seeds]
    draws = [rng(options.case, seed) for seed in range(options.trials)]
    rows = []
    for seed, ends in enumerate(rounds(options, solved, width, draws)):
        _, _, beta, optimum = solved[seed]
        rows += [
            {
                "architecture": options.case,
                "seed": seed,
                "beta_fraction": options.fractions[seed % len(options.fractions)],
                "beta": beta,
                "width": width,
                "restart": restart,
                "objective": objective,
                "program": optimum.program,
                "dual_bound": optimum.dual_bound,
            }
            for restart, objective in enumerate(ends)
        ]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
