"""Teacher filters of the image experiments and the spectrum they see."""

import numpy as np


def gaussian_filter(rng, size):
    """Random Gaussian filter of ``size x size`` pixels, scaled to unit norm; ``(size**2,)``."""
    w = np.random.default_rng(rng).standard_normal(size**2)
    return w / np.linalg.norm(w)


def gabor_filter(size, orientation=np.pi / 4):
    """Gabor filter of ``size x size`` pixels, scaled to unit norm; ``(size**2,)``.

    The paper states no parameters; ours: wavelength ``size / 1.5`` pixels, envelope
    ``size / 3.5`` pixels, phase 0, aspect ratio 1.

    Parameters
    ----------
    size : int
        Pixels.
    orientation : float
        Direction of the wave, in radians from a row's towards a column's (downwards).
    """
    row, column = np.mgrid[:size, :size] - (size - 1) / 2
    along = column * np.cos(orientation) + row * np.sin(orientation)
    envelope = np.exp(-(row**2 + column**2) / (2 * (size / 3.5) ** 2))
    w = (envelope * np.cos(2 * np.pi * along / (size / 1.5))).ravel()
    return w / np.linalg.norm(w)


def active_covariance(filters, patches, block=500):
    """``E[Z_pp Z_pp^T]`` at ``w = w*`` over inputs, for many teachers at once, in blocks.

    Parameters
    ----------
    filters : (m, p) array
        Teachers.
    patches : (n, k, p) array
        uint8 is read as pixels / 255. May be memory-mapped.
    block : int
        Inputs held in memory at a time.

    Returns
    -------
    (m, p, p) ndarray, float64
    """
    n, k, p = patches.shape
    total = np.zeros((len(filters), p, p))
    scale = 255.0 if patches.dtype == np.uint8 else 1.0
    for first in range(0, n, block):
        z = patches[first : first + block].astype(np.float32) / np.float32(scale)
        rows = z.reshape(-1, p)
        active = (filters.astype(np.float32) @ rows.T > 0).reshape(len(filters), len(z), 1, k)
        mean = (
            active.transpose(1, 0, 2, 3).reshape(len(z), len(filters), k).astype(np.float32) @ z
        ) / k
        mean = mean.astype(np.float64)  # the least eigenvalues are 1e-5 of the largest
        for j in range(len(filters)):
            total[j] += mean[:, j].T @ mean[:, j]
    return total / n
