"""Claim 3b: a search for starts with l(w_0) > l(0) from which descent does not recover w*.

Laws with positive definite regions only. The search maximises the distance to w* that is left after
a few steps; the slowest start found is then followed for many.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.descent import gradient_descent
from cnntheory.search import worst_case
from workflow.scripts import step
from workflow.scripts.du2018.descend_from_anywhere import PLANE, gaussian_problem, plane_problem
from workflow.scripts.step import Count, Positive


def problems():
    """Law to teacher, gradient and loss."""
    return {
        "circle (sigma = inf)": plane_problem(PLANE["circle (sigma = inf)"]),
        "mixture, sigma = 1": plane_problem(PLANE["mixture, sigma = 1"]),
        "Gaussian, p = 10": gaussian_problem(10, 10),
    }


def left_after(gradient, start, w_star, iterations):
    """``||w_T - w*||`` after T steps of size 1."""
    for t, w in enumerate(gradient_descent(gradient, start, 1.0)):
        if t == iterations:
            return np.linalg.norm(w - w_star, axis=-1)


class Options(step.Options):
    """Claim 3b, Theorem 2.1: a search for starts that do not recover."""

    restarts: Count = Field(description="searches a law")
    evaluations: Count = Field(description="starts tried a law, all searches together")
    population: Count = Field(30, description="starts of a generation")
    early: Count = Field(description="steps after which the distance is maximised")
    iterations: Count = Field(description="steps for which the start found is followed")
    spread: Positive = Field(0.5, description="standard deviation of a first generation")


def measure(options, rng):
    rows = []
    laws = list(problems().items())
    for law, (w_star, gradient, loss) in step.progress(laws, label="search", unit="law"):
        zero = loss(np.full((1, len(w_star)), 1e-12))[0]

        def recovered(start, w_star=w_star, gradient=gradient, loss=loss, zero=zero):
            error = left_after(gradient, start, w_star, options.early)
            return np.where(loss(start) > zero, -error, np.nan)

        draws = rng(law, 0)
        # Opposite to w*, where the loss is largest for its length, is where a search should begin.
        first = draws.standard_normal((options.restarts, len(w_star))) - w_star
        found = worst_case(
            recovered,
            first,
            rng=draws,
            evaluations=options.evaluations,
            spread=options.spread,
            population=options.population,
        )
        start = found.point[None]
        rows.append(
            dict(
                law=law,
                start_loss=loss(start)[0] / zero,
                filter_error=-found.value,
                end_error=left_after(gradient, start, w_star, options.iterations)[0],
                evaluations=found.evaluations,
            )
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
