"""Claim 9d: does training find the frequencies that the spectral program selects?

On every data set: the program, whose filters' frequencies are the support; circular networks
(L = 3) trained by SGD and by Adam; and (control 9dx) two-layer networks on whole signals, whose
regulariser is the group l2 norm. Energy of a network: what all its filters have at a frequency,
each weighted by its output weight. Signals of low rank, as in sparsify_spectrum.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import beta_max, train_baselines, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    TOLERANCES,
    Length,
    StochasticDescent,
    groups,
    low_rank,
)
from workflow.scripts.step import Count, Positive, Share


class Options(StochasticDescent):
    """Claim 9d: frequencies of trained networks beside those that the program selects."""

    trials: Count = Field(description="data sets")
    samples: Count = Field(description="n, signals of a data set")
    dimension: Length = Field(description="d, length of a signal")
    rank: Count = Field(description="of the signals")
    fraction: Share = Field(description="beta in units of beta_max of each architecture")
    width: Count = Field(description="filters of trained networks")
    sgd_step: Positive = Field(description="step of SGD")
    support: Share = Field(description="size of a frequency that counts, of a filter's largest")


def energies(filters, weights):
    """Share of a network's energy at every frequency, ``(d,)``."""
    energy = (weights[:, None] ** 2 * np.abs(np.fft.fft(filters)) ** 2).sum(axis=0)
    return energy / energy.sum()


def whole_filters(network):
    """Filters of a circular network as one of each: ``U_1 .. U_{L-2} v``."""
    return network.architecture.effective(network.filters, network.inner)


def support(filters, floor):
    """Frequencies that some filter of the program has, a boolean each."""
    size = np.abs(np.fft.fft(filters))
    return (size > floor * size.max(axis=1, keepdims=True)).any(axis=0)


def train(options, problems, rng):
    """Train on many data sets from several starts.

    Yields ``method`` and, for every data set, ``network's filters and weights, objective``.
    """
    X, y, betas = zip(*problems, strict=True)
    shared = dict(
        width=options.width, restarts=options.restarts, max_iter=options.steps, record_every=500
    )
    methods = {
        "sgd": dict(method="sgd", batch_size=options.batch, step=options.sgd_step),
        "adam": dict(step=options.step_size),
    }
    circular = [beta["circular"] for beta in betas]
    for method, more in methods.items():
        found = train_baselines(X, y, circular, architecture="circular", rng=rng, **shared, **more)
        networks = [one.network() for one in found]
        yield (
            method,
            [
                (whole_filters(network), network.weights, one.objective.min())
                for network, one in zip(networks, found, strict=True)
            ],
        )
    group = [beta["group"] for beta in betas]
    whole = [signals[:, None] for signals in X]
    found = train_baselines(whole, y, group, rng=rng, **shared, **methods["adam"])
    networks = [one.network() for one in found]
    yield (
        "group",
        [
            (network.filters, network.weights, one.objective.min())
            for network, one in zip(networks, found, strict=True)
        ],
    )


def draw(options, rng, seed):
    """Signals, labels and, by architecture, beta."""
    X, y = low_rank(rng("signals", seed), options.samples, options.dimension, options.rank)
    betas = {
        "circular": options.fraction * beta_max(X, y, architecture="circular"),
        "group": options.fraction * beta_max(X[:, None], y),
    }
    return X, y, betas


def measure(options, rng):
    rows = []
    progress = step.progress(range(options.trials), label="learned spectra", unit="data set")
    for seeds in groups(progress):
        problems = [draw(options, rng, seed) for seed in seeds]
        programs = [
            train_convex(
                X, y, betas["circular"], architecture="circular", tol=TOLERANCES["circular"]
            )
            for X, y, betas in problems
        ]
        optimal = [
            (whole_filters(one.network), one.network.weights, one.objective) for one in programs
        ]
        draws = [rng("descent", seed) for seed in seeds]
        for method, networks in [("program", optimal), *train(options, problems, draws)]:
            for seed, program, best, network in zip(
                seeds, programs, optimal, networks, strict=True
            ):
                filters, weights, objective = network
                chosen = support(best[0], options.support)
                rows += [
                    {
                        "seed": seed,
                        "samples": options.samples,
                        "dimension": options.dimension,
                        "rank": options.rank,
                        "method": method,
                        "frequency": frequency,
                        "energy": energy,
                        "selected": bool(chosen[frequency]),
                        "objective": objective,
                        "program": program.program,
                    }
                    for frequency, energy in enumerate(energies(filters, weights))
                ]
    return pd.DataFrame(rows).sort_values("seed", kind="stable")


if __name__ == "__main__":
    step.main(Options, measure)
