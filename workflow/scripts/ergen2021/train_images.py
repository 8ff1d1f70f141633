"""Claim 14: certified networks on row profiles of two digits, and SGD beside them.

A profile is the 14 means of pairs of rows, less their means over the training set; patches of three
pixels, side by side. The optimum is exact, over all cells. Every end point of SGD gets its own
rigorous dual bound, from its residual and exact prices, and (control 14x) one from prices over a
few sampled gates. The clock is kept in a table of its own.
"""

import json
import time

import numpy as np
import pandas as pd

from cnntheory.ergen2021 import (
    beta_max,
    certify,
    enumerate_cells,
    gate_patterns,
    pattern_cells,
    sample_gates,
    train_convex,
)
from cnntheory.ergen2021.baselines import train_baseline
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import accuracy, draw_split, profiles_of, windows


def run():
    args = step.arguments(
        __doc__,
        ["table", "curves", "timing"],
        images=[step.Path],
        source=step.Path,
        seed=int,
        seeds=int,
        samples=json.loads,
        patch_size=int,
        fractions=json.loads,
        width=int,
        restarts=int,
        steps=int,
        batch=int,
        step_size=float,
        gates=int,
    )
    data = step.source(args.source)["data"]
    (X, labels), (X_test, y_test) = profiles_of(args.images)
    rows, curves, timing = [], [], []
    cells_ = [(n, seed) for n in args.samples for seed in range(args.seeds)]
    for n, seed in step.progress(cells_, label="images", unit="instance"):
        rng = step.generator(args.seed, "train_images", f"{n}", seed)
        profiles, y = draw_split(X, labels, n, rng)
        patches, test = (
            windows(part - profiles.mean(axis=0), args.patch_size, args.patch_size)
            for part in (profiles, X_test)
        )
        gates = sample_gates(args.patch_size, args.gates, rng)
        few = pattern_cells(patches, gate_patterns(patches, gates))
        begun = time.perf_counter()
        cells = enumerate_cells(patches)
        enumerated = time.perf_counter() - begun
        largest = beta_max(patches, y, cells=cells)
        for fraction in args.fractions:
            beta = fraction * largest
            labelled = {"samples": n, "seed": seed, "beta_fraction": fraction}
            begun = time.perf_counter()
            optimum = train_convex(patches, y, beta, arrangements=cells.patterns, tol=1e-9)
            seconds = time.perf_counter() - begun + enumerated
            networks = [("convex", 0, optimum.network, optimum.dual)]
            shown = n == max(args.samples) and seed == 0
            clock, accuracies = [], []

            def watch(_, parameters, __, clock=clock, accuracies=accuracies, test=test):
                clock.append(time.perf_counter())
                U, w = parameters["filters"], parameters["weights"]
                features = np.maximum(np.einsum("nkh,rmh->rnkm", test, U), 0).sum(axis=2)
                accuracies.append(accuracy(np.einsum("rnm,rm->rn", features, w), y_test))

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
                record_every=max(1, args.steps // (200 if shown else 20)),
                rng=step.generator(args.seed, "train_images", f"sgd {n}", seed),
                callback=watch if shown else None,
            )
            networks += [
                ("sgd", restart, trained.network(restart), None) for restart in range(args.restarts)
            ]
            for method, restart, network, dual in networks:
                weights = network.filters, network.weights
                certificate = certify(*weights, patches, y, beta, dual=dual, cells=cells)
                blind = certify(*weights, patches, y, beta, dual=dual, cells=few)
                rows.append(
                    labelled
                    | {
                        "method": method,
                        "restart": restart,
                        "beta": beta,
                        "cells": len(cells.patterns),
                        "filters": len(network.weights),
                        "objective": certificate.objective,
                        "dual_bound": certificate.dual_bound,
                        "sampled_bound": blind.dual_bound,
                        "program": optimum.program,
                        "program_bound": optimum.dual_bound,
                        "accuracy": accuracy(network.predict(test), y_test),
                    }
                )
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
                    for restart in range(args.restarts)
                ]
    for table, path in ((rows, args.table), (curves, args.curves), (timing, args.timing)):
        step.write_table(pd.DataFrame(table), path, args, data)


if __name__ == "__main__":
    step.main(run)
