"""Claim 15: the logistic loss, its convex program certified and trained beside it.

Gaussian signals with random labels -1 and 1, average pooling: the cells are those of the squared
loss, only the loss and its Fenchel dual change. Many small networks are trained at once.
"""

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from cnntheory.ergen2021 import beta_max, enumerate_cells, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import TOLERANCE, Descent, Signals, draw_patches
from workflow.scripts.step import Count, Share


class Options(Signals, Descent):
    """Claim 15: the logistic loss through the same cells."""

    trials: Count = Field(description="data sets, every second at the other strength")
    fractions: list[Share] = Field(min_length=1, description="beta in units of beta_max")
    width: Count = Field(description="m, filters of the trained networks")


def measure(options, rng):
    problems, rows = [], []
    for seed in step.progress(range(options.trials), label="logistic", unit="instance"):
        patches, y = draw_patches(rng, seed, options)
        y = np.where(y < 0, -1.0, 1.0)
        fraction = options.fractions[seed % len(options.fractions)]
        top = beta_max(patches, y, loss="logistic", cells=enumerate_cells(patches))
        beta = fraction * top
        found = train_convex(patches, y, beta, loss="logistic", tol=TOLERANCE)
        problems.append((patches, y, beta))
        rows.append(
            {
                "seed": seed,
                "beta_fraction": fraction,
                "program": found.objective,
                "dual_bound": found.dual_bound,
                "gap": found.gap,
                "filters": len(found.network.weights),
            }
        )
    starts = rng("starts", 0)
    for width in (1, options.width):
        ends = descend(*map(np.array, zip(*problems, strict=True)), width, options, starts)
        for row, best in zip(rows, ends.min(axis=1), strict=True):
            row[f"best_{'one' if width == 1 else 'wide'}"] = best
    table = pd.DataFrame(rows)
    ends = {1: table.pop("best_one"), options.width: table.pop("best_wide")}
    return pd.concat([table.assign(width=width, objective=end) for width, end in ends.items()])


def descend(patches, y, beta, width, options, rng):
    """Objectives at the end of Adam, ``(instances, restarts)``; the step falls as a cosine.

    Parameters
    ----------
    patches : (instances, n, K, h) array
    y : (instances, n) array
    beta : (instances,) array
    width : int
    options : Descent
    rng : numpy Generator
    """
    batch = len(y), options.restarts, width
    u = torch.tensor(rng.standard_normal((*batch, patches.shape[3])), requires_grad=True)
    w = torch.tensor(rng.standard_normal(batch), requires_grad=True)
    x, labels, decay = torch.tensor(patches), torch.tensor(y)[:, None], torch.tensor(beta)[:, None]
    optimiser = torch.optim.Adam([u, w], lr=options.step_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, options.steps)

    def objective():
        response = torch.relu(torch.einsum("ankh,armh->arnkm", x, u)).sum(3)
        fit = torch.einsum("arnm,arm->arn", response, w)
        loss = torch.nn.functional.softplus(-labels * fit).sum(2)
        return loss + decay / 2 * ((u**2).sum((2, 3)) + (w**2).sum(2))

    for _ in range(options.steps):
        optimiser.zero_grad()
        objective().sum().backward()
        optimiser.step()
        schedule.step()
    return objective().detach().numpy()


if __name__ == "__main__":
    step.main(Options, measure)
