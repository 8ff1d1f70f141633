"""Claim 4, Theorem 2.2: the drop of ||w - w*||^2 per step beside the theorem's guarantee.

Population gradient descent of one neuron with the theorem's own step (recomputed at each iterate)
and with constant steps far above it.
"""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.descent import gradient_descent
from cnntheory.du2018.rates import distance_angle, guaranteed_drop, step_table
from workflow.scripts import step
from workflow.scripts.du2018.plane import (
    SMALLEST,
    distance,
    gaussian_problem,
    mixture_problem,
    random_starts,
)
from workflow.scripts.step import Count, Positive

DIVERGENT = 4.5  # above 4 the Gaussian problem's fixed point is unstable: its Hessian is I/2


def problems():
    """Law to problem."""
    return {"Gaussian": gaussian_problem()} | {
        f"mixture, sigma = {sigma:g}": mixture_problem(sigma) for sigma in (1.0, 0.5)
    }


def follow(gradient, start, rule, theorem, gamma, iterations):
    """Drop and guarantee at every step; kept where the iteration is a new point on a log grid, and
    with each trial's least margin over all its steps."""

    def size(w):
        if rule != "theorem":
            return np.full((len(w), 1), float(rule))
        return theorem(distance_angle(distance(w)))[:, None]

    keep = {int(t) for t in np.unique(np.geomspace(1, iterations, 60).round())} | {0}
    iterates = gradient_descent(gradient, start, size)
    before, rows = next(iterates), []
    least = {name: np.full(len(start), np.inf) for name in ("margin", "sharper_margin")}
    for t, after in enumerate(iterates):
        near, far = distance(after), distance(before)
        inside = (far < 1) & (far > SMALLEST)
        if not inside.any() or t == iterations:
            break
        drop = 1 - (near / far) ** 2
        eta, strength = size(before)[:, 0], gamma(distance_angle(far))
        bound = guaranteed_drop(eta, strength)
        sharper = guaranteed_drop(eta, strength, sharper=True)
        for name, guarantee in (("margin", bound), ("sharper_margin", sharper)):
            ratio = np.where(inside, drop / guarantee, np.inf)
            least[name] = np.minimum(least[name], ratio)
        if t in keep:
            rows.append(
                pd.DataFrame(
                    dict(
                        seed=np.arange(len(start)),
                        iteration=t,
                        filter_error=far,
                        step=eta,
                        drop=drop,
                        bound=bound,
                        sharper_bound=sharper,
                    )
                )[inside]
            )
        before = after
    table = pd.concat(rows)
    table = table.assign(**{name: value[table.seed] for name, value in least.items()})
    return table.assign(rule=str(rule), end_error=distance(before)[table.seed])


class Options(step.Options):
    """Claim 4, Theorem 2.2: drop per step of one neuron."""

    trials: Count = Field(description="starts")
    steps: list[Positive] = Field(
        min_length=1, description="constant steps beside the theorem's own"
    )
    iterations: Annotated[int, Field(ge=10)] = Field(description="at most")


def measure(options, rng):
    start = random_starts(rng, options.trials, 0.2, 0.95)
    tables = []
    for law, (gradient, constants, beta) in problems().items():
        theorem, gamma = step_table(constants, beta)
        rules = ["theorem", *options.steps] + ([DIVERGENT] if law == "Gaussian" else [])
        for rule in step.progress(rules, label=law, unit="step size"):
            found = follow(gradient, start, rule, theorem, gamma, options.iterations)
            tables.append(found.assign(law=law))
    return pd.concat(tables)


if __name__ == "__main__":
    step.main(Options, measure)
