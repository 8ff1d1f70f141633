"""One task for four theories: a teacher of few filters, students of any width, several inputs.

The student is ``f(x) = sum_j a_j sum_i relu(w_j . z_i)`` over the k patches z_i of x, which are
divided by k here, so that the sum is their mean. Its output weights are ``a_j = +-(m* / m)^(1/2)``,
the signs in turn, and stay where they are: at m = m* they are the teacher's (zhong2017, du2018), in
the limit of many filters the network has a tangent kernel (allenzhu2019).
"""

from typing import NamedTuple

import numpy as np
from pydantic import Field

from cnntheory.images import extract_patches
from workflow.scripts import step
from workflow.scripts.step import Count, NonNegative

MOST_IMAGES = 5000  # of which the directions of the patches are computed: what every source has


class Task(step.Options):
    """What is learned, whatever it is learned with."""

    trials: Count = Field(description="data sets, each with its teacher and its starts")
    patches: Count = Field(description="k; of images 4, their quadrants")
    patch_size: Count = Field(description="p; of images the principal components kept")
    teacher: Count = Field(description="filters m* of the teacher, orthonormal, signs in turn")
    noise: NonNegative = Field(description="noise of the labels, in units of their deviation")


class Data(NamedTuple):
    """Data sets of one size; the patches are divided by k."""

    patches: np.ndarray  # (trials, n, k, p)
    y: np.ndarray  # (trials, n)
    teachers: np.ndarray  # (trials, m*, p)
    signs: np.ndarray  # (m*,)
    test_patches: np.ndarray  # (trials, tests, k, p)
    test_outputs: np.ndarray  # (trials, tests), without noise


def quadrants(images, p):
    """The leading `p` principal components of images' four quadrants, each of variance one.

    A linear map of patches is a linear map of filters: networks on these are convolutional
    networks on the images whose filters lie in the span of p directions.

    Returns
    -------
    ndarray, shape (images, 4, p)
    """
    images = np.asarray(images[:MOST_IMAGES]) / 255
    size = min(images.shape[1:]) // 2
    cut = extract_patches(images[:, : 2 * size, : 2 * size], size, size)
    rows = cut.reshape(-1, cut.shape[-1])
    rows = rows - rows.mean(0)
    values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
    if (rank := int((values > 1e-10 * values[-1]).sum())) < p:
        raise ValueError(f"patch_size: the images' quadrants have {rank} components, found {p}")
    # Signs as LAPACK gives them depend on the machine: the largest entry is positive.
    vectors = vectors[:, ::-1][:, :p]
    vectors *= np.sign(vectors[np.abs(vectors).argmax(0), np.arange(p)])
    return (rows @ vectors / np.sqrt(values[::-1][:p])).reshape(len(cut), 4, p)


def draw_data(options, rng, samples, tests, pool=None):
    """Data sets of `samples` inputs; a smaller one is the first inputs of it.

    Parameters
    ----------
    options : Task
    rng : callable
        ``rng(group, trial)``.
    samples, tests : int
    pool : ndarray, shape (images, k, p), optional
        Patches of images to draw from, each at most once; Gaussian ones unless given.
    """
    p, signs = options.patch_size, (-1.0) ** np.arange(options.teacher)
    if options.teacher > p:
        raise ValueError(
            f"teacher: {options.teacher} orthonormal filters do not fit into patches of {p} entries"
        )
    if pool is not None and options.patches != pool.shape[1]:
        raise ValueError(
            f"patches: an image has {pool.shape[1]} quadrants, found {options.patches}"
        )
    drawn = []
    for trial in range(options.trials):
        generator = rng("teacher", trial)
        teacher = np.linalg.qr(generator.standard_normal((p, options.teacher)))[0].T
        test, train = rng("test", trial), rng("train", trial)
        if pool is None:
            x = train.standard_normal((samples, options.patches, p))
            x_test = test.standard_normal((tests, options.patches, p))
        else:
            order = train.permutation(len(pool))
            if samples + tests > len(pool):
                raise ValueError(
                    f"samples and tests: {samples} + {tests} images asked for, {len(pool)} there"
                )
            x, x_test = pool[order[:samples]], pool[order[-tests:]]
        x, x_test = x / x.shape[1], x_test / x.shape[1]
        y, y_test = outputs(teacher, signs, x), outputs(teacher, signs, x_test)
        y = y + options.noise * y_test.std() * rng("noise", trial).standard_normal(samples)
        drawn.append((x, y, teacher, x_test, y_test))
    x, y, teachers, x_test, y_test = map(np.stack, zip(*drawn, strict=True))
    return Data(x, y, teachers, signs, x_test, y_test)


def draw_students(options, rng, width):
    """Filters (trials, m, p) and output weights (m,) of students at the start."""
    group, p = f"start {width}", options.patch_size
    filters = np.stack(
        [rng(group, trial).standard_normal((width, p)) for trial in range(options.trials)]
    )
    signs = (-1.0) ** np.arange(width)
    return filters / np.sqrt(p), signs * np.sqrt(options.teacher / width)


def balance(filters, weights):
    """The same networks with ``|w_j| = |a_j|``, which decay least; output weights by trial."""
    lengths = np.linalg.norm(filters, axis=-1)
    size = np.sqrt(lengths * np.abs(weights))
    return filters * (size / lengths)[..., None], size * np.sign(weights)


def outputs(filters, weights, patches):
    """Outputs (..., n) of networks (..., m, p), (..., m) on patches (..., n, k, p)."""
    hidden = _respond(filters, patches)
    np.maximum(hidden, 0, out=hidden)
    return _sum_patches((hidden @ weights[..., None])[..., 0], patches)


def _respond(filters, patches):
    *lead, n, k, p = patches.shape
    return patches.reshape(*lead, n * k, p) @ np.swapaxes(filters, -1, -2)


def _sum_patches(values, patches):
    return values.reshape(*patches.shape[:-1]).sum(-1)


def tangent(filters, weights, patches):
    """Derivatives (..., n, m p) of the outputs by the filters."""
    *lead, n, k, _ = patches.shape
    gate = (_respond(filters, patches) > 0).reshape(*lead, n, k, -1)
    parts = np.swapaxes(gate, -1, -2) @ patches * weights[..., None, :, None]
    return parts.reshape(*lead, n, -1)


def kernel(filters, weights, patches):
    """Tangent kernel (..., n, n) of the filters."""
    found = tangent(filters, weights, patches)
    return found @ np.swapaxes(found, -1, -2)


def residual_and_slope(filters, weights, patches, y, both=False):
    """Residuals f - y, the gradient of ``|f - y|^2 / 2`` by the filters, and by the weights.

    The latter where `both` is asked for; None elsewhere.
    """
    hidden = _respond(filters, patches)
    np.maximum(hidden, 0, out=hidden)
    residual = _sum_patches((hidden @ weights[..., None])[..., 0], patches) - y
    gate = np.greater(hidden, 0, out=hidden)
    spread = (patches * residual[..., None, None]).reshape(*gate.shape[:-1], -1)
    slope = np.swapaxes(np.swapaxes(spread, -1, -2) @ gate, -1, -2)
    # The response of a filter is its gate times its product with the patch.
    by_weights = (filters * slope).sum(-1) if both else None
    return residual, slope * weights[..., None], by_weights
