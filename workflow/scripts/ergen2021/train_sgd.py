"""Claims 1, 5x: many restarts of descent with m = 2n filters on the instances of train_convex."""

import numpy as np
import pandas as pd

from cnntheory.ergen2021.baselines import train_baseline
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import draw_signals, windows


def inputs_of(instance, seed):
    """What the architecture is trained on: patches, or whole signals for the circular one."""
    X, y = draw_signals(seed, instance.seed, instance.samples, instance.dimension)
    return (X if instance.architecture == "circular" else windows(X, instance.patch_size)), y


def used(filters, weights, floor=1e-6):
    """Filters whose size ``|u| |w|`` exceeds `floor` of the largest, with their weights."""
    size = np.linalg.norm(filters, axis=1) * np.abs(weights)
    return filters[size > floor * size.max()], weights[size > floor * size.max()]


def output_rank(filters, patches, pooling):
    """Rank of the outputs ``phi(u)`` of the filters, each of unit length."""
    units = filters / np.linalg.norm(filters, axis=1, keepdims=True)
    responses = np.maximum(patches @ units.T, 0)
    outputs = responses.max(axis=1) if pooling == "max" else responses.sum(axis=1)
    return int(np.linalg.matrix_rank(outputs, tol=1e-8 * np.linalg.norm(outputs, 2)))


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
        trained = train_baseline(
            kind,
            inputs,
            y,
            np.repeat(betas.beta.to_numpy(), args.restarts),
            width=2 * len(y),
            restarts=args.restarts * len(betas),
            steps=args.steps,
            learning_rate=args.step_size,
            rng=step.generator(args.seed, "train_sgd", args.architecture, seed),
        )
        for index, objective in enumerate(trained.objective):
            known = betas.iloc[index // args.restarts]
            row = {
                "architecture": args.architecture,
                "seed": seed,
                "beta_fraction": known.beta_fraction,
                "beta": known.beta,
                "width": 2 * len(y),
                "restart": index % args.restarts,
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
