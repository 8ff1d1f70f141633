"""Where descent starts: at random, near the truth, or from the tensor initialisation."""

import warnings

import numpy as np

from cnntheory.zhong2017 import tensor_initialise


def start_at_random(rng, shape, scale):
    """Gaussian kernels, about `scale` long; shape (k, t)."""
    return scale * rng.standard_normal(shape) / np.sqrt(shape[0])


def start_near(rng, teacher, radius):
    """A start at relative distance `radius` in a random direction."""
    D = rng.standard_normal(teacher.shape)
    return teacher + radius * np.linalg.norm(teacher) * D / np.linalg.norm(D)


def start_from_tensor(x, y, shape, activation):
    """Tensor initialisation; that it warns of too few samples is no news on a grid of them."""
    k, t = shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return tensor_initialise(x, y, t, k, activation)
