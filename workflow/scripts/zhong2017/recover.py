"""Z10: share of trials in which gradient descent recovers W*, over patch size and sample size.

From the tensor initialisation, from a start near the truth and from a random one, on the same
sample; a trial's smaller samples are the first of its largest. The error of the start is kept
beside that of the end: where the first is large and the second small, descent was lucky, and the
initialisation has no part in it.
"""

import json
import warnings
from itertools import product

import numpy as np
import pandas as pd

from cnntheory.zhong2017 import (
    draw_teacher,
    empirical_hessian,
    empirical_objective,
    gradient_descent,
    network_output,
    recovery_error,
    tensor_initialise,
)
from workflow.scripts import step

# The step 1 / lambda_max needs the curvature to a few per cent: this many samples tell it.
CURVATURE_SAMPLES = 1000


def draw_starts(rng, teacher, scale, radius):
    """A random start, its kernels about `scale` long, and one at relative distance `radius`."""
    k = len(teacher)
    random = scale * rng.standard_normal(teacher.shape) / np.sqrt(k)
    D = rng.standard_normal(teacher.shape)
    local = teacher + radius * np.linalg.norm(teacher) * D / np.linalg.norm(D)
    return {"random": random, "local": local}


def initialise(x, y, teacher, activation):
    """Tensor initialisation; that it warns of too few samples is no news on this grid."""
    k, t = teacher.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return tensor_initialise(x, y, t, k, activation)


def largest_error(W, teacher):
    return recovery_error(W, teacher)[0] if np.isfinite(W).all() else np.inf


def descend(start, x, y, activation, steps, tolerance):
    """Where one start ends, its loss and the steps taken."""
    few = slice(CURVATURE_SAMPLES)

    def curvature(W):
        return empirical_hessian(W, x[few], activation, y[few])

    objective = empirical_objective(x, y, len(start), activation)
    descent = gradient_descent(
        start[None], objective, curvature, steps=steps, refresh=50, tolerance=tolerance
    )
    for iteration, (W, loss) in enumerate(descent):  # noqa: B007
        pass
    return W[0], loss[0], iteration


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        study=str,
        seed=int,
        seeds=int,
        activation=str,
        starts=json.loads,
        samples=json.loads,
        patch_sizes=json.loads,
        kernels=int,
        patches=int,
        steps=int,
        tolerance=float,
        scale=(float, 1.5),
        radius=(float, 0.1),
    )
    rows = []
    cells = list(product(args.patch_sizes, range(args.seeds)))
    for k, seed in step.progress(cells, label=f"{args.study} {args.activation}", unit="trial"):
        rng = step.generator(args.seed, "recover", f"k {k}", seed)
        teacher = draw_teacher(rng, k, args.kernels)
        starts = draw_starts(rng, teacher, args.scale, args.radius)
        inputs = rng.standard_normal((max(args.samples), args.patches * k))
        labels = network_output(teacher, inputs, args.activation)
        for n in args.samples:
            x, y = inputs[:n], labels[:n]
            if "tensor" in args.starts:
                starts["tensor"] = initialise(x, y, teacher, args.activation)
            for name in args.starts:
                end, loss, iteration = descend(
                    starts[name], x, y, args.activation, args.steps, args.tolerance
                )
                rows.append(
                    {
                        "study": args.study,
                        "activation": args.activation,
                        "patch_size": k,
                        "kernels": args.kernels,
                        "patches": args.patches,
                        "samples": n,
                        "seed": seed,
                        "start": name,
                        "start_error": largest_error(starts[name], teacher),
                        "max_error": largest_error(end, teacher),
                        "end_loss": loss,
                        "iteration": iteration,
                    }
                )
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
