"""Claim 7, Theorem 3.1: drop per step beside the guarantee in cells of the phase diagram.

Cells inside the condition run with the theorem's own step, where the guarantee is checked at every
step, and with a step above stability (a control). All cells run with step 1, to see whether
gradient descent converges outside the condition too.
"""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field
from scipy.interpolate import CubicSpline

from cnntheory.descent import gradient_descent
from cnntheory.du2018.laws import patch_mixture
from cnntheory.du2018.neuron import convolution_gradient, signed_angle
from cnntheory.du2018.rates import distance_angle, guaranteed_drop, step_table
from cnntheory.du2018.smoothness import patch_constants, patch_moments
from workflow.scripts import step
from workflow.scripts.du2018.plane import SMALLEST, W_STAR, distance, random_starts
from workflow.scripts.step import Count

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


def follow(gradient, start, size, iterations, guarantee):
    """End error, iterations and least ratio of drop to guarantee over all steps, per trial."""
    least = np.full(len(start), np.inf)
    iterates = gradient_descent(gradient, start, size)
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


class Options(step.Options):
    """Claim 7, Theorem 3.1: drop per step of the convolutional filter."""

    trials: Count = Field(description="starts of a cell")
    cells: Count = Field(description="trained inside and outside the condition, each")
    iterations: Annotated[int, Field(ge=2)] = Field(description="at most")


def measure(options, rng, condition):
    inside = condition.gamma > 6 * condition.l_cross
    if inside.all() or not inside.any():
        raise ValueError(
            "all cells lie on one side of gamma > 6 L_cross; give du2018.map_condition base_sigmas "
            "and patch_sigmas on both sides, e.g. 0.3 with 0.03 and 1.0 with 0.5"
        )
    start = random_starts(rng, options.trials, 0.2, 0.5)
    chosen = pd.concat(
        [spaced(condition[inside], options.cells), spaced(condition[~inside], options.cells)]
    )
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

            margin, error, t = follow(gradient, start, size, options.iterations, guarantee)
            tables.append(
                pd.DataFrame(
                    dict(
                        base_sigma=cell.base_sigma,
                        patch_sigma=cell.patch_sigma,
                        valid=valid,
                        rule=rule,
                        seed=np.arange(options.trials),
                        margin=margin if valid else np.nan,
                        end_error=error,
                        iteration=t,
                    )
                )
            )
    return pd.concat(tables)


if __name__ == "__main__":
    step.main(Options, measure)
