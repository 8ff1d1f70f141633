"""A picture of the theory for filters of two weights: the price of every direction.

Price: ``|v^T sum_k (X_k u)_+| / beta`` of the unit vector u at an angle, for the dual point of the
optimum (study ``exact``) and for that of the optimum over the cells of a few gates (``gates``).
Beside it the directions of the filters: of the optimal network and of trained ones.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import beta_max, enumerate_cells, sample_gates, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    TOLERANCE,
    Descent,
    Signals,
    correlations,
    draw_patches,
    train_restarts,
)
from workflow.scripts.step import Count, Share


class Options(Signals, Descent):
    """Figure: the price of every direction of a filter of two weights."""

    trial: int = Field(ge=0, description="number of the instance")
    fraction: Share = Field(description="beta in units of beta_max")
    gates: Count = Field(description="random gates of the control")
    angles: Count = Field(description="directions, evenly spread")


def crossings(patches):
    """Angles at which a direction enters another cell, in [0, 2 pi): ``(2 n K,)``."""
    rows = patches.reshape(-1, 2)
    across = np.arctan2(rows[:, 0], -rows[:, 1])
    return np.sort(np.concatenate([across, across + np.pi]) % (2 * np.pi))


def network_angles(study, filters, weights, floor=1e-3):
    """Angles and sizes of the filters in use."""
    size = np.linalg.norm(filters, axis=1) * np.abs(weights)
    used = size > floor * size.max()
    angle = np.arctan2(filters[used, 1], filters[used, 0]) % (2 * np.pi)
    return pd.DataFrame({"study": study, "angle": angle, "size": size[used]})


def measure(options, rng):
    if options.patch_size != 2:
        raise ValueError(f"patch_size: expected 2, a plane of filters, found {options.patch_size}")
    patches, y = draw_patches(rng, options.trial, options)
    cells = enumerate_cells(patches)
    beta = options.fraction * beta_max(patches, y, cells=cells)
    gates = sample_gates(2, options.gates, rng("gates", options.trial))
    exact = train_convex(patches, y, beta, cells=cells, tol=TOLERANCE)
    few = train_convex(patches, y, beta, cells=gates, tol=TOLERANCE)
    # The optimal directions are among those drawn.
    optimal = network_angles("exact", exact.network.filters, exact.network.weights)
    grid = np.linspace(0, 2 * np.pi, options.angles, endpoint=False)
    angles = np.sort(np.concatenate([grid, crossings(patches), optimal.angle]))
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    cell = np.searchsorted(crossings(patches), angles, side="right")
    prices = [
        pd.DataFrame({"study": study, "angle": angles, "cell": cell, "price": price})
        for study, solution in (("exact", exact), ("gates", few))
        for price in [correlations(circle, patches, solution.dual) / beta]
    ]
    draws = [rng("descent", options.trial)]
    [(trained, _)] = train_restarts(options, "average", [patches], [y], [[beta]], 2 * len(y), draws)
    network = trained.network()
    found = [optimal, network_angles("gates", few.network.filters, few.network.weights)]
    found.append(network_angles("trained", network.filters, network.weights))
    table = pd.concat(prices)
    return {
        "prices": table.assign(seed=options.trial, beta_fraction=options.fraction),
        "directions": pd.concat(found).assign(seed=options.trial),
    }


if __name__ == "__main__":
    step.main(Options, measure, tables=("prices", "directions"))
