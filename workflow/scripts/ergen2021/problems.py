"""Instances that the steps of Ergen & Pilanci (2021) share, and networks as rows of a table."""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import (
    TwoReLU,
    beta_max,
    enumerate_cells,
    train_baseline,
    train_baselines,
    train_convex,
)
from cnntheory.ergen2021.architectures import get_architecture
from workflow.scripts import step
from workflow.scripts.step import Count, Positive, Share

# Cases whose optimum is a network of filters and scalar weights.
POOLING = {"fully_connected": "average", "average": "average", "max": "max"}
# All cases that are trained to certified optimality, as the library's architectures.
ARCHITECTURES = POOLING | {
    "linear": "linear",
    "unpooled": "none",
    "circular": "circular",
    "two_relu_shared": TwoReLU(shared=True),
    "two_relu_unshared": TwoReLU(shared=False),
}
# What names an instance in the tables.
INSTANCE = ["architecture", "seed", "beta_fraction"]
# Length of a row profile: 28 row means, averaged in pairs.
PROFILE = 14
# Relative duality gap that the instances are solved to, where claims speak of 1e-8.
TOLERANCE = 1e-10
# The same of the spectral and the nuclear norm, and of matrices.
TOLERANCES = dict.fromkeys(POOLING, TOLERANCE) | {"linear": 1e-9, "circular": 1e-9}
# Data sets that descend together: the arrays of more leave the cache. No result depends on it.
TOGETHER = 20

Length = Annotated[int, Field(ge=2)]


# Options


class Signals(step.Options):
    """Gaussian signals and labels, the signals cut into all their windows."""

    samples: Count = Field(description="n, signals of an instance")
    dimension: Length = Field(description="d, length of a signal")
    patch_size: Length = Field(description="h, length of its windows")


class Descent(step.Options):
    """Descent from many starts at once."""

    restarts: Count = Field(description="starts of descent")
    steps: Count = Field(description="iterations of descent")
    step_size: Positive = Field(description="step of descent")


class StochasticDescent(Descent):
    """The same with mini-batches."""

    batch: Count = Field(description="samples of a mini-batch")


class Instances(Signals):
    """Instances at several values of beta."""

    trials: Count = Field(description="instances")
    fractions: list[Share] = Field(min_length=1, description="beta in units of beta_max")


# Instances


def draw_signals(rng, trial, samples, dimension, stream="ergen2021"):
    """Gaussian signals and labels: ``X (samples, dimension), y (samples,)``.

    Every step that names the same sizes and trial, and stream, draws the same instance.
    """
    draws = rng(f"{samples} x {dimension}", trial, stream=stream)
    return draws.standard_normal((samples, dimension)), draws.standard_normal(samples)


def low_rank(draws, samples, dimension, rank):
    """Gaussian signals of a rank, and labels: ``X (samples, dimension), y (samples,)``."""
    X = draws.standard_normal((samples, rank)) @ draws.standard_normal((rank, dimension))
    return X, draws.standard_normal(samples)


def windows(signals, patch_size, stride=1):
    """All windows of one-dimensional signals, ``(samples, K, patch_size)``."""
    cut = np.lib.stride_tricks.sliding_window_view(signals, patch_size, axis=1)[:, ::stride]
    return np.ascontiguousarray(cut)


def draw_patches(rng, trial, options):
    """Gaussian signals cut into all their windows: ``patches (samples, K, patch_size), y``.

    `options` names ``samples``, ``dimension`` and ``patch_size``; a row of a table does too.
    """
    X, y = draw_signals(rng, trial, options.samples, options.dimension)
    return windows(X, options.patch_size), y


def inputs_of(architecture, signals, patch_size):
    """What an architecture is trained on: windows, or whole signals for the circular one."""
    return signals if architecture == "circular" else windows(signals, patch_size)


def train_case(case, inputs, y, beta, cells=None):
    """Train an architecture of the tables to certified optimality."""
    known = dict(architecture=ARCHITECTURES[case], cells=cells)
    return train_convex(inputs, y, beta, tol=TOLERANCES.get(case, 1e-8), **known)


def solve_instances(options, rng):
    """Train an architecture to certified optimality on every instance.

    Parameters
    ----------
    options : Instances
        With a field ``case``, the architecture.
    rng : callable

    Yields
    ------
    row : dict
        Of the table.
    problem : tuple
        ``inputs, y, beta``.
    solution : Solution
    """
    for seed in step.progress(range(options.trials), label=options.case, unit="instance"):
        X, y = draw_signals(rng, seed, options.samples, options.dimension)
        inputs = inputs_of(options.case, X, options.patch_size)
        architecture = ARCHITECTURES[options.case]
        cells = enumerate_cells(inputs, architecture)
        largest = beta_max(inputs, y, architecture=architecture, cells=cells)
        for fraction in options.fractions:
            beta = fraction * largest
            solution = train_case(options.case, inputs, y, beta, cells)
            row = {
                "architecture": options.case,
                "seed": seed,
                "samples": options.samples,
                "dimension": options.dimension,
                "patches": options.dimension - options.patch_size + 1,
                "patch_size": options.patch_size,
                "beta_fraction": fraction,
                "beta": beta,
                "program": solution.program,
                "objective": solution.objective,
                "dual_bound": solution.dual_bound,
                "filters": len(solution.network.filters),
                "zero_loss": y @ y / 2,
            }
            yield row, (inputs, y, beta), solution


