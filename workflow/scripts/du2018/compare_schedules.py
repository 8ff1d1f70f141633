"""Claim 6: constant, two-stage and adaptive steps of Theorem 2.2, from starts near the boundary.

Constant: the theorem's step at phi_0. Two-stage: that until ||w - w*|| <= ||w*||/2, then the
theorem's step at pi/6. Adaptive: the theorem's step at each phi_t. Beside them constant steps of a
grid, far above what the theorem allows.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.descent import gradient_descent, hitting_times
from cnntheory.du2018.rates import distance_angle, step_table
from workflow.scripts import step
from workflow.scripts.du2018.plane import (
    W_STAR,
    distance,
    gaussian_problem,
    mixture_problem,
    random_directions,
)
from workflow.scripts.step import Count, Positive, Share


def schedules(theorem, r_0, grid):
    """Name to step size of the three rules, from a start at distance r_0, and of the grid."""
    first, second = float(theorem(distance_angle(r_0))), float(theorem(np.pi / 6))
    return {
        "constant": first,
        "two-stage": lambda w: np.where(distance(w) <= 0.5, second, first)[:, None],
        "adaptive": lambda w: theorem(distance_angle(distance(w)))[:, None],
        **{f"eta = {eta:g}": eta for eta in grid},
    }


class Options(step.Options):
    """Claim 6: constant, two-stage and adaptive steps."""

    trials: Count = Field(description="directions of the starts")
    distances: list[Share] = Field(
        min_length=2,
        json_schema_extra={"contains": {"const": 0.5}},
        description="r_0 of the starts, 0.5 (control 6x) among them",
    )
    grid: list[Positive] = Field(min_length=1, description="constant steps beside the theorem's")
    tolerance: Positive = Field(1e-3, description="distance to reach")
    iterations: Count = Field(200_000, description="at most")


def measure(options, rng):
    problems = {"Gaussian": gaussian_problem(), "mixture, sigma = 1": mixture_problem(1.0)}
    directions = random_directions(rng, options.trials)
    tables = []
    for law, (gradient, constants, beta) in problems.items():
        theorem, _ = step_table(constants, beta)
        for r_0 in step.progress(options.distances, label=law, unit="distance"):
            start = W_STAR + r_0 * directions
            for rule, size in schedules(theorem, r_0, options.grid).items():
                times = hitting_times(
                    gradient_descent(gradient, start, size),
                    distance,
                    options.tolerance,
                    options.iterations,
                )
                tables.append(
                    pd.DataFrame(
                        dict(
                            law=law,
                            start_distance=r_0,
                            rule=rule,
                            seed=np.arange(options.trials),
                            iterations=times,
                        )
                    )
                )
    return pd.concat(tables)


if __name__ == "__main__":
    step.main(Options, measure)
