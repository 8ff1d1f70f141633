"""Inputs as the theory asks for them: unit norm, a constant last coordinate, pairwise apart.

Source: Allen-Zhu, Li & Song, section 2; the constant coordinate as we understand it.
"""

import numpy as np


def pool(images, side=14):
    """Average pooling of square images.

    Parameters
    ----------
    images : (..., height, height) array
    side : int
        Side of the pooled images, a divisor of the height.

    Returns
    -------
    (..., side, side) ndarray of float64

    Raises
    ------
    ValueError
        `images` are not square, or `side` does not divide their side.
    """
    *lead, height, width = images.shape
    if height != width or height % side:
        raise ValueError(
            f"images: expected squares of a multiple of {side}, got {height} x {width}"
        )
    blocks = images.reshape(*lead, side, height // side, side, width // side)
    return blocks.mean(axis=(-3, -1), dtype=np.float64)


def prepare(vectors):
    """Centre a set of vectors, scale them to norm 1/sqrt(2) and append 1/sqrt(2).

    Centring removes the large eigenvalue of the tangent kernel that the mean image causes.

    Parameters
    ----------
    vectors : (..., n, p) array
        Sets of n vectors, e.g. pixels.

    Returns
    -------
    (..., n, p + 1) ndarray
        Unit vectors whose last coordinate is 1/sqrt(2).

    Raises
    ------
    ValueError
        A vector equals the mean of its set, so that it has no direction.
    """
    z = np.asarray(vectors, dtype=np.float64)
    return pad(z - z.mean(axis=-2, keepdims=True))


def pad(vectors):
    """``x = (z / (sqrt(2) ||z||), 1 / sqrt(2))`` of vectors z, ``(..., n, p)``."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    if not (norms > 0).all():
        raise ValueError("vectors: one of them is zero after centring; leave it out")
    return np.concatenate([vectors / norms, np.ones_like(norms)], axis=-1) / np.sqrt(2)


def separation(x):
    """Least distance delta between two of the inputs ``(..., n, p)``: an array ``(...)``."""
    squares = (x**2).sum(axis=-1)
    gram = x @ np.swapaxes(x, -1, -2)
    distances = squares[..., :, None] + squares[..., None, :] - 2 * gram
    n = x.shape[-2]
    distances[..., np.arange(n), np.arange(n)] = np.inf
    return np.sqrt(np.maximum(distances, 0).min(axis=(-1, -2)))


def pairs(rng, count, dimension, distances):
    """Random pairs of inputs at given distances, the same pairs turned apart further and further.

    Parameters
    ----------
    rng : numpy.random.Generator or seed
    count : int
        Number of pairs.
    dimension : int
        p, without the constant coordinate.
    distances : sequence of float
        Wanted ``||x - x'||`` of a pair, between 0 and sqrt(2).

    Returns
    -------
    x : (len(distances), 2 * count, dimension + 1) ndarray
        The members of a pair follow each other.
    y : (2 * count,) ndarray
        Labels, +1 and -1 in every pair.

    Raises
    ------
    ValueError
        A distance is out of range.
    """
    distances = np.asarray(distances, dtype=float)
    if not ((distances >= 0) & (distances <= np.sqrt(2))).all():
        raise ValueError(f"distances: expected 0 to sqrt(2), got {distances.tolist()}")
    base, turn = np.random.default_rng(rng).standard_normal((2, count, dimension))
    base /= np.linalg.norm(base, axis=1, keepdims=True)
    turn -= (turn * base).sum(axis=1, keepdims=True) * base
    turn /= np.linalg.norm(turn, axis=1, keepdims=True)
    # On the sphere of radius 1/sqrt(2) the chord of an angle is sqrt(2) sin(angle / 2).
    angles = 2 * np.arcsin(distances / np.sqrt(2))[:, None, None]
    partner = np.cos(angles) * base + np.sin(angles) * turn
    z = np.stack([np.broadcast_to(base, partner.shape), partner], axis=2)
    return pad(z.reshape(len(distances), 2 * count, dimension)), np.tile([1.0, -1.0], count)