# Images


def row_profiles(images):
    """Means of pairs of rows, in [0, 1]: ``(samples, 14)``.

    Parameters
    ----------
    images : (samples, height, width) uint8 array
    """
    rows = np.asarray(images, dtype=float).mean(axis=2) / 255
    edges = np.linspace(0, rows.shape[1], PROFILE + 1).astype(int)
    return np.add.reduceat(rows, edges[:-1], axis=1) / np.diff(edges)


def two_classes(images, labels, classes=(0, 1)):
    """Images of two classes with y = -1 and +1, in their order.

    Raises
    ------
    ValueError
        The data set has no labels of both classes.
    """
    missing = [c for c in classes if not np.any(labels == c)]
    if missing:
        raise ValueError(
            f"labels: expected images of the classes {classes}, found none of {missing}; "
            "give a data set with labels and a test set"
        )
    chosen = np.isin(labels, classes)
    return images[chosen], np.where(labels[chosen] == classes[1], 1.0, -1.0)


def draw_split(inputs, y, samples, rng):
    """Draw a training set with as many of each class: ``inputs (samples, ...), y (samples,)``."""
    sizes = {-1: samples // 2, 1: samples - samples // 2}
    chosen = np.concatenate(
        [rng.choice(np.flatnonzero(y == sign), size, False) for sign, size in sizes.items()]
    )
    rng.shuffle(chosen)
    return inputs[chosen], y[chosen]


# What is measured


def accuracy(outputs, y):
    """Share of outputs with the label's sign; leading axes are kept."""
    return (np.sign(outputs) == y).mean(axis=-1)


def output_rank(filters, patches, pooling):
    """Rank of the outputs ``phi(u)`` of the filters, each of unit length."""
    units = filters / np.linalg.norm(filters, axis=1, keepdims=True)
    outputs = get_architecture(pooling).features(units, patches)
    return int(np.linalg.matrix_rank(outputs, tol=1e-8 * np.linalg.norm(outputs, 2)))


def correlations(directions, patches, y, pooling="average"):
    """``|y^T phi(u)|`` of directions ``(draws, h)``, each taken at unit length."""
    units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return np.abs(y @ get_architecture(pooling).features(units, patches))


# Descent


def groups(items, together=TOGETHER):
    """Lists of as many as descend together, the last one of what is left."""
    group = []
    for item in items:
        group.append(item)
        if len(group) == together:
            yield group
            group = []
    if group:
        yield group


def train_restarts(options, case, inputs, y, betas, width, rng, **more):
    """Many restarts of descent at every beta, in one batch; `more` goes to `train_baselines`.

    Parameters
    ----------
    options : Descent
    case : str
    inputs, y : sequence of ndarray
        A data set each.
    betas : sequence of sequence of float
        Those of each data set, as many for all.
    width : int
    rng : sequence of numpy Generator
        One for each data set.

    Returns
    -------
    list of (trained, rows)
        For each data set, a Baseline and ``(int, int, int, float)`` for every start: index in the
        batch, of beta and of the restart, and the objective at the end.
    """
    found = train_baselines(
        inputs,
        y,
        np.repeat(betas, options.restarts, axis=1),
        architecture=ARCHITECTURES[case],
        width=width,
        restarts=options.restarts * len(betas[0]),
        max_iter=options.steps,
        step=options.step_size,
        rng=rng,
        **more,
    )
    return [
        (
            trained,
            [
                (index, *divmod(index, options.restarts), value)
                for index, value in enumerate(trained.objective)
            ],
        )
        for trained in found
    ]


def train_stochastically(options, patches, y, beta, width, rng, **more):
    """SGD of average pooling from several starts, a Baseline."""
    return train_baseline(
        patches,
        y,
        beta,
        width=width,
        restarts=options.restarts,
        max_iter=options.steps,
        method="sgd",
        batch_size=options.batch,
        step=options.step_size,
        rng=rng,
        **more,
    )


# Networks as tables


def network_rows(filters, weights, **labels):
    """A network of average or max pooling as rows (filter, component, weight, output_weight)."""
    m, h = filters.shape
    return pd.DataFrame(
        {
            "filter_index": np.repeat(np.arange(m), h),
            "component_index": np.tile(np.arange(h), m),
            "weight": filters.ravel(),
            "output_weight": np.repeat(weights, h),
        }
    ).assign(**labels)


def network_from(rows):
    """The arrays that `network_rows` stored: ``filters (m, h), weights (m,)``."""
    filters = rows.pivot(index="filter_index", columns="component_index", values="weight")
    weights = rows.groupby("filter_index").output_weight.first()
    return filters.to_numpy(), weights.to_numpy()


def by_instance(table):
    """Rows of every instance, by its ``(architecture, seed, beta_fraction)``."""
    return dict(list(table.groupby(INSTANCE)))
