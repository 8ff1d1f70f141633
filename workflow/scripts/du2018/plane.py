"""Population descent in the plane, w* = e_1: what the steps that follow it share."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cnntheory.du2018.laws import mixture
from cnntheory.du2018.neuron import gaussian_gradient, neuron_gradient, signed_angle
from cnntheory.du2018.smoothness import (
    GAUSSIAN_BETA,
    angular_beta,
    angular_constants,
    angular_moments,
    gaussian_constants,
)

W_STAR = np.array([1.0, 0.0])
SMALLEST = 1e-6  # below, the drop of the distance is dominated by rounding


class Problem(NamedTuple):
    """One neuron under a law of the inputs: the gradient, gamma, L and beta."""

    gradient: Callable
    constants: Callable
    beta: float


def gaussian_problem():
    """Gaussian inputs."""
    return Problem(lambda w: gaussian_gradient(w, W_STAR), gaussian_constants, GAUSSIAN_BETA)


def mixture_problem(sigma):
    """Inputs of unit norm at a spread sigma around w* and -w*."""
    law = mixture(sigma)
    return Problem(
        lambda w: neuron_gradient(w, W_STAR, *angular_moments(law, signed_angle(w))),
        lambda phi: angular_constants(law, phi),
        angular_beta(law),
    )


def distance(w):
    """``||w - w*||``, which is in units of ``||w*||``."""
    return np.linalg.norm(w - W_STAR, axis=-1)


def random_directions(rng, trials):
    """A direction from w* for every trial, ``(trials, 2)``."""
    turns = [rng("starts", trial).uniform(-np.pi, np.pi) for trial in range(trials)]
    return np.stack([np.cos(turns), np.sin(turns)], axis=-1)


def random_starts(rng, trials, nearest, farthest):
    """A start for every trial, at a random distance in a random direction from w*."""
    start = []
    for trial in range(trials):
        draws = rng("starts", trial)
        turn, far = draws.uniform(-np.pi, np.pi), draws.uniform(nearest, farthest)
        start.append(W_STAR + far * np.array([np.cos(turn), np.sin(turn)]))
    return np.array(start)
