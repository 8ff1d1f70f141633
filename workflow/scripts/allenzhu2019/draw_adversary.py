"""P6, P8 beyond the widths that can be stored: the adversary with its matrices drawn as seen.

``drawn``: the greedy adversary of the step `perturb`, a budget omega in every layer, at widths
from which an exponent can be extrapolated. ``split``: one budget, sum of squares omega^2, over all
layers, split as a search finds best for the share flipped in the worst layer (P6c is about every
perturbation).
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.allenzhu2019 import conditioned
from cnntheory.search import worst_case
from workflow.scripts import step
from workflow.scripts.step import Count, Positive


class Options(step.Options):
    """P6, P8: the adversary at widths that cannot be stored, and with one budget to split."""

    widths: list[Count] = Field(min_length=1, description="m")
    depth: Count = Field(description="L")
    smallest: Positive = Field(description="spectral norm")
    largest: Positive = Field(description="spectral norm")
    sizes: Count = Field(description="how many spectral norms")
    trials: Count = Field(description="networks")
    split_width: Count = Field(description="m of the split budget")
    split_depths: list[Count] = Field(min_length=2, description="its L, from 2")
    split_size: Positive = Field(description="the budget")
    evaluations: Count = Field(description="splits tried for each network")
    population: Count = Field(description="splits of a generation")


def drawn(options, rng):
    """Shares and changes by omega, one network at a time."""
    sizes = np.geomspace(options.smallest, options.largest, options.sizes)
    cells = [(width, s) for width in options.widths for s in range(options.trials)]
    for width, s in step.progress(cells, label="drawn", unit="network"):
        found = conditioned.adversary(rng(f"drawn {width}", s), width, options.depth, sizes)
        yield pd.DataFrame(
            dict(
                perturbation="adversary",
                omega=sizes,
                width=width,
                depth=options.depth,
                seed=s,
                flipped=found.flips.mean(axis=1),
                most_flipped=found.flips.max(axis=1),
                backward_change=found.backward,
                gradient_change=found.gradient,
            )
        )


def split(options, rng):
    """The share in the worst layer under the best split that the search finds, by depth."""
    width, omega = options.split_width, options.split_size
    cells = [(depth, s) for depth in options.split_depths for s in range(options.trials)]
    for depth, s in step.progress(cells, label="split", unit="search"):
        group = f"split {depth}"

        def lost(points, group=group, depth=depth, s=s):
            budgets = omega * points / np.linalg.norm(points, axis=1, keepdims=True)
            # The same draws in every generation.
            found = conditioned.adversary(rng(group, s), width, depth, np.abs(budgets))
            return -found.flips.max(axis=1)

        worst = worst_case(
            lost,
            np.stack([np.ones(depth), 0.1 + np.eye(depth)[-1]]),  # all alike; the last alone
            rng=rng(f"search {depth}", s),
            evaluations=options.evaluations,
            population=options.population,
            restarts=2,
        )
        yield pd.DataFrame(
            dict(
                perturbation="split adversary",
                omega=[omega],
                width=width,
                depth=depth,
                seed=s,
                most_flipped=-worst.value,
                evaluations=worst.evaluations,
            )
        )


def measure(options, rng):
    parts = {"drawn": drawn, "split": split}
    return {name: pd.concat(part(options, rng)) for name, part in parts.items()}


if __name__ == "__main__":
    step.main(Options, measure, tables=("drawn", "split"))
