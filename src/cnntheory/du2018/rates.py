"""Step sizes and contraction factors of Theorems 2.2 and 3.1."""

import numpy as np


def distance_angle(distance):
    """``phi_t = arcsin(||w_t - w*|| / ||w*||)``, an upper bound on the angle theta(w_t, w*).

    Parameters
    ----------
    distance : array
        Relative distances. The bound is of use below 1; from there on pi/2 is returned.
    """
    return np.arcsin(np.minimum(distance, 1.0))


def theorem_step(gamma, lipschitz, beta, l_cross=0.0):
    """Largest step that the theorem allows at one angle.

    ``(gamma - 6 L_cross) / (2 (L + 10 L_cross + 4 beta)^2)``: Theorem 3.1; with ``l_cross = 0``
    Theorem 2.2. The theorem takes the least over the angles up to phi_t.

    Parameters
    ----------
    gamma, lipschitz : array
        gamma(phi) and L(phi).
    beta, l_cross : float

    Returns
    -------
    ndarray
        Not positive where the condition ``gamma > 6 L_cross`` fails.
    """
    return (gamma - 6 * l_cross) / (2 * (lipschitz + 10 * l_cross + 4 * beta) ** 2)


def step_table(constants, beta, l_cross=0.0, angles=2001):
    """Theorem's step as a function of phi_t: ``step(phi)`` and ``gamma(phi)`` non-increasing.

    Parameters
    ----------
    constants : callable
        ``constants(phi)`` returning gamma, L, wrong (see `cnntheory.du2018.smoothness`).
    beta, l_cross : float
    angles : int
        Grid points on [0, pi/2].

    Returns
    -------
    step, gamma : callables
        Each takes angles in [0, pi/2] and returns the least value over the angles up to there;
        the value at the grid point above, so that no step exceeds the theorem's by more than a
        minimum between two grid points can.
    """
    phi = np.linspace(0, np.pi / 2, angles)
    gamma, lipschitz, _ = constants(phi)
    steps = np.minimum.accumulate(theorem_step(gamma, lipschitz, beta, l_cross))
    gamma = np.minimum.accumulate(gamma)

    def look_up(values):
        return lambda angle: values[np.searchsorted(phi, np.minimum(angle, phi[-1]))]

    return look_up(steps), look_up(gamma)


def guaranteed_drop(step, gamma, l_cross=0.0, sharper=False):
    """Guaranteed relative drop of ``||w - w*||^2`` in one step.

    ``eta (gamma - 6 L_cross) / 2`` as the theorems state, or 3/2 in place of 1/2, which the same
    proof gives (`sharper`).
    """
    return (1.5 if sharper else 0.5) * step * (gamma - 6 * l_cross)
