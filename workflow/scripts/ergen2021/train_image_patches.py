"""Two-dimensional patches of two digits: programs over the cells of sampled gates beside SGD.

Exact cells are out of reach for nine and more pixels a patch. The optimum over T sampled cells is
a network, so an upper bound of the training problem; its dual bound is that of the sampled program.
Images are at half their resolution, less the mean of the training set.
The clock is kept in a table of its own.
"""

import json
import time

import numpy as np
import pandas as pd

from cnntheory.ergen2021 import gate_patterns, sample_gates, train_convex
from cnntheory.ergen2021.baselines import train_baseline
from cnntheory.patches import extract_patches
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import accuracy, correlations, draw_split, two_digits


def halved(images):
    """Images at half their resolution, in [0, 1]."""
    n, height, width = images.shape
    even = np.asarray(images[:, : height // 2 * 2, : width // 2 * 2], dtype=float) / 255
    return even.reshape(n, height // 2, 2, width // 2, 2).mean(axis=(2, 4))


def run():
    args = step.arguments(
        __doc__,
        ["table", "timing"],
        images=[step.Path],
        source=step.Path,
        seed=int,
        seeds=int,
        samples=int,
        patch_size=int,
        stride=int,
        fraction=float,
        gates=json.loads,
        width=int,
        restarts=int,
        steps=int,
        batch=int,
        step_size=float,
        evaluate=int,
    )
    data = step.source(args.source)["data"]
    (images, labels), (X_test, y_test) = two_digits(args.images)
    pictures, y_test = halved(X_test[: args.evaluate]), y_test[: args.evaluate]
    rows, timing = [], []
    for seed in step.progress(range(args.seeds), label="2-D patches", unit="instance"):
        rng = step.generator(args.seed, "train_image_patches", "images", seed)
        chosen, y = draw_split(images, labels, args.samples, rng)
        chosen = halved(chosen)
        patches, test = (
            extract_patches(part - chosen.mean(axis=0), args.patch_size, args.stride)
            for part in (chosen, pictures)
        )
        gates = sample_gates(patches.shape[2], max(args.gates), rng)
        # The largest over sampled directions is a scale for beta, no threshold.
        beta = args.fraction * correlations(gates.T, patches, y).max()
        found = []
        for count in args.gates:
            begun = time.perf_counter()
            patterns = gate_patterns(patches, gates[:, :count])
            solution = train_convex(patches, y, beta, arrangements=patterns, tol=1e-6)
            seconds = time.perf_counter() - begun
            found.append(("convex", count, 0, solution.network, solution.dual_bound, seconds))
        begun = time.perf_counter()
        trained = train_baseline(
            "average",
            patches,
            y,
            beta,
            width=args.width,
            restarts=args.restarts,
            steps=args.steps,
            method="sgd",
            batch_size=args.batch,
            learning_rate=args.step_size,
            rng=step.generator(args.seed, "train_image_patches", "sgd", seed),
        )
        seconds = time.perf_counter() - begun
        found += [("sgd", 0, i, trained.network(i), np.nan, seconds) for i in range(args.restarts)]
        for method, count, restart, network, dual_bound, seconds in found:
            labelled = {"seed": seed, "method": method, "gates": count, "restart": restart}
            rows.append(
                labelled
                | {
                    "samples": args.samples,
                    "beta": beta,
                    "filters": len(network.weights),
                    "objective": network.objective(patches, y, beta),
                    "dual_bound": dual_bound,
                    "accuracy": accuracy(network.predict(test), y_test),
                }
            )
            timing.append(labelled | {"seconds": seconds})
    step.write_table(pd.DataFrame(rows), args.table, args, data)
    step.write_table(pd.DataFrame(timing), args.timing, args, data)


if __name__ == "__main__":
    step.main(run)
