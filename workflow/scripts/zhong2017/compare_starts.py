"""Z11: population gradient descent from tensor initialisation, random and local starts, paired.

A trial is a teacher with its three starts. The tensor initialisation sees `samples` inputs;
descent is on the population loss, so that a failure is one of the start, not of the sample.
"""

import warnings

import numpy as np
import pandas as pd

from cnntheory.zhong2017 import (
    draw_teacher,
    gradient_descent,
    network_output,
    population_hessian,
    population_objective,
    recovery_error,
    tensor_initialise,
)
from workflow.scripts import step

STARTS = ("tensor", "random", "local")


def draw_trials(args):
    """Teachers and starts, shapes (trials, k, t) and (3, trials, k, t)."""
    k, t = args.patch_size, args.kernels
    teachers, starts = [], []
    for seed in step.progress(range(args.seeds), label="tensor initialisation", unit="trial"):
        rng = step.generator(args.seed, "compare_starts", f"k {k}, t {t}", seed)
        teacher = draw_teacher(rng, k, t)
        random = args.scale * rng.standard_normal((k, t)) / np.sqrt(k)
        D = rng.standard_normal((k, t))
        local = teacher + args.radius * np.linalg.norm(teacher) * D / np.linalg.norm(D)
        x = rng.standard_normal((args.samples, args.patches * k))
        y = network_output(teacher, x, args.activation)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            tensor = tensor_initialise(x, y, t, k, args.activation)
        teachers.append(teacher)
        starts.append((tensor, random, local))
    return np.array(teachers), np.array(starts).swapaxes(0, 1)


def run():
    args = step.arguments(
        __doc__,
        ["table", "curves"],
        seed=int,
        seeds=int,
        activation=str,
        samples=int,
        patch_size=int,
        kernels=int,
        patches=int,
        steps=int,
        scale=float,
        radius=(float, 0.1),
        refresh=(int, 100),
    )
    teachers, starts = draw_trials(args)
    targets = np.concatenate([teachers] * len(STARTS))
    first = starts.reshape(targets.shape)
    descent = gradient_descent(
        first,
        population_objective(targets, args.activation, args.patches),
        lambda W: population_hessian(W, args.activation, args.patches),
        steps=args.steps,
        refresh=args.refresh,
        tolerance=1e-14,
    )
    setting = {
        "activation": args.activation,
        "patch_size": args.patch_size,
        "kernels": args.kernels,
        "samples": args.samples,
        "start": np.repeat(STARTS, args.seeds),
        "seed": np.tile(np.arange(args.seeds), len(STARTS)),
    }
    shown = {0, *np.unique(np.geomspace(1, args.steps, 60).astype(int))}
    curves = []
    descent = step.progress(descent, total=args.steps + 1, label="descent", unit="step")
    for iteration, (end, loss) in enumerate(descent):  # noqa: B007
        if iteration in shown:
            curves.append(pd.DataFrame({**setting, "iteration": iteration, "loss": loss}))
    # Descent ends early when every start has arrived: the curves stay where they are.
    for later in sorted(i for i in shown if i > iteration):
        curves.append(pd.DataFrame({**setting, "iteration": later, "loss": loss}))

    def errors(kernels):
        return [recovery_error(*pair)[0] for pair in zip(kernels, targets, strict=True)]

    table = {**setting, "start_error": errors(first), "max_error": errors(end), "end_loss": loss}
    step.write_table(pd.DataFrame(table), args.table, args)
    step.write_table(pd.concat(curves), args.curves, args)


if __name__ == "__main__":
    step.main(run)
