"""Claim 10, Theorem 3.2: SGD on a stream, one fresh input a step, all runs of a step size at once.

Realisable labels, and labels with noise (a control, which leaves a floor).
"""

import json

import numpy as np
import pandas as pd

from cnntheory.descent import descend
from cnntheory.du2018.laws import patch_mixture, sample_patch_angles, unit_vectors
from cnntheory.du2018.neuron import empirical_gradient
from workflow.scripts import step


def run():
    args = step.arguments(
        __doc__,
        ["table", "curves"],
        seed=int,
        runs=int,
        steps=json.loads,
        noise=float,
        base_sigma=float,
        patch_sigma=float,
        patches=int,
        distance=(float, 0.5),
        tolerance=(float, 0.01),
        horizon=(float, 150.0),
    )
    law = patch_mixture(args.base_sigma, args.patch_sigma, args.patches)
    w_star = np.tile([1.0, 0.0], (args.runs, 1, 1))
    summaries, curves = [], []
    for noise in (0.0, args.noise):
        for eta in step.progress(args.steps, label=f"label noise {noise:g}", unit="step size"):
            rng = step.generator(args.seed, "stream", f"eta {eta}", 0)
            turn = rng.uniform(-np.pi, np.pi, args.runs)
            start = w_star + args.distance * unit_vectors(turn)[:, None]
            deviations = rng.spawn(1)[0]

            def gradient(w, rng=rng, deviations=deviations, noise=noise):
                z = unit_vectors(sample_patch_angles(law, rng, (args.runs, 1)))
                labels = noise * deviations.standard_normal((args.runs, 1, 1))
                return empirical_gradient(w, w_star, z, noise=labels)

            total = int(args.horizon / eta)
            late = int(0.8 * total)
            hit = np.full(args.runs, np.inf)
            farthest, tail = np.zeros(args.runs), np.zeros(args.runs)
            for t, w in enumerate(descend(gradient, start, eta)):
                error = np.linalg.norm(w - w_star, axis=-1)[:, 0]
                hit[(error <= args.tolerance) & np.isinf(hit)] = t
                farthest = np.maximum(farthest, error)
                if t >= late:
                    tail += error**2
                if t % max(total // 60, 1) == 0:
                    low, middle, high = np.quantile(error, [0.05, 0.5, 0.95])
                    curves.append(
                        dict(step=eta, noise=noise, iteration=t, low=low, median=middle, high=high)
                    )
                if t == total:
                    break
            summaries.append(
                pd.DataFrame(
                    dict(
                        step=eta,
                        noise=noise,
                        run=np.arange(args.runs),
                        iterations=hit,
                        escaped=farthest >= 1,
                        end_error=np.sqrt(tail / (total - late + 1)),
                    )
                )
            )
    step.write_table(pd.concat(summaries), args.table, args)
    step.write_table(pd.DataFrame(curves), args.curves, args)


if __name__ == "__main__":
    step.main(run)
