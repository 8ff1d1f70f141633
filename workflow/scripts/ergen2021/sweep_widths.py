"""Claim 4: end objectives of many restarts against the number of filters (toy instances)."""

import json

import numpy as np
import pandas as pd

from cnntheory.ergen2021 import train_convex
from cnntheory.ergen2021.baselines import train_baseline
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import TOLERANCE, draw_patches


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        seed=int,
        seeds=int,
        samples=int,
        dimension=int,
        patch_size=int,
        betas=json.loads,
        widths=json.loads,
        restarts=int,
        steps=int,
        step_size=(float, None),
    )
    rows = []
    for seed in step.progress(range(args.seeds), label="widths", unit="instance"):
        patches, y = draw_patches(args.seed, seed, args.samples, args.dimension, args.patch_size)
        optima = [train_convex(patches, y, beta, tol=TOLERANCE) for beta in args.betas]
        for width in args.widths:
            trained = train_baseline(
                "average",
                patches,
                y,
                np.repeat(args.betas, args.restarts),
                width=width,
                restarts=args.restarts * len(args.betas),
                steps=args.steps,
                learning_rate=args.step_size,
                rng=step.generator(args.seed, "sweep_widths", f"{width}", seed),
            )
            for index, objective in enumerate(trained.objective):
                optimum = optima[index // args.restarts]
                rows.append(
                    {
                        "seed": seed,
                        "samples": args.samples,
                        "beta": args.betas[index // args.restarts],
                        "width": width,
                        "restart": index % args.restarts,
                        "objective": objective,
                        "program": optimum.program,
                        "filters": len(optimum.network.weights),
                    }
                )
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
