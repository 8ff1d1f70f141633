"""Starting points: random initialisation (Theorem 3.4) and starts at a given distance."""

import numpy as np
from scipy.integrate import quad
from scipy.special import betaincc, gammaln


def ball(rng, dimension, radius, size=()):
    """Points uniform in the ball of `radius` around 0, ``(*size, dimension)``."""
    rng = np.random.default_rng(rng)
    direction = rng.standard_normal((*size, dimension))
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    return radius * rng.random((*size, 1)) ** (1 / dimension) * direction


def at_distance(rng, w_star, distances):
    """Starts ``w* + r ||w*|| u`` with one random direction u shared by all distances r.

    Parameters
    ----------
    rng : numpy.random.Generator or seed
    w_star : (p,) array
    distances : (m,) array
        Relative distances r_0.

    Returns
    -------
    (m, p) ndarray
    """
    u = np.random.default_rng(rng).standard_normal(len(w_star))
    u *= np.linalg.norm(w_star) / np.linalg.norm(u)
    return w_star + np.asarray(distances)[:, None] * u


def is_good(start, w_star, alpha):
    """The event of Theorem 3.4: ``||w_0 - w*||^2 <= (1 - alpha^2) ||w*||^2``."""
    bound = (1 - alpha**2) * (w_star**2).sum(axis=-1)
    return ((start - w_star) ** 2).sum(axis=-1) <= bound


def good_probability(dimension, alpha):
    """Probability of `is_good` for w_0 uniform in the ball of radius ``alpha ||w*||``, exactly.

    With v uniform on the sphere, ``int_0^1 p r^(p-1) P(v_1 >= alpha (1 + r^2) / (2 r)) dr``, and
    ``P(v_1 >= c) = I_{1-c^2}((p-1)/2, 1/2) / 2``.

    Parameters
    ----------
    dimension : int
        p >= 2.
    alpha : float
        In (0, 1).
    """

    def integrand(r):
        c = alpha * (1 + r**2) / (2 * r)
        # The complement keeps the digits of a c whose square is lost beside 1.
        cap = 0.5 * betaincc(0.5, (dimension - 1) / 2, c**2)
        return dimension * r ** (dimension - 1) * cap

    # Below this radius the cap is empty: alpha (1 + r^2) / (2 r) > 1.
    lowest = alpha / (1 + np.sqrt(1 - alpha**2))
    return quad(integrand, lowest, 1, epsabs=1e-12, epsrel=1e-10, limit=200)[0]


def paper_bound(dimension, alpha):
    """Lower bound of Theorem 3.4 as we reconstruct it: ``1/2 - alpha sqrt(pi p / 2)``."""
    return 0.5 - alpha * np.sqrt(np.pi * dimension / 2)


def sharper_bound(dimension, alpha):
    """Lower bound ``1/2 - alpha V_{p-1} / V_p`` with V the volume of the unit ball.

    The event misses the half-ball by at most a slab of height alpha^2 times the base disc; about
    ``1/2 - alpha sqrt(p / (2 pi))``.
    """
    log_ratio = gammaln(dimension / 2 + 1) - gammaln((dimension - 1) / 2 + 1)
    return 0.5 - alpha * np.exp(log_ratio) / np.sqrt(np.pi)


def unscaled_bound(dimension, alpha):
    """The paper's bound without its factor sqrt(p): false for large p, a control."""
    return 0.5 - alpha * np.sqrt(np.pi / 2) + 0 * dimension
