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

from cnntheory.du2018.condition import check_condition
from workflow.scripts import step
from workflow.scripts.du2018.draw_teacher import weights_of
from workflow.scripts.step import Count, Positive


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
        chosen = patches[np.sort(draws.choice(len(patches), count, replace=False))]
        found = check_condition(
            chosen, filters=w[None], angles=phi, directions=options.directions, rng=draws
        )
        gamma, cross = found.gamma[0, 1:], found.cross[0, 1:]
        tables.append(pd.DataFrame(dict(seed=trial, phi=phi, gamma=gamma, l_cross=cross / phi)))
    return pd.concat(tables)


if __name__ == "__main__":
    step.main(Options, measure)
