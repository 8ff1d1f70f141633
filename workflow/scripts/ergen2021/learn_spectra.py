"""Claim 9d: does training find the frequencies that the spectral program selects?

On every data set: the program, whose filters' frequencies are the support; circular networks
(L = 3) trained by SGD and by Adam; and (control 9dx) two-layer networks on whole signals, whose
regulariser is the group l2 norm. Energy of a network: what all its filters have at a frequency,
each weighted by its output weight. Signals of low rank, as in sparsify_spectrum.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import beta_max, train_baseline, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import TOLERANCES, Length, StochasticDescent, low_rank
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


def train(options, X, y, betas, rng):
    """Train from several starts; yields ``method, network's filters and weights, objective``."""
    shared = dict(
        width=options.width, restarts=options.restarts, max_iter=options.steps, record_every=500
    )
    methods = {
        "sgd": dict(method="sgd", batch_size=options.batch, step=options.sgd_step),
        "adam": dict(step=options.step_size),
    }
    for method, more in methods.items():
        found = train_baseline(
            X, y, betas["circular"], architecture="circular", rng=rng, **shared, **more
        )
        network = found.network()
        yield method, whole_filters(network), network.weights, found.objective.min()
    found = train_baseline(X[:, None], y, betas["group"], rng=rng, **shared, **methods["adam"])
    network = found.network()
    yield "group", network.filters, network.weights, found.objective.min()


def measure(options, rng):
    rows = []
    for seed in step.progress(range(options.trials), label="learned spectra", unit="data set"):
        X, y = low_rank(rng("signals", seed), options.samples, options.dimension, options.rank)
        betas = {
            "circular": options.fraction * beta_max(X, y, architecture="circular"),
            "group": options.fraction * beta_max(X[:, None], y),
        }
        program = train_convex(
            X, y, betas["circular"], architecture="circular", tol=TOLERANCES["circular"]
        )
        optimal = whole_filters(program.network)
        chosen = support(optimal, options.support)
        networks = train(options, X, y, betas, rng("descent", seed))
        networks = [("program", optimal, program.network.weights, program.objective), *networks]
        for method, filters, weights, objective in networks:
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
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
