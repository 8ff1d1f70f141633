"""Claim 3, Theorem 2.1: population gradient descent from random starts, against l(w_0)/l(0).

Laws with positive definite regions, a two-sided cap (beyond the hypotheses) and two controls that
break them: a one-sided cap, from starts that see no input, and a law of rank 3 in R^5.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.descent import gradient_descent
from cnntheory.du2018.laws import arc_second_moment, cap, mixture
from cnntheory.du2018.neuron import (
    angle,
    gaussian_gradient,
    gaussian_loss,
    neuron_gradient,
    signed_angle,
)
from cnntheory.du2018.smoothness import angular_moments
from workflow.scripts import step
from workflow.scripts.du2018.plane import W_STAR
from workflow.scripts.step import Count, Positive

PLANE = {
    "circle (sigma = inf)": mixture(np.inf),
    "mixture, sigma = 1": mixture(1.0),
    "mixture, sigma = 0.2": mixture(0.2),
    "two-sided cap": cap(0.5),
    "one-sided cap": cap(0.5, two_sided=False),
}


def plane_problem(law):
    """Teacher, gradient and loss of one neuron under an angular law."""
    label = arc_second_moment(law, -np.pi / 2, np.pi / 2)[0, 0]

    def gradient(w):
        return neuron_gradient(w, W_STAR, *angular_moments(law, signed_angle(w)))

    def loss(w):
        phi = signed_angle(w)
        both, wrong = angular_moments(law, phi)
        squares = np.einsum("ti,tij,tj->t", w, both + wrong, w)
        return 0.5 * (squares + label - 2 * np.einsum("i,tij,tj->t", W_STAR, both, w))

    return W_STAR, gradient, loss


def gaussian_problem(dimension, rank):
    """The same for z = B g with g ~ N(0, I_rank): Gaussian in the range of B = [I; 0]."""
    w_star = np.ones(dimension) / np.sqrt(dimension)

    def gradient(w):
        inside = gaussian_gradient(w[..., :rank], w_star[:rank])
        return np.concatenate([inside, np.zeros((*w.shape[:-1], dimension - rank))], axis=-1)

    return w_star, gradient, lambda w: gaussian_loss(w[..., :rank], w_star[:rank])


def problems():
    """Law to teacher, gradient and loss."""
    return {law: plane_problem(PLANE[law]) for law in PLANE} | {
        "Gaussian, p = 10": gaussian_problem(10, 10),
        "rank 3 in R^5": gaussian_problem(5, 3),
    }


def random_starts(rng, options, dimension):
    """Starts of all trials, ``(trials * starts, p)``, the same for all laws of a dimension."""
    starts = []
    for trial in range(options.trials):
        draws = rng(f"R^{dimension}", trial)
        u = draws.standard_normal((options.starts, dimension))
        u /= np.linalg.norm(u, axis=-1, keepdims=True)
        starts.append(draws.uniform(0.02, 2.5, (options.starts, 1)) * u)
    return np.concatenate(starts)


def run_down(gradient, start, w_star, iterations, tolerance):
    """Last iterate, its distances to w*, and the hitting time of every run, infinite if never.

    Descent goes on until all runs have recovered, or for `iterations` steps.
    """
    hit = np.full(len(start), np.inf)
    for t, w in enumerate(gradient_descent(gradient, start, 1.0)):
        error = np.linalg.norm(w - w_star, axis=-1)
        hit[(error <= tolerance) & np.isinf(hit)] = t
        if t == iterations or np.isfinite(hit).all():
            return w, error, hit


class Options(step.Options):
    """Claim 3, Theorem 2.1: population descent from random starts."""

    trials: Count = Field(description="sets of starts")
    starts: Count = Field(description="starts a trial")
    iterations: Count = Field(description="at most")
    tolerance: Positive = Field(1e-3, description="distance that counts as recovery")


def measure(options, rng):
    tables = []
    laws = list(problems().items())
    for law, (w_star, gradient, loss) in step.progress(laws, label="laws", unit="law"):
        start = random_starts(rng, options, len(w_star))
        if law == "one-sided cap":
            # Dead starts only: on the far side, where no input of the cap activates the filter.
            start[:, 0] = -np.abs(start[:, 0]) - 4 * np.abs(start[:, 1])
        end, error, hit = run_down(gradient, start, w_star, options.iterations, options.tolerance)
        zero = loss(np.full((1, len(w_star)), 1e-12))[0]
        tables.append(
            pd.DataFrame(
                dict(
                    law=law,
                    seed=np.repeat(np.arange(options.trials), options.starts),
                    start_loss=loss(start) / zero,
                    start_angle=angle(start, w_star),
                    end_loss=loss(end) / zero,
                    filter_error=error,
                    iterations=hit,
                )
            )
        )
    return pd.concat(tables)


if __name__ == "__main__":
    step.main(Options, measure)
