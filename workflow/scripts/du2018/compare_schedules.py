"""Claim 6: constant, two-stage and adaptive steps of Theorem 2.2, from starts near the boundary.

Constant: the theorem's step at phi_0. Two-stage: that until ||w - w*|| <= ||w*||/2, then the
theorem's step at pi/6. Adaptive: the theorem's step at each phi_t.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.descent import descend, hitting_times
from cnntheory.du2018.laws import mixture
from cnntheory.du2018.neuron import gaussian_gradient, neuron_gradient, signed_angle
from cnntheory.du2018.rates import distance_angle, step_table
from cnntheory.du2018.smoothness import (
    GAUSSIAN_BETA,
    angular_beta,
    angular_constants,
    angular_moments,
    gaussian_constants,
)
from workflow.scripts import step

W_STAR = np.array([1.0, 0.0])


def distance(w):
    return np.linalg.norm(w - W_STAR, axis=-1)


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        seed=int,
        seeds=int,
        distances=json.loads,
        tolerance=(float, 1e-3),
        iterations=(int, 200_000),
    )
    law = mixture(1.0)
    problems = {
        "Gaussian": (lambda w: gaussian_gradient(w, W_STAR), gaussian_constants, GAUSSIAN_BETA),
        "mixture, sigma = 1": (
            lambda w: neuron_gradient(w, W_STAR, *angular_moments(law, signed_angle(w))),
            lambda phi: angular_constants(law, phi),
            angular_beta(law),
        ),
    }
    turns = [
        step.generator(args.seed, "compare_schedules", "starts", seed).uniform(-np.pi, np.pi)
        for seed in range(args.seeds)
    ]
    directions = np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    tables = []
    for name, (gradient, constants, beta) in problems.items():
        theorem, _ = step_table(constants, beta)
        for r_0 in step.progress(args.distances, label=name, unit="distance"):
            first, second = float(theorem(distance_angle(r_0))), float(theorem(np.pi / 6))
            rules = {
                "constant": first,
                "two-stage": lambda w, a=first, b=second: np.where(distance(w) <= 0.5, b, a)[
                    :, None
                ],
                "adaptive": lambda w, step=theorem: step(distance_angle(distance(w)))[:, None],
            }
            for rule, size in rules.items():
                times = hitting_times(
                    descend(gradient, W_STAR + r_0 * directions, size),
                    distance,
                    args.tolerance,
                    args.iterations,
                )
                tables.append(
                    pd.DataFrame(
                        dict(
                            law=name,
                            start_distance=r_0,
                            rule=rule,
                            seed=np.arange(args.seeds),
                            iterations=times,
                        )
                    )
                )
    step.write_table(pd.concat(tables), args.table, args)


if __name__ == "__main__":
    step.main(run)
