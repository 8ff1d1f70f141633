"""The toy figure: SGD with few, medium and many filters beside the convex optimum.

One instance, several starts. The clock is kept in a table of its own: iterations of the runs and
the convex solver's total time.
"""

import json
import time

import numpy as np
import pandas as pd

from cnntheory.ergen2021 import train_convex
from cnntheory.ergen2021.baselines import train_baseline
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import draw_patches


def run():
    args = step.arguments(
        __doc__,
        ["table", "timing"],
        seed=int,
        trial=int,
        samples=int,
        dimension=int,
        patch_size=int,
        beta=float,
        widths=json.loads,
        restarts=int,
        steps=int,
        batch=int,
        step_size=float,
    )
    patches, y = draw_patches(args.seed, args.trial, args.samples, args.dimension, args.patch_size)
    optimum = train_convex(patches, y, args.beta)  # warms the caches up; the second call is timed
    start = time.perf_counter()
    optimum = train_convex(patches, y, args.beta)
    seconds = [{"method": "convex", "width": len(optimum.network.weights), "iteration": 0}]
    seconds[0]["seconds"] = time.perf_counter() - start
    curves = [
        {
            "method": "convex",
            "width": len(optimum.network.weights),
            "restart": 0,
            "iteration": 0,
            "objective": optimum.program,
        },
        {
            "method": "mapped",
            "width": len(optimum.network.weights),
            "restart": 0,
            "iteration": 0,
            "objective": optimum.network.objective(patches, y, args.beta),
        },
    ]
    for width in step.progress(args.widths, label="toy", unit="width"):
        clock = []
        trained = train_baseline(
            "average",
            patches,
            y,
            args.beta,
            width=width,
            restarts=args.restarts,
            steps=args.steps,
            method="sgd",
            batch_size=args.batch,
            learning_rate=args.step_size,
            record_every=max(1, args.steps // 400),
            rng=step.generator(args.seed, "train_toy", f"{width}", args.trial),
            callback=lambda *_, clock=clock: clock.append(time.perf_counter()),
        )
        elapsed = np.array(clock) - clock[0]
        seconds += [
            {"method": "sgd", "width": width, "iteration": t, "seconds": s}
            for t, s in zip(trained.iterations, elapsed, strict=True)
        ]
        curves += [
            {
                "method": "sgd",
                "width": width,
                "restart": restart,
                "iteration": iteration,
                "objective": objective,
            }
            for iteration, values in zip(trained.iterations, trained.trace, strict=True)
            for restart, objective in enumerate(values)
        ]
    step.write_table(pd.DataFrame(curves).assign(samples=len(y), beta=args.beta), args.table, args)
    step.write_table(pd.DataFrame(seconds), args.timing, args)


if __name__ == "__main__":
    step.main(run)
