"""Claim 9e-images: the three-layer circular network on row profiles of two classes of images.

Profiles are the 14 means of pairs of rows, less their means over the training set and projected on
its first principal components, so that all cells can be listed. Every training set is solved with
a certificate; on the first one SGD is drawn beside it. The clock is kept in a table of its own.
"""

import time

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import beta_max, enumerate_cells, train_baseline, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    TOLERANCES,
    StochasticDescent,
    accuracy,
    draw_split,
    row_profiles,
    two_classes,
)
from workflow.scripts.step import Count, Share


class Options(StochasticDescent):
    """Claim 9e-images: three-layer circular networks on row profiles of images."""

    trials: Count = Field(description="training sets")
    samples: Count = Field(description="n, images")
    components: Count = Field(description="principal components that are kept")
    fraction: Share = Field(description="beta in units of beta_max")
    width: Count = Field(description="filters of SGD")


def project(profiles, test, components):
    """Training and test profiles less the training mean, on its first principal components."""
    mean = profiles.mean(axis=0)
    axes = np.linalg.svd(profiles - mean, full_matrices=False)[2][:components]
    return tuple((part - mean) @ axes.T @ axes for part in (profiles, test))


def draw_descent(options, X, y, beta, test, y_test, rng):
    """SGD from several starts: rows of the curves, and the clock at every record."""
    clock, rows = [], []

    def record(iteration, parameters, objective):
        clock.append((iteration, time.perf_counter()))
        unit = parameters["filters"] / np.linalg.norm(parameters["filters"], axis=-1, keepdims=True)
        spectra = np.fft.fft(unit).prod(axis=2) * np.fft.fft(parameters["inner"])
        hidden = np.maximum(np.fft.ifft(spectra).real @ test.T, 0)
        outputs = np.einsum("rm,rmn->rn", parameters["weights"], hidden)
        rows.extend(
            {"restart": restart, "iteration": iteration, "objective": value, "accuracy": share}
            for restart, (value, share) in enumerate(
                zip(objective, accuracy(outputs, y_test), strict=True)
            )
        )

    train_baseline(
        X, y, beta, architecture="circular", width=options.width, rng=rng,
        restarts=options.restarts, max_iter=options.steps, method="sgd", batch_size=options.batch,
        step=options.step_size, record_every=max(1, options.steps // 200), callback=record,
    )  # fmt: skip
    return rows, clock


def measure(options, rng, train_images, train_labels, test_images, test_labels):
    images, labels = two_classes(train_images, train_labels)
    profiles, (X_test, y_test) = row_profiles(images), two_classes(test_images, test_labels)
    X_test = row_profiles(X_test)
    rows, curves, timing = [], [], []
    for seed in step.progress(range(options.trials), label="circular images", unit="set"):
        X, y = draw_split(profiles, labels, options.samples, rng("images", seed))
        X, test = project(X, X_test, options.components)
        begun = time.perf_counter()
        circular = dict(architecture="circular", cells=enumerate_cells(X, "circular"))
        beta = options.fraction * beta_max(X, y, **circular)
        solution = train_convex(X, y, beta, tol=TOLERANCES["circular"], **circular)
        seconds = time.perf_counter() - begun
        rows.append(
            {
                "seed": seed,
                "samples": options.samples,
                "dimension": X.shape[1],
                "rank": options.components,
                "layers": 3,
                "beta": beta,
                "objective": solution.objective,
                "dual_bound": solution.dual_bound,
                "gap": solution.gap,
                "filters": len(solution.network.weights),
                "accuracy": accuracy(solution.network.predict(test), y_test),
            }
        )
        if not seed:
            found, clock = draw_descent(options, X, y, beta, test, y_test, rng("sgd", seed))
            curves += [{"seed": seed, "samples": options.samples} | row for row in found]
            timing.append({"method": "convex", "iteration": 0, "seconds": seconds})
            timing += [
                {"method": "sgd", "iteration": iteration, "seconds": now - clock[0][1]}
                for iteration, now in clock
            ]
    return {
        "table": pd.DataFrame(rows),
        "curves": pd.DataFrame(curves),
        "timing": pd.DataFrame(timing),
    }


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "curves", "timing"))
