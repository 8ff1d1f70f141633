"""Claim 14: certified networks on row profiles of two digits, and SGD beside them.

A profile is the 14 means of pairs of rows, less their means over the training set; patches of three
pixels, side by side. The optimum is exact, over all cells. Every end point of SGD gets its own
rigorous dual bound, from its residual and exact prices, and (control 14x) one from prices over a
few sampled gates. The clock is kept in a table of its own.
"""

import time

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import (
    beta_max,
    certify,
    enumerate_cells,
    sample_gates,
    train_convex,
)
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    Length,
    StochasticDescent,
    accuracy,
    draw_split,
    row_profiles,
    train_stochastically,
    two_classes,
    windows,
)
from workflow.scripts.step import Count, Share


class Options(StochasticDescent):
    """Claim 14: certified networks and SGD on row profiles of two digits."""

    trials: Count = Field(description="training sets of every size")
    samples: list[Count] = Field(min_length=1, description="grid of n, images")
    patch_size: Length = Field(description="in rows of the profile of 14")
    fractions: list[Share] = Field(min_length=1, description="beta in units of beta_max")
    width: Count = Field(description="filters of SGD")
    gates: Count = Field(description="random gates, whose cells control 14x knows")


def watch(patches, y):
    """A callback of descent that reads the clock and the accuracy of every restart."""
    clock, accuracies = [], []

    def callback(_, parameters, __):
        clock.append(time.perf_counter())
        filters, weights = parameters["filters"], parameters["weights"]
        response = np.maximum(np.einsum("nkh,rmh->rnkm", patches, filters), 0).sum(axis=2)
        accuracies.append(accuracy(np.einsum("rnm,rm->rn", response, weights), y))

    return callback, clock, accuracies


def certificates(network, patches, y, beta, dual, cells, gates):
    """Objective, its dual bound over all cells, and that over those of a few gates."""
    exact, blind = (
        certify(network, patches, y, beta, dual=dual, cells=known) for known in (cells, gates)
    )
    return {
        "objective": exact.objective,
        "dual_bound": exact.dual_bound,
        "sampled_bound": blind.dual_bound,
    }


def measure(options, rng, train_images, train_labels, test_images, test_labels):
    images, labels = two_classes(train_images, train_labels)
    X, (X_test, y_test) = row_profiles(images), two_classes(test_images, test_labels)
    X_test = row_profiles(X_test)
    rows, curves, timing = [], [], []
    instances = [(n, seed) for n in options.samples for seed in range(options.trials)]
    for n, seed in step.progress(instances, label="images", unit="instance"):
        draws = rng(f"{n}", seed)
        profiles, y = draw_split(X, labels, n, draws)
        patches, test = (
            windows(part - profiles.mean(axis=0), options.patch_size, options.patch_size)
            for part in (profiles, X_test)
        )
        gates = sample_gates(options.patch_size, options.gates, draws)
        begun = time.perf_counter()
        cells = enumerate_cells(patches)
        enumerated = time.perf_counter() - begun
        largest = beta_max(patches, y, cells=cells)
        # One training set is drawn as curves.
        shown = n == max(options.samples) and seed == 0
        for fraction in options.fractions:
            beta = fraction * largest
            labelled = {"samples": n, "seed": seed, "beta_fraction": fraction}
            begun = time.perf_counter()
            optimum = train_convex(patches, y, beta, cells=cells, tol=1e-9)
            seconds = time.perf_counter() - begun + enumerated
            callback, clock, accuracies = watch(test, y_test)
            trained = train_stochastically(
                options,
                patches,
                y,
                beta,
                options.width,
                rng(f"sgd {n}", seed),
                record_every=max(1, options.steps // (200 if shown else 20)),
                callback=callback if shown else None,
            )
            networks = [("convex", 0, optimum.network, optimum.dual)]
            networks += [
                ("sgd", restart, trained.network(restart), None)
                for restart in range(options.restarts)
            ]
            rows += [
                labelled
                | {
                    "method": method,
                    "restart": restart,
                    "beta": beta,
                    "cells": len(cells.patterns),
                    "filters": len(network.weights),
                }
                | certificates(network, patches, y, beta, dual, cells, gates)
                | {
                    "program": optimum.program,
                    "program_bound": optimum.dual_bound,
                    "accuracy": accuracy(network.predict(test), y_test),
                }
                for method, restart, network, dual in networks
            ]
            if shown:
                timing.append(labelled | {"method": "convex", "iteration": 0, "seconds": seconds})
                timing += [
                    labelled | {"method": "sgd", "iteration": t, "seconds": now - clock[0]}
                    for t, now in zip(trained.iterations, clock, strict=True)
                ]
                curves += [
                    labelled
                    | {
                        "restart": restart,
                        "iteration": iteration,
                        "objective": trained.trace[i][restart],
                        "accuracy": accuracies[i][restart],
                    }
                    for i, iteration in enumerate(trained.iterations)
                    for restart in range(options.restarts)
                ]
    return {
        "table": pd.DataFrame(rows),
        "curves": pd.DataFrame(curves),
        "timing": pd.DataFrame(timing),
    }


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "curves", "timing"))
