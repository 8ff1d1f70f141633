"""Instances that the steps of Ergen & Pilanci (2021) share, and networks as rows of a table."""

from pathlib import Path

import numpy as np
import pandas as pd

from cnntheory.ergen2021.baselines import train_baseline
from cnntheory.ergen2021.network import features
from workflow.scripts import step

# Length of a row profile: 28 row means, averaged in pairs.
PROFILE = 14
# Relative duality gap that the instances are solved to, where claims speak of 1e-8.
TOLERANCE = 1e-10


def draw_signals(seed, trial, samples, dimension):
    """Gaussian signals and labels: ``X (samples, dimension), y (samples,)``.

    Every step that names the same sizes and trial draws the same instance.
    """
    rng = step.generator(seed, "ergen2021", f"{samples} x {dimension}", trial)
    return rng.standard_normal((samples, dimension)), rng.standard_normal(samples)


def windows(signals, patch_size, stride=1):
    """All windows of one-dimensional signals, ``(samples, K, patch_size)``."""
    cut = np.lib.stride_tricks.sliding_window_view(signals, patch_size, axis=1)[:, ::stride]
    return np.ascontiguousarray(cut)


def draw_patches(seed, trial, samples, dimension, patch_size):
    """Gaussian signals cut into all their windows: ``patches (samples, K, patch_size), y``."""
    X, y = draw_signals(seed, trial, samples, dimension)
    return windows(X, patch_size), y


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


def two_digits(paths):
    """Training and test images of the digits 0 and 1, ``(images, y), (images, y)``.

    Parameters
    ----------
    paths : sequence of path
        The files train_images, train_labels, test_images, test_labels.
    """
    arrays = {Path(path).stem: np.load(path, mmap_mode="r") for path in paths}
    return tuple(
        two_classes(arrays[f"{split}_images"], arrays[f"{split}_labels"])
        for split in ("train", "test")
    )


def profiles_of(paths):
    """As `two_digits`, the images as row profiles."""
    return tuple((row_profiles(images), y) for images, y in two_digits(paths))


def draw_split(inputs, y, samples, rng):
    """Draw a training set with as many of each class: ``inputs (samples, ...), y (samples,)``."""
    sizes = {-1: samples // 2, 1: samples - samples // 2}
    chosen = np.concatenate(
        [rng.choice(np.flatnonzero(y == sign), size, False) for sign, size in sizes.items()]
    )
    rng.shuffle(chosen)
    return inputs[chosen], y[chosen]


def accuracy(outputs, y):
    """Share of outputs with the label's sign; leading axes are kept."""
    return (np.sign(outputs) == y).mean(axis=-1)


def output_rank(filters, patches, pooling):
    """Rank of the outputs ``phi(u)`` of the filters, each of unit length."""
    units = filters / np.linalg.norm(filters, axis=1, keepdims=True)
    outputs = features(units, patches, pooling)
    return int(np.linalg.matrix_rank(outputs, tol=1e-8 * np.linalg.norm(outputs, 2)))


def correlations(directions, patches, y, pooling="average"):
    """``|y^T phi(u)|`` of directions ``(draws, h)``, each taken at unit length."""
    units = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return np.abs(y @ features(units, patches, pooling))


def train_restarts(args, kind, inputs, y, betas, width, rng):
    """Many restarts of descent at every beta, in one batch.

    Returns
    -------
    trained : Baseline
    rows : list of (int, int, int, float)
        Index in the batch, of beta and of the restart, and the objective at the end.
    """
    trained = train_baseline(
        kind,
        inputs,
        y,
        np.repeat(betas, args.restarts),
        width=width,
        restarts=args.restarts * len(betas),
        steps=args.steps,
        learning_rate=args.step_size,
        rng=rng,
    )
    ends = enumerate(trained.objective)
    return trained, [(index, *divmod(index, args.restarts), value) for index, value in ends]


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
