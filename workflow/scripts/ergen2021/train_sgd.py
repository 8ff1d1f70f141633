"""Claims 1, 5x: many restarts of descent with m = 2n filters on the instances of train_convex."""

import numpy as np
import pandas as pd

from workflow.scripts import step
from workflow.scripts.ergen2021.problems import draw_signals, output_rank, train_restarts, windows


def inputs_of(instance, seed):
    """What the architecture is trained on: patches, or whole signals for the circular one."""
    X, y = draw_signals(seed, instance.seed, instance.samples, instance.dimension)
    return (X if instance.architecture == "circular" else windows(X, instance.patch_size)), y


def used(filters, weights, floor=1e-6):
    """Filters whose size ``|u| |w|`` exceeds `floor` of the largest, with their weights."""
    size = np.linalg.norm(filters, axis=1) * np.abs(weights)
    return filters[size > floor * size.max()], weights[size > floor * size.max()]


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        convex=step.Path,
        architecture=str,
        seed=int,
        restarts=int,
        steps=int,
        step_size=(float, None),
    )
    kind = "average" if args.architecture == "fully_connected" else args.architecture
    convex = step.read_table(args.convex)
    rows = []
    instances = list(convex.groupby("seed"))
    for seed, betas in step.progress(instances, label=args.architecture, unit="instance"):
        inputs, y = inputs_of(betas.iloc[0], args.seed)
        trained, ends = train_restarts(
            args,
            kind,
            inputs,
            y,
            betas.beta.to_numpy(),
            2 * len(y),
            step.generator(args.seed, "train_sgd", args.architecture, seed),
        )
        for index, which, restart, objective in ends:
            known = betas.iloc[which]
            row = {
                "architecture": args.architecture,
                "seed": seed,
                "beta_fraction": known.beta_fraction,
                "beta": known.beta,
                "width": 2 * len(y),
                "restart": restart,
                "objective": objective,
                "program": known.program,
                "dual_bound": known.dual_bound,
            }
            if kind in ("average", "max"):
                network = trained.network(index)
                filters, weights = used(network.filters, network.weights)
                row |= {
                    "filters": len(weights),
                    "rank": output_rank(filters, inputs, kind),
                }
            rows.append(row)
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
