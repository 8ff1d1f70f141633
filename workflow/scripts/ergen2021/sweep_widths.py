"""Claim 4: end objectives of many restarts against the number of filters (toy instances)."""

import json

import pandas as pd

from cnntheory.ergen2021 import train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import TOLERANCE, draw_patches, train_restarts


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
            rng = step.generator(args.seed, "sweep_widths", f"{width}", seed)
            _, ends = train_restarts(args, "average", patches, y, args.betas, width, rng)
            for _, which, restart, objective in ends:
                optimum = optima[which]
                rows.append(
                    {
                        "seed": seed,
                        "samples": args.samples,
                        "beta": args.betas[which],
                        "width": width,
                        "restart": restart,
                        "objective": objective,
                        "program": optimum.program,
                        "filters": len(optimum.network.weights),
                    }
                )
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
