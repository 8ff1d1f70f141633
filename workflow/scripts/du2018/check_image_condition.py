"""Claim 7c: does Theorem 3.1 speak of images? gamma and the cross-covariances of their patches.

For every random teacher and angle, filters in a few random directions: whatever the direction, it
bounds gamma from above and L_cross from below, so that no search is needed to refute
gamma > 6 L_cross. The smallest angle stands for gamma(0), the largest value that the condition
could ask for.
"""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.du2018.smoothness import cross_norm, sample_moments
from workflow.scripts import step
from workflow.scripts.du2018.draw_teacher import weights_of
from workflow.scripts.du2018.measure_patches import filters_around
from workflow.scripts.step import Count, Positive


def condition(filters, w_star, z):
    """Bounds on gamma (from above) and on the cross-covariances (from below), one an angle.

    Parameters
    ----------
    filters : (directions, angles, p) array
    w_star : (p,) array
    z : (n, k, p) array
    """
    found = [[sample_moments(w, w_star, z) for w in side] for side in filters]
    both = np.array([[moments["pp,pp"] for moments in side] for side in found])
    cross = np.array([[cross_norm(moments) for moments in side] for side in found])
    return np.linalg.eigvalsh(both)[..., 0].min(axis=0), cross.max(axis=0)


class Options(step.Options):
    """Claim 7c, Theorem 3.1: its condition on image patches."""

    trials: Count = Field(description="random teachers looked at, at most")
    images: Count = Field(description="looked at for each teacher, at most")
    directions: Count = Field(description="random directions of the filters at an angle")
    angles: Annotated[int, Field(ge=2)] = Field(description="log-spaced, up to 90 degrees")
    smallest: Positive = Field(1e-3, description="angle, radians")


def measure(options, rng, patches, teachers):
    phi = np.geomspace(options.smallest, np.pi / 2, options.angles)
    w_star = list(weights_of(teachers, "random")[: options.trials])
    tables = []
    for trial, w in enumerate(step.progress(w_star, label="condition", unit="teacher")):
        draws = rng("images", trial)
        count = min(options.images, len(patches))
        z = patches[np.sort(draws.choice(len(patches), count, replace=False))] / 255.0
        filters = filters_around(w, phi, options.directions, draws)
        gamma, cross = condition(filters, w, z)
        tables.append(pd.DataFrame(dict(seed=trial, phi=phi, gamma=gamma, l_cross=cross / phi)))
    return pd.concat(tables)


if __name__ == "__main__":
    step.main(Options, measure)
