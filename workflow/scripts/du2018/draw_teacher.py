"""Draw the teachers of Figures 3c (random Gaussian) and 3d (Gabor).

A random teacher may be all but dead on the data: it is drawn again while the largest eigenvalue of
E[Z_pp Z_pp^T] at w* is below ``--least-eigenvalue``. The table says how often.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.du2018.teachers import active_covariance, gabor_filter, gaussian_filter
from workflow.scripts import step
from workflow.scripts.step import Count, NonNegative

LOOK = 2000  # images that decide whether a teacher is alive
TRIES = 200


def weights_of(teachers, kind):
    """Filters ``(trials, p)`` of one kind of teacher, from the table that this step makes."""
    rows = teachers[teachers.teacher == kind]
    return rows.pivot(index="seed", columns="pixel", values="weight").to_numpy()


def alive(rng, patches, size, trials, least):
    """Random filters ``(trials, p)`` that are active on the images, and the draws of each."""
    random, count = np.zeros((trials, size**2)), np.zeros(trials, dtype=int)
    draws = [rng("random", trial) for trial in range(trials)]
    waiting = np.arange(trials)
    for _ in range(TRIES):
        random[waiting] = [gaussian_filter(draws[trial], size) for trial in waiting]
        count[waiting] += 1
        top = np.linalg.eigvalsh(active_covariance(random[waiting], patches[:LOOK]))[:, -1]
        waiting = waiting[top < least]
        if not len(waiting):
            return random, count
    raise ValueError(
        f"no random teacher reaches the eigenvalue {least} on these images in {TRIES} draws; lower "
        "du2018.draw_teacher.least_eigenvalue"
    )


class Options(step.Options):
    """Claim 12: random and Gabor teachers."""

    trials: Count = Field(description="random teachers")
    starts: Count = Field(description="trials of the Gabor filter, one teacher with many starts")
    least_eigenvalue: NonNegative = Field(description="a random teacher below it is drawn again")


def measure(options, rng, patches):
    size = round(patches.shape[-1] ** 0.5)
    random, draws = alive(rng, patches, size, options.trials, options.least_eigenvalue)
    gabor = np.tile(gabor_filter(size), (options.starts, 1))
    tables = []
    for kind, w, count in (
        ("random", random, draws),
        ("gabor", gabor, np.ones(options.starts, dtype=int)),
    ):
        top = np.linalg.eigvalsh(active_covariance(w, patches))[:, -1]
        tables.append(
            pd.DataFrame(
                dict(
                    teacher=kind,
                    seed=np.repeat(np.arange(len(w)), size**2),
                    pixel=np.tile(np.arange(size**2), len(w)),
                    weight=w.ravel(),
                    largest_eigenvalue=np.repeat(top, size**2),
                    draws=np.repeat(count, size**2),
                )
            )
        )
    return pd.concat(tables)


if __name__ == "__main__":
    step.main(Options, measure)
