"""Claim 5: iterations against the smoothness of the input law, ((L(0) + 4 beta) / gamma)^2.

Population gradient descent in the plane over levels of sigma, once with one step for all levels
and once with the theorem's own step at phi_0.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.descent import descend, hitting_times
from cnntheory.du2018.laws import mixture
from cnntheory.du2018.neuron import neuron_gradient, signed_angle
from cnntheory.du2018.rates import distance_angle, step_table
from cnntheory.du2018.smoothness import angular_beta, angular_constants, angular_moments
from workflow.scripts import step

W_STAR = np.array([1.0, 0.0])


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        seed=int,
        seeds=int,
        sigmas=json.loads,
        step=float,
        distance=(float, 0.5),
        tolerance=(float, 0.01),
        iterations=(int, 100_000),
    )
    turns = [
        step.generator(args.seed, "compare_smoothness", "starts", seed).uniform(-np.pi, np.pi)
        for seed in range(args.seeds)
    ]
    start = W_STAR + args.distance * np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    phi_0 = distance_angle(args.distance)
    tables = []
    for sigma in step.progress(args.sigmas, label="smoothness", unit="level"):
        law = mixture(sigma)
        beta = angular_beta(law)
        theorem, gamma = step_table(lambda phi, law=law: angular_constants(law, phi), beta)
        lipschitz = angular_constants(law, np.zeros(1)).lipschitz[0]

        def gradient(w, law=law):
            return neuron_gradient(w, W_STAR, *angular_moments(law, signed_angle(w)))

        for rule, size in (("fixed", args.step), ("theorem", float(theorem(phi_0)))):
            times = hitting_times(
                descend(gradient, start, size),
                lambda w: np.linalg.norm(w - W_STAR, axis=-1),
                args.tolerance,
                args.iterations,
            )
            tables.append(
                pd.DataFrame(
                    dict(
                        sigma=sigma,
                        rule=rule,
                        seed=np.arange(args.seeds),
                        step=size,
                        gamma=gamma(phi_0),
                        beta=beta,
                        complexity=((lipschitz + 4 * beta) / gamma(phi_0)) ** 2,
                        iterations=times,
                    )
                )
            )
    step.write_table(pd.concat(tables), args.table, args)


if __name__ == "__main__":
    step.main(run)
