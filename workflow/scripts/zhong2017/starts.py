"""Where descent starts: at random, near the truth, or from the tensor initialisation."""

import warnings

import numpy as np

from cnntheory.zhong2017 import tensor_initialise


def draw_filters(rng, shape):
    """Standard normal filters, (..., m, p), drawn entry by entry: the order of the first runs."""
    *batch, m, p = shape
    return rng.standard_normal((*batch, p, m)).swapaxes(-1, -2)


def start_at_random(rng, shape, scale):
    """Gaussian filters, about `scale` long; shape (m, p)."""
    return scale * draw_filters(rng, shape) / np.sqrt(shape[1])


def start_near(rng, teacher, radius):
    """A start at relative distance `radius` in a random direction."""
    D = draw_filters(rng, teacher.shape)
    return teacher + radius * np.linalg.norm(teacher) * D / np.linalg.norm(D)


def start_from_tensor(patches, y, n_filters, activation):
    """Tensor initialisation; that it warns of too few samples is no news on a grid of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return tensor_initialise(patches, y, n_filters, activation).filters
