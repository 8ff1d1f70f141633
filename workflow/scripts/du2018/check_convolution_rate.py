"""Claim 7, Theorem 3.1: drop per step beside the guarantee in cells of the phase diagram.

Cells inside the condition run with the theorem's own step, where the guarantee is checked at every
step, and with a step above stability (a control). All cells run with step 1, to see whether
gradient descent converges outside the condition too.
"""

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline

from cnntheory.descent import descend
from cnntheory.du2018.laws import patch_mixture
from cnntheory.du2018.neuron import convolution_gradient, signed_angle
from cnntheory.du2018.rates import distance_angle, guaranteed_drop, step_table
from cnntheory.du2018.smoothness import patch_constants, patch_moments
from workflow.scripts import step

W_STAR = np.array([1.0, 0.0])
SMALLEST = 1e-6  # below, the drop of the distance is dominated by rounding
UNSTABLE = 8.0  # unit-norm patches: lambda_max(E Z_pp Z_pp^T) is between 1/4 and 1/2 at w*


def population_gradient(law):
    """Gradient with the moments interpolated over the angle (error below 1e-8, tested).

    The law is symmetric about w*: the moments at -phi are those at phi, reflected.
    """
    # Finer at both ends, where the moments change within the spread of the patches.
    phi = np.pi * (1 - np.cos(np.pi * np.linspace(0, 1, 501))) / 2
    moments = patch_moments(law, phi)
    names = list(moments)
    spline = CubicSpline(phi, np.stack([moments[name] for name in names], axis=-1))
    reflection = np.array([[1.0, -1.0], [-1.0, 1.0]])

    def gradient(w):
        angle = signed_angle(w)
        values = spline(np.abs(angle))
        mirrored = np.where((angle < 0)[:, None, None, None], reflection[..., None], 1.0) * values
        return convolution_gradient(
            w, W_STAR, {name: mirrored[..., i] for i, name in enumerate(names)}
        )

    return gradient


def distance(w):
    return np.linalg.norm(w - W_STAR, axis=-1)


def follow(gradient, start, size, iterations, guarantee):
    """End error, iterations and least ratio of drop to guarantee over all steps, per trial."""
    least = np.full(len(start), np.inf)
    iterates = descend(gradient, start, size)
    before = next(iterates)
    for t, after in enumerate(iterates):
        near, far = distance(after), distance(before)
        inside = (far < 1) & (far > SMALLEST)
        if not inside.any() or t == iterations:
            break
        ratio = (1 - (near / far) ** 2) / guarantee(before)
        least = np.where(inside, np.minimum(least, ratio), least)
        before = after
    return least, distance(before), t


def spaced(cells, count):
    """At most `count` rows, evenly spaced."""
    return cells.iloc[np.unique(np.linspace(0, len(cells) - 1, count).round().astype(int))]


def run():
    args = step.arguments(
        __doc__, ["table"], condition=step.Path, seed=int, seeds=int, cells=int, iterations=int
    )
    cells = step.read_table(args.condition)
    inside = cells.gamma > 6 * cells.l_cross
    if inside.all() or not inside.any():
        raise ValueError(
            f"{args.condition}: all cells lie on one side of gamma > 6 L_cross; give "
            "du2018.map_condition base_sigmas and patch_sigmas on both sides, e.g. 0.3 with 0.03 "
            "and 1.0 with 0.5"
        )
    start = []
    for seed in range(args.seeds):
        rng = step.generator(args.seed, "check_convolution_rate", "starts", seed)
        turn, far = rng.uniform(-np.pi, np.pi), rng.uniform(0.2, 0.5)
        start.append(W_STAR + far * np.array([np.cos(turn), np.sin(turn)]))
    start = np.array(start)
    chosen = pd.concat([spaced(cells[inside], args.cells), spaced(cells[~inside], args.cells)])
    tables = []
    for cell in step.progress(list(chosen.itertuples()), label="cells", unit="cell"):
        law = patch_mixture(cell.base_sigma, cell.patch_sigma, cell.patches)
        gradient = population_gradient(law)
        valid = cell.gamma > 6 * cell.l_cross
        theorem, gamma = step_table(
            lambda phi, law=law: patch_constants(law, phi), cell.beta, cell.l_cross, angles=301
        )
        rules = {"1": lambda w: np.full((len(w), 1), 1.0)}
        if valid:
            rules["theorem"] = lambda w, theorem=theorem: theorem(distance_angle(distance(w)))[
                :, None
            ]
            rules[f"{UNSTABLE:g}"] = lambda w: np.full((len(w), 1), UNSTABLE)
        for rule, size in rules.items():

            def guarantee(w, size=size, gamma=gamma, cell=cell):
                strength = gamma(distance_angle(distance(w)))
                return guaranteed_drop(size(w)[:, 0], strength, cell.l_cross)

            margin, error, t = follow(gradient, start, size, args.iterations, guarantee)
            tables.append(
                pd.DataFrame(
                    dict(
                        base_sigma=cell.base_sigma,
                        patch_sigma=cell.patch_sigma,
                        valid=valid,
                        rule=rule,
                        seed=np.arange(args.seeds),
                        margin=margin if valid else np.nan,
                        end_error=error,
                        iteration=t,
                    )
                )
            )
    step.write_table(pd.concat(tables), args.table, args)


if __name__ == "__main__":
    step.main(run)
