"""Gradient descent on all trials at once: one array of iterates, the trials on its leading axes.

The algorithm yields iterates and something else measures them, so full-batch and stochastic
descent, constant and adaptive steps, are the same four lines. NumPy arrays and torch tensors both
work: only ``-`` and ``*`` are used.
"""

import numpy as np


def gradient_descent(gradient, start, step):
    """Yield the iterates ``w_0 = start``, ``w_{t+1} = w_t - step * gradient(w_t)``, without end.

    Parameters
    ----------
    gradient : callable
        ``gradient(w)`` of the shape of `w`. For stochastic descent let it draw its own batch, for
        instance ``lambda w: empirical_gradient(w, w_star, z[next(batches)])``.
    start : (..., p) array or tensor
        Starting points; the leading axes are trials.
    step : float, array or callable
        Step size eta, broadcast against the gradient (shape ``(..., 1)`` for one per trial), or
        ``step(w)`` returning it.

    Yields
    ------
    (..., p) array or tensor
        The iterate; not to be changed in place.
    """
    w = start
    while True:
        yield w
        eta = step(w) if callable(step) else step
        w = w - eta * gradient(w)


def hitting_times(iterates, error, tol, max_iter):
    """First iteration at which each trial's error is at most `tol`.

    Parameters
    ----------
    iterates : iterator
        From `gradient_descent`.
    error : callable
        ``error(w)`` of the shape of the trials.
    tol : float or array
        Threshold, broadcast against the errors.
    max_iter : int
        Last iteration looked at.

    Returns
    -------
    float ndarray
        Iteration numbers; ``inf`` for a trial that did not get there within `max_iter`.

    Raises
    ------
    ValueError
        The iterates end before `max_iter`.
    """
    times = None
    for t, w in enumerate(iterates):
        hit = error(w) <= tol
        if times is None:
            times = np.full(hit.shape, np.inf)
        times[hit & np.isinf(times)] = t
        if t == max_iter or np.isfinite(times).all():
            return times
    raise ValueError(f"the iterates ended before iteration {max_iter}")


def minibatches(rng, samples, size):
    """Yield index arrays of mini-batches for ever: each epoch is a fresh permutation.

    Parameters
    ----------
    rng : numpy.random.Generator or seed
        Source of the permutations.
    samples : int
        Number of samples n; a last batch of fewer than `size` indices is left out.
    size : int
        Mini-batch size, at most `samples`.

    Yields
    ------
    (size,) int ndarray

    Raises
    ------
    ValueError
        With the first batch, if `size` is not in 1 to `samples`.
    """
    if not 1 <= size <= samples:
        raise ValueError(
            f"mini-batch size is {size}, expected 1 to the number of samples {samples}"
        )
    rng = np.random.default_rng(rng)
    while True:
        order = rng.permutation(samples)
        for first in range(0, samples - size + 1, size):
            yield order[first : first + size]
