"""Claim 5: iterations against the smoothness of the input law, ((L(0) + 4 beta) / gamma)^2.

Population gradient descent in the plane over levels of sigma, once with one step for all levels
and once with the theorem's own step at phi_0.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.descent import gradient_descent, hitting_times
from cnntheory.du2018.rates import distance_angle, step_table
from workflow.scripts import step
from workflow.scripts.du2018.plane import W_STAR, distance, mixture_problem, random_directions
from workflow.scripts.step import Count, Positive, Share, Spread


class Options(step.Options):
    """Claim 5: iterations against the smoothness of the inputs."""

    trials: Count = Field(description="directions of the starts")
    sigmas: list[Spread] = Field(min_length=3, description="levels, `.inf` is uniform")
    step: Positive = Field(description="the one step for all levels")
    distance: Share = Field(0.5, description="of the start")
    tolerance: Positive = Field(0.01, description="distance to reach")
    iterations: Count = Field(100_000, description="at most")


def measure(options, rng):
    start = W_STAR + options.distance * random_directions(rng, options.trials)
    phi_0 = distance_angle(options.distance)
    tables = []
    for sigma in step.progress(options.sigmas, label="smoothness", unit="level"):
        gradient, constants, beta = mixture_problem(sigma)
        theorem, gamma = step_table(constants, beta)
        lipschitz = constants(np.zeros(1)).lipschitz[0]
        for rule, size in (("fixed", options.step), ("theorem", float(theorem(phi_0)))):
            times = hitting_times(
                gradient_descent(gradient, start, size),
                distance,
                options.tolerance,
                options.iterations,
            )
            tables.append(
                pd.DataFrame(
                    dict(
                        sigma=sigma,
                        rule=rule,
                        seed=np.arange(options.trials),
                        step=size,
                        gamma=gamma(phi_0),
                        beta=beta,
                        complexity=((lipschitz + 4 * beta) / gamma(phi_0)) ** 2,
                        iterations=times,
                    )
                )
            )
    return pd.concat(tables)


if __name__ == "__main__":
    step.main(Options, measure)
