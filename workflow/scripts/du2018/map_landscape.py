"""The landscape of one neuron in the plane, w* = e_1: levels of the population loss and descents.

A law that sees every direction, and a one-sided cap, under which filters in a sector are active on
no input: there the loss is that of the zero filter and nothing moves.
"""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.descent import gradient_descent
from cnntheory.du2018.laws import unit_vectors
from workflow.scripts import step
from workflow.scripts.du2018.descend_from_anywhere import PLANE, plane_problem
from workflow.scripts.step import Count, Positive

LAWS = ("mixture, sigma = 1", "one-sided cap")


class Options(step.Options):
    """Claim 3, Theorem 2.1: the landscape in the plane."""

    points: Annotated[int, Field(ge=2)] = Field(description="of the grid, along each axis")
    reach: Positive = Field(2.0, description="half the side of the square")
    starts: Count = Field(description="descents drawn, from a circle")
    distance: Positive = Field(1.6, description="radius of that circle, around 0")
    iterations: Count = Field(description="steps of a descent")
    step: Positive = Field(0.5, description="step size")


def measure(options):
    along = np.linspace(-options.reach, options.reach, options.points)
    x, y = (axis.ravel() for axis in np.meshgrid(along, along))
    # The grid leaves out 0, where the angle is undefined.
    grid = np.stack([x, y], axis=-1) + 1e-9
    turns = 2 * np.pi * (np.arange(options.starts) + 0.5) / options.starts
    levels, paths = [], []
    for law in LAWS:
        _, gradient, loss = plane_problem(PLANE[law])
        relative = loss(grid) / loss(np.full((1, 2), 1e-12))
        levels.append(pd.DataFrame(dict(law=law, x=x, y=y, relative_loss=relative)))
        iterates = gradient_descent(gradient, options.distance * unit_vectors(turns), options.step)
        for t, w in zip(range(options.iterations + 1), iterates, strict=False):
            at = dict(law=law, run=np.arange(options.starts), iteration=t, x=w[:, 0], y=w[:, 1])
            paths.append(pd.DataFrame(at))
    return {"levels": pd.concat(levels), "paths": pd.concat(paths)}


if __name__ == "__main__":
    step.main(Options, measure, tables=("levels", "paths"))
