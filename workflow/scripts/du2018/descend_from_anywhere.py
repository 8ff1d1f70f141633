"""Claim 3, Theorem 2.1: population gradient descent from random starts, against l(w_0)/l(0).

Laws with positive definite regions, a two-sided cap (beyond the hypotheses) and two controls that
break them: a one-sided cap, from starts that see no input, and a law of rank 3 in R^5.
"""

import numpy as np
import pandas as pd

from cnntheory.descent import descend
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

PLANE = {
    "circle (sigma = inf)": mixture(np.inf),
    "mixture, sigma = 1": mixture(1.0),
    "mixture, sigma = 0.2": mixture(0.2),
    "two-sided cap": cap(0.5),
    "one-sided cap": cap(0.5, two_sided=False),
}


def plane_problem(law):
    """Gradient and loss of one neuron under an angular law, w* = e_1."""
    w_star = np.array([1.0, 0.0])
    label = arc_second_moment(law, -np.pi / 2, np.pi / 2)[0, 0]

    def gradient(w):
        return neuron_gradient(w, w_star, *angular_moments(law, signed_angle(w)))

    def loss(w):
        phi = signed_angle(w)
        both, wrong = angular_moments(law, phi)
        squares = np.einsum("ti,tij,tj->t", w, both + wrong, w)
        return 0.5 * (squares + label - 2 * np.einsum("i,tij,tj->t", w_star, both, w))

    return w_star, gradient, loss


def gaussian_problem(dimension, rank):
    """Gradient and loss for z = B g with g ~ N(0, I_rank): Gaussian in the range of B = [I; 0]."""
    w_star = np.ones(dimension) / np.sqrt(dimension)

    def gradient(w):
        inside = gaussian_gradient(w[..., :rank], w_star[:rank])
        return np.concatenate([inside, np.zeros((*w.shape[:-1], dimension - rank))], axis=-1)

    return w_star, gradient, lambda w: gaussian_loss(w[..., :rank], w_star[:rank])


def run():
    args = step.arguments(
        __doc__, ["table"], seed=int, seeds=int, starts=int, iterations=int, tolerance=(float, 1e-3)
    )
    problems = {law: plane_problem(PLANE[law]) for law in PLANE}
    problems["Gaussian, p = 10"] = gaussian_problem(10, 10)
    problems["rank 3 in R^5"] = gaussian_problem(5, 3)
    tables = []
    for law, (w_star, gradient, loss) in step.progress(problems.items(), label="laws", unit="law"):
        p = len(w_star)
        starts = []
        for seed in range(args.seeds):
            rng = step.generator(args.seed, "descend_from_anywhere", f"R^{p}", seed)
            u = rng.standard_normal((args.starts, p))
            u /= np.linalg.norm(u, axis=-1, keepdims=True)
            starts.append(rng.uniform(0.02, 2.5, (args.starts, 1)) * u)
        start = np.concatenate(starts)
        if law == "one-sided cap":
            # Dead starts only: on the far side, where no input of the cap activates the filter.
            start[:, 0] = -np.abs(start[:, 0]) - 4 * np.abs(start[:, 1])
        w, error = start, None
        for t, w in enumerate(descend(gradient, start, 1.0)):
            if t % 100 == 0 or t == args.iterations:
                error = np.linalg.norm(w - w_star, axis=-1)
                if t == args.iterations or (error <= args.tolerance).all():
                    break
        zero = loss(np.full((1, p), 1e-12))[0]
        tables.append(
            pd.DataFrame(
                dict(
                    law=law,
                    seed=np.repeat(np.arange(args.seeds), args.starts),
                    start_loss=loss(start) / zero,
                    start_angle=angle(start, w_star),
                    end_loss=loss(w) / zero,
                    filter_error=error,
                    iteration=t,
                )
            )
        )
    step.write_table(pd.concat(tables), args.table, args)


if __name__ == "__main__":
    step.main(run)
