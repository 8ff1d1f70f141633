"""Claims 1-3, 10: one architecture trained to certified optimality on small Gaussian instances.

Table: the convex program's value (column program), the objective of the network mapped back, the
dual bound, and, where the paper's regulariser is only a relaxation, the relaxed values. Networks
and dual points of average and max pooling are stored too.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.ergen2021 import beta_max, train_convex
from cnntheory.ergen2021.circular import beta_max_circular, train_circular
from cnntheory.ergen2021.linear import beta_max_linear, train_linear
from cnntheory.ergen2021.two_relu import beta_max_two_relu, relax_two_relu, train_two_relu
from cnntheory.ergen2021.unpooled import beta_max_unpooled, relax_unpooled, train_unpooled
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    TOLERANCE,
    draw_signals,
    network_rows,
    windows,
)

POOLED = {"fully_connected": "average", "average": "average", "max": "max"}


def threshold(architecture, X, patches, y):
    """The least beta at which the zero network is optimal."""
    if architecture in POOLED:
        return beta_max(patches, y, POOLED[architecture])
    if architecture == "circular":
        return beta_max_circular(X, y)
    if architecture == "linear":
        return beta_max_linear(patches, y)
    if architecture == "unpooled":
        return beta_max_unpooled(patches, y)
    return beta_max_two_relu(patches, y, shared=architecture == "two_relu_shared")


def solve(architecture, X, patches, y, beta):
    """The certified solution of one architecture."""
    if architecture in POOLED:
        return train_convex(patches, y, beta, pooling=POOLED[architecture], tol=TOLERANCE)
    if architecture == "circular":
        return train_circular(X, y, beta)
    if architecture == "linear":
        return train_linear(patches, y, beta)
    if architecture == "unpooled":
        return train_unpooled(patches, y, beta)
    return train_two_relu(patches, y, beta, shared=architecture == "two_relu_shared")


def relaxations(architecture, patches, y, beta):
    """Values p_F and p_N of the relaxed programs, where the exact regulariser is another."""
    relax = {"unpooled": relax_unpooled, "two_relu_shared": relax_two_relu}.get(architecture)
    penalties = ("frobenius", "nuclear") if relax else ()
    return {penalty: relax(patches, y, beta, penalty).program for penalty in penalties}


def doubled_decay(architecture, patches, y, beta):
    """The optimum at 2 beta, what one finds who takes beta for the weight decay (control 1x)."""
    if architecture != "average":
        return {}
    return {"doubled": train_convex(patches, y, 2 * beta).program}


def run():
    args = step.arguments(
        __doc__,
        ["table", "networks", "duals"],
        architecture=str,
        seed=int,
        seeds=int,
        samples=int,
        dimension=int,
        patch_size=int,
        fractions=json.loads,
    )
    name, rows, networks, duals = args.architecture, [], [], []
    for seed in step.progress(range(args.seeds), label=name, unit="instance"):
        X, y = draw_signals(args.seed, seed, args.samples, args.dimension)
        patches = windows(X, args.patch_size)
        largest = threshold(name, X, patches, y)
        for fraction in args.fractions:
            beta = fraction * largest
            solution = solve(name, X, patches, y, beta)
            filters = getattr(solution.network, "filters", np.empty(0))
            rows.append(
                {
                    "architecture": name,
                    "seed": seed,
                    "samples": args.samples,
                    "dimension": args.dimension,
                    "patches": patches.shape[1],
                    "patch_size": args.patch_size,
                    "beta_fraction": fraction,
                    "beta": beta,
                    "program": solution.program,
                    "objective": solution.objective,
                    "dual_bound": solution.dual_bound,
                    "filters": len(filters),
                    "zero_loss": y @ y / 2,
                }
                | relaxations(name, patches, y, beta)
                | doubled_decay(name, patches, y, beta)
            )
            if name in POOLED:
                network = solution.network
                labels = {"architecture": name, "seed": seed, "beta_fraction": fraction}
                networks.append(network_rows(network.filters, network.weights, **labels))
                point = {"sample": np.arange(len(y)), "value": solution.dual}
                duals.append(pd.DataFrame(point).assign(**labels))
    step.write_table(pd.DataFrame(rows), args.table, args)
    # The others have weights of other shapes; their objectives are in the table.
    labels = {"architecture": name, "seed": 0, "beta_fraction": 0.0}
    none = network_rows(np.empty((0, 1)), np.empty(0), **labels)
    step.write_table(pd.concat(networks or [none]), args.networks, args)
    step.write_table(pd.concat(duals or [none]), args.duals, args)


if __name__ == "__main__":
    step.main(run)
