"""Draw the teachers of Figures 3c (random Gaussian) and 3d (Gabor), one a seed.

A random teacher may be all but dead on the data: it is drawn again while the largest eigenvalue of
E[Z_pp Z_pp^T] at w* is below ``--least-eigenvalue``. The table says how often.
"""

import numpy as np
import pandas as pd

from cnntheory.du2018.teachers import active_covariance, gabor_filter, gaussian_filter
from workflow.scripts import step

LOOK = 2000  # images that decide whether a teacher is alive
TRIES = 200


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        patches=step.Path,
        source=step.Path,
        seed=int,
        seeds=int,
        least_eigenvalue=float,
    )
    images = np.load(args.patches, mmap_mode="r")
    size = round(images.shape[-1] ** 0.5)
    random, draws = np.zeros((args.seeds, size**2)), np.zeros(args.seeds, dtype=int)
    rngs = [step.generator(args.seed, "draw_teacher", "random", s) for s in range(args.seeds)]
    waiting = np.arange(args.seeds)
    for _ in range(TRIES):
        random[waiting] = [gaussian_filter(rngs[s], size) for s in waiting]
        draws[waiting] += 1
        top = np.linalg.eigvalsh(active_covariance(random[waiting], images[:LOOK]))[:, -1]
        waiting = waiting[top < args.least_eigenvalue]
        if not len(waiting):
            break
    else:
        raise ValueError(
            f"{args.patches}: no random teacher reaches the eigenvalue {args.least_eigenvalue} in "
            f"{TRIES} draws; lower du2018.draw_teacher.least_eigenvalue"
        )
    gabor = np.tile(gabor_filter(size), (args.seeds, 1))
    tables = []
    for kind, w, count in (("random", random, draws), ("gabor", gabor, np.ones_like(draws))):
        top = np.linalg.eigvalsh(active_covariance(w, images))[:, -1]
        tables.append(
            pd.DataFrame(
                dict(
                    teacher=kind,
                    seed=np.repeat(np.arange(args.seeds), size**2),
                    pixel=np.tile(np.arange(size**2), args.seeds),
                    weight=w.ravel(),
                    largest_eigenvalue=np.repeat(top, size**2),
                    draws=np.repeat(count, size**2),
                )
            )
        )
    step.write_table(pd.concat(tables), args.table, args, step.source(args.source)["data"])


if __name__ == "__main__":
    step.main(run)
