"""Two-dimensional patches of two digits: programs over the cells of sampled gates beside SGD.

Exact cells are out of reach for nine and more pixels a patch. The optimum over T sampled cells is
a network, so an upper bound of the training problem; its dual bound is that of the sampled program.
Images are at half their resolution, less the mean of the training set.
The clock is kept in a table of its own.
"""

import time

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import sample_gates, train_convex
from cnntheory.images.patches import extract_patches
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    Length,
    StochasticDescent,
    accuracy,
    correlations,
    draw_split,
    train_stochastically,
    two_classes,
)
from workflow.scripts.step import Count, Share


class Options(StochasticDescent):
    """Figure: two-dimensional patches of two digits with sampled gates."""

    trials: Count = Field(description="training sets")
    samples: Count = Field(description="n, images")
    patch_size: Length = Field(description="side of a patch, in pixels at half resolution")
    stride: Count = Field(description="between patches, likewise")
    fraction: Share = Field(description="beta in units of the largest over the gates")
    gates: list[Count] = Field(min_length=1, description="grid of T")
    width: Count = Field(description="filters of SGD")
    evaluate: Count = Field(description="test images")


def halved(images):
    """Images at half their resolution, in [0, 1]."""
    n, height, width = images.shape
    even = np.asarray(images[:, : height // 2 * 2, : width // 2 * 2], dtype=float) / 255
    return even.reshape(n, height // 2, 2, width // 2, 2).mean(axis=(2, 4))


def train_both(options, patches, y, beta, gates, rng):
    """Train over the cells of more and more gates, and by SGD.

    Yields ``method, number of gates, restart, network, dual bound, seconds``.
    """
    for count in options.gates:
        begun = time.perf_counter()
        solution = train_convex(patches, y, beta, cells=gates[:, :count], tol=1e-6)
        seconds = time.perf_counter() - begun
        yield "convex", count, 0, solution.network, solution.dual_bound, seconds
    begun = time.perf_counter()
    trained = train_stochastically(options, patches, y, beta, options.width, rng)
    seconds = time.perf_counter() - begun
    for restart in range(options.restarts):
        yield "sgd", 0, restart, trained.network(restart), np.nan, seconds


def one_set(options, seed, patches, y, test, y_test, draws, rng):
    """Rows and seconds of the networks trained on one set of patches."""
    rows, timing = [], []
    gates = sample_gates(patches.shape[2], max(options.gates), draws)
    # The largest over sampled directions is a scale for beta, no threshold.
    beta = options.fraction * correlations(gates.T, patches, y).max()
    found = train_both(options, patches, y, beta, gates, rng)
    for method, count, restart, network, dual_bound, seconds in found:
        labelled = {"seed": seed, "method": method, "gates": count, "restart": restart}
        rows.append(
            labelled
            | {
                "samples": options.samples,
                "beta": beta,
                "filters": len(network.weights),
                "objective": network.objective(patches, y, beta),
                "dual_bound": dual_bound,
                "accuracy": accuracy(network.predict(test), y_test),
            }
        )
        timing.append(labelled | {"seconds": seconds})
    return rows, timing


def measure(options, rng, train_images, train_labels, test_images, test_labels):
    images, labels = two_classes(train_images, train_labels)
    X_test, y_test = two_classes(test_images, test_labels)
    pictures, y_test = halved(X_test[: options.evaluate]), y_test[: options.evaluate]
    rows, timing = [], []
    for seed in step.progress(range(options.trials), label="2-D patches", unit="instance"):
        draws = rng("images", seed)
        chosen, y = draw_split(images, labels, options.samples, draws)
        chosen = halved(chosen)
        patches, test = (
            extract_patches(part - chosen.mean(axis=0), options.patch_size, options.stride)
            for part in (chosen, pictures)
        )
        found, seconds = one_set(options, seed, patches, y, test, y_test, draws, rng("sgd", seed))
        rows += found
        timing += seconds
    return {"table": pd.DataFrame(rows), "timing": pd.DataFrame(timing)}


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "timing"))
