"""Z8, N1, N3: gradient descent near the truth, and where the theory says that it must not recover.

Studies: ``local`` (Z8: one sample, start 1 % off; the rate is compared with 1 - lambda_min /
lambda_max of that sample's Hessian), ``resampled`` (Z8: a fresh sample at each step, as in the
theorem), ``control`` (N1: linear and quadratic activations, rho = 0), ``few`` (N3: fewer samples
than parameters).
"""

import json

import numpy as np
import pandas as pd

from cnntheory.zhong2017 import (
    draw_teacher,
    empirical_hessian,
    empirical_objective,
    gradient_descent,
    network_output,
    recovery_error,
)
from workflow.scripts import step


def start_near(rng, teacher, radius):
    """A start at relative distance `radius` in a random direction, with one trial axis."""
    D = rng.standard_normal(teacher.shape)
    return (teacher + radius * np.linalg.norm(teacher) * D / np.linalg.norm(D))[None]


def descend(teacher, x, activation, start, steps, fresh=None):
    """Distances ``||W - W*||_F / ||W*||_F``, losses and the last iterate.

    The step is the theorem's, 1 / lambda_max of the Hessian at the truth, constant; `fresh` draws
    a new sample for every step.
    """
    y = network_output(teacher, x, activation)
    k = teacher.shape[0]
    fixed = empirical_hessian(teacher, x, activation)[None]
    if fresh is None:
        objective = empirical_objective(x, y, k, activation)
    else:

        def objective(W):
            new = fresh()
            labels = network_output(teacher, new, activation)
            return empirical_objective(new, labels, k, activation)(W)

    descent = gradient_descent(start, objective, lambda W: fixed, steps=steps, tolerance=1e-30)
    distances, losses = [], []
    for W, loss in descent:
        distances.append(np.linalg.norm(W[0] - teacher))
        losses.append(loss[0])
    return np.array(distances) / np.linalg.norm(teacher), np.array(losses), W[0], fixed[0]


def run():
    args = step.arguments(
        __doc__,
        ["table", "curves"],
        seed=int,
        seeds=int,
        samples=int,
        activations=json.loads,
        patch_size=int,
        kernels=int,
        patches=int,
        steps=int,
        control_steps=int,
        radius=(float, 0.01),
    )
    k, t, r, n = args.patch_size, args.kernels, args.patches, args.samples
    runs = [("local", a, n, args.steps, args.radius) for a in args.activations]
    runs += [("resampled", a, n, args.steps // 4, args.radius) for a in args.activations]
    runs += [("control", a, n, args.control_steps, 0.5) for a in ("linear", "quadratic")]
    few = max(k * t // 2, 2)
    runs += [("few", a, few, args.control_steps, 0.5) for a in args.activations]
    summaries, curves = [], []
    for study, activation, count, steps, radius in step.progress(runs, label="GD", unit="run"):
        for seed in range(args.seeds):
            rng = step.generator(args.seed, "train_gd", "local", seed)
            teacher = draw_teacher(rng, k, t)
            start = start_near(rng, teacher, radius)
            x = rng.standard_normal((count, r * k))

            def fresh(rng=rng, count=count):
                return rng.standard_normal((count, r * k))

            distance, loss, W, hessian = descend(
                teacher, x, activation, start, steps, fresh if study == "resampled" else None
            )
            eigenvalues = np.linalg.eigvalsh(hessian)
            predicted = eigenvalues[0] / eigenvalues[-1]
            rate, straight = fit_rate(distance)
            summaries.append(
                {
                    "study": study,
                    "activation": activation,
                    "patch_size": k,
                    "kernels": t,
                    "seed": seed,
                    "samples": count,
                    "predicted_rate": predicted,
                    "measured_rate": rate,
                    "straightness": straight,
                    "monotone": bool((np.diff(distance[distance > 1e-13]) <= 1e-15).all()),
                    "end_error": distance[-1],
                    "max_error": recovery_error(W, teacher)[0],
                    "end_loss": loss[-1],
                    "null_directions": int((eigenvalues < 1e-8 * eigenvalues[-1]).sum()),
                    "iteration": len(distance) - 1,
                }
            )
            at = np.unique(np.geomspace(1, len(distance), 80).astype(int)) - 1
            curves.append(
                pd.DataFrame(
                    {
                        "study": study,
                        "activation": activation,
                        "seed": seed,
                        "iteration": at,
                        "distance": distance[at],
                        "loss": loss[at],
                    }
                )
            )
    step.write_table(pd.DataFrame(summaries), args.table, args)
    step.write_table(pd.concat(curves), args.curves, args)


def fit_rate(distance):
    """``1 - factor`` per step and R^2 of the log-linear fit to the last decades of the distance.

    Only the tail above rounding is fitted: at first the fast directions die out, and the rate of
    the slowest one, which the theory speaks of, is what is left.
    """
    valid = np.flatnonzero(distance > 1e-11)
    tail = valid[len(valid) // 2 :]
    if len(tail) < 5:
        return np.nan, np.nan
    log = np.log(distance[tail])
    slope, intercept = np.polyfit(tail, log, 1)
    residual = log - (slope * tail + intercept)
    return -np.expm1(slope), 1 - residual.var() / log.var() if log.var() > 0 else np.nan


if __name__ == "__main__":
    step.main(run)
