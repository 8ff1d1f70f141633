"""Figures 3a and 3b: SGD on the synthetic inputs, all levels and seeds at once.

Start at distance 1/2, orthogonal to w*; levels share the order of their mini-batches. The table
keeps the relative filter error at fractions of an epoch.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.descent import descend, minibatches
from cnntheory.du2018.laws import unit_vectors
from cnntheory.du2018.neuron import empirical_gradient
from workflow.scripts import step

POINTS = 10  # measurements an epoch


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        inputs=step.Path,
        seed=int,
        sigmas=json.loads,
        step=float,
        batch=int,
        epochs=int,
        dimension=(int, 2),
        base_sigma=(float, None),
    )
    angles = np.load(args.inputs, mmap_mode="r")
    levels, seeds, samples, _ = angles.shape
    p = args.dimension
    rngs = [step.generator(args.seed, "train_synthetic", f"R^{p}", seed) for seed in range(seeds)]
    across = [rng.integers(2**63) for rng in rngs]
    orders = [minibatches(rng, samples, args.batch) for rng in rngs]
    seed_axis, level_axis = np.arange(seeds)[:, None], np.arange(levels)[:, None, None]

    if p == 2:

        def inputs(picks):
            return unit_vectors(angles[level_axis, seed_axis, picks])
    else:
        # The directions across w* are the same for all levels of a seed.
        z = np.stack(
            [
                np.stack(
                    [
                        unit_vectors(angles[i, s], p, np.random.default_rng(across[s]))
                        for s in range(seeds)
                    ]
                )
                for i in range(levels)
            ]
        )

        def inputs(picks):
            return z[level_axis, seed_axis, picks]

    w_star = np.zeros((levels, seeds, 1, p))
    w_star[..., 0] = 1.0
    start = w_star.copy()
    start[..., 1] = 0.5

    def gradient(w):
        picks = np.stack([next(order) for order in orders])
        return empirical_gradient(w, w_star, inputs(picks))

    per_epoch = samples // args.batch
    every = max(per_epoch // POINTS, 1)
    total = args.epochs * per_epoch
    rows = []
    bar = step.progress(total=total, label="SGD", unit="step")
    for t, w in enumerate(descend(gradient, start, args.step)):
        if t % every == 0:
            error = np.linalg.norm(w - w_star, axis=-1)[..., 0]
            rows.append(
                pd.DataFrame(
                    dict(
                        sigma=np.repeat(args.sigmas, seeds),
                        seed=np.tile(np.arange(seeds), levels),
                        epoch=t / per_epoch,
                        iteration=t,
                        filter_error=error.ravel(),
                    )
                )
            )
        if t == total:
            break
        bar.update()
    bar.close()
    table = pd.concat(rows).assign(dimension=p)
    if args.base_sigma is not None:
        table = table.assign(base_sigma=args.base_sigma)
    step.write_table(table, args.table, args)


if __name__ == "__main__":
    step.main(run)
