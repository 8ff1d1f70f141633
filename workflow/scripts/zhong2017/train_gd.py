"""Z8, N1, N3: gradient descent near the truth, and where the theory says that it must not recover.

Studies: ``local`` (Z8: one sample, start 1 % off; the rate is compared with 1 - lambda_min /
lambda_max of that sample's Hessian), ``resampled`` (Z8: a fresh sample at each step, as in the
theorem), ``control`` (N1: linear and quadratic activations, rho = 0), ``few`` (N3: fewer samples
than parameters).
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.zhong2017 import (
    draw_teacher,
    empirical_hessian,
    empirical_objective,
    gradient_descent,
    network_output,
    recovery_error,
)
from workflow.scripts import step
from workflow.scripts.step import Count, Positive
from workflow.scripts.zhong2017.activations import Activation
from workflow.scripts.zhong2017.starts import start_near

CONTROL_RADIUS = 0.5
POINTS = 80  # of a curve
# Loss at which a descent ends: about 1e-13 from the truth. Rounding keeps some from 1e-30 for ever.
ARRIVED = 1e-28


class Options(step.Options):
    """Z8, N1 and N3, Theorem T3: gradient descent near the truth, and controls."""

    trials: Count = Field(description="teachers with their samples")
    other_trials: Count = Field(description="the first of them: fresh samples and controls")
    samples: Count = Field(description="n")
    activations: list[Activation] = Field(min_length=1, description="phi")
    patch_size: Count = Field(description="k")
    kernels: Count = Field(description="t")
    patches: Count = Field(description="r")
    steps: Count = Field(description="of one sample; an eighth of them with fresh samples")
    control_steps: Count = Field(description="of the controls")
    radius: Positive = Field(0.01, description="distance of the start")


def descend(teacher, patches, activation, start, steps, fresh=None):
    """Distances ``||W - W*||_F / ||W*||_F``, losses, the last iterate and the Hessian's spectrum.

    The step is the theorem's, 1 / lambda_max of the Hessian at the truth, constant; `fresh` draws
    a new sample for every step.
    """
    y = network_output(teacher, patches, activation)
    fixed = empirical_hessian(teacher, patches, activation)[None]
    if fresh is None:
        objective = empirical_objective(patches, y, activation)
    else:

        def objective(filters):
            new = fresh()
            labels = network_output(teacher, new, activation)
            return empirical_objective(new, labels, activation)(filters)

    # The Hessian is fixed: its largest eigenvalue is taken once more at powers of two only.
    descent = gradient_descent(
        start[None], objective, lambda _: fixed, max_iter=steps, refresh=steps, tol=ARRIVED
    )
    distances, losses = [], []
    for filters, loss in descent:
        distances.append(np.linalg.norm(filters[0] - teacher))
        losses.append(loss[0])
    distances = np.array(distances) / np.linalg.norm(teacher)
    return distances, np.array(losses), filters[0], np.linalg.eigvalsh(fixed[0])


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


def jobs(options):
    """Study, activation, trials, sample size, steps and distance of the start of the descents."""
    few = max(options.patch_size * options.kernels // 2, 2)
    n, steps, more = options.samples, options.steps, options.control_steps
    trials, others = options.trials, min(options.other_trials, options.trials)
    return [
        *[("local", a, trials, n, steps, options.radius) for a in options.activations],
        *[("resampled", a, others, n, steps // 8, options.radius) for a in options.activations],
        *[("control", a, others, n, more, CONTROL_RADIUS) for a in ("linear", "quadratic")],
        *[("few", a, others, few, more, CONTROL_RADIUS) for a in options.activations],
    ]


def measure(options, rng):
    k, t = options.patch_size, options.kernels
    summaries, curves = [], []
    progress = step.progress(jobs(options), label="GD", unit="run")
    for study, activation, trials, count, steps, radius in progress:
        for trial in range(trials):
            draws = rng("local", trial)
            teacher = draw_teacher(t, k, rng=draws)
            start = start_near(draws, teacher, radius)

            def fresh(draws=draws, shape=(count, options.patches, k)):
                return draws.standard_normal(shape)

            resample = fresh if study == "resampled" else None
            distance, loss, end, eigenvalues = descend(
                teacher, fresh(), activation, start, steps, resample
            )
            rate, straight = fit_rate(distance)
            summaries.append(
                {
                    "study": study,
                    "activation": activation,
                    "patch_size": k,
                    "kernels": t,
                    "seed": trial,
                    "samples": count,
                    "predicted_rate": eigenvalues[0] / eigenvalues[-1],
                    "measured_rate": rate,
                    "straightness": straight,
                    "monotone": bool((np.diff(distance[distance > 1e-13]) <= 1e-15).all()),
                    "end_error": distance[-1],
                    "max_error": recovery_error(end, teacher).largest,
                    "end_loss": loss[-1],
                    "null_directions": int((eigenvalues < 1e-8 * eigenvalues[-1]).sum()),
                    "iteration": len(distance) - 1,
                }
            )
            at = np.unique(np.geomspace(1, len(distance), POINTS).astype(int)) - 1
            curves.append(
                pd.DataFrame(
                    {
                        "study": study,
                        "activation": activation,
                        "seed": trial,
                        "iteration": at,
                        "distance": distance[at],
                        "loss": loss[at],
                    }
                )
            )
    return {"table": pd.DataFrame(summaries), "curves": pd.concat(curves)}


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "curves"))
