"""Claim 4, Theorem 2.2: the drop of ||w - w*||^2 per step beside the theorem's guarantee.

Population gradient descent of one neuron with the theorem's own step (recomputed at each iterate)
and with constant steps far above it.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.descent import descend
from cnntheory.du2018.laws import mixture
from cnntheory.du2018.neuron import gaussian_gradient, neuron_gradient, signed_angle
from cnntheory.du2018.rates import distance_angle, guaranteed_drop, step_table
from cnntheory.du2018.smoothness import (
    GAUSSIAN_BETA,
    angular_beta,
    angular_constants,
    angular_moments,
    gaussian_constants,
)
from workflow.scripts import step

W_STAR = np.array([1.0, 0.0])
SMALLEST = 1e-6  # below, the drop of the distance is dominated by rounding
DIVERGENT = 4.5  # above 4 the Gaussian problem's fixed point is unstable: its Hessian is I/2


def problems():
    """Gradient, constants and beta of each law."""
    found = {
        "Gaussian": (lambda w: gaussian_gradient(w, W_STAR), gaussian_constants, GAUSSIAN_BETA)
    }
    for sigma in (1.0, 0.5):
        law = mixture(sigma)
        found[f"mixture, sigma = {sigma:g}"] = (
            lambda w, law=law: neuron_gradient(w, W_STAR, *angular_moments(law, signed_angle(w))),
            lambda phi, law=law: angular_constants(law, phi),
            angular_beta(law),
        )
    return found


def run():
    args = step.arguments(__doc__, ["table"], seed=int, seeds=int, steps=json.loads, iterations=int)
    start = []
    for seed in range(args.seeds):
        rng = step.generator(args.seed, "check_rate", "starts", seed)
        turn, distance = rng.uniform(-np.pi, np.pi), rng.uniform(0.2, 0.95)
        start.append(W_STAR + distance * np.array([np.cos(turn), np.sin(turn)]))
    start = np.array(start)
    tables = []
    for law, (gradient, constants, beta) in problems().items():
        theorem, gamma = step_table(constants, beta)
        steps = ["theorem", *args.steps] + ([DIVERGENT] if law == "Gaussian" else [])
        for rule in step.progress(steps, label=law, unit="step size"):
            tables.append(
                follow(gradient, start, rule, theorem, gamma, args.iterations).assign(law=law)
            )
    step.write_table(pd.concat(tables), args.table, args)


def follow(gradient, start, rule, theorem, gamma, iterations):
    """Drop and guarantee at every step; kept where the iteration is a new point on a log grid, and
    with each trial's least margin over all its steps."""

    def size(w):
        if rule != "theorem":
            return np.full((len(w), 1), float(rule))
        return theorem(distance_angle(np.linalg.norm(w - W_STAR, axis=-1)))[:, None]

    keep = {int(t) for t in np.unique(np.geomspace(1, iterations, 60).round())} | {0}
    iterates = descend(gradient, start, size)
    before, rows = next(iterates), []
    least = {name: np.full(len(start), np.inf) for name in ("margin", "sharper_margin")}
    for t, after in enumerate(iterates):
        near, far = (np.linalg.norm(w - W_STAR, axis=-1) for w in (after, before))
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
    last = np.linalg.norm(before - W_STAR, axis=-1)
    return table.assign(rule=str(rule), end_error=last[table.seed])


if __name__ == "__main__":
    step.main(run)
