"""Activations as objects that know the Gaussian expectations of the theory of Zhong et al.

For one standard normal ``z`` they all reduce to

    alpha_q(s) = E[phi'(s z) z^q],   beta_q(s) = E[phi'(s z)^2 z^q],   gamma_0(s) = E[phi(s z)],

because Stein's identity gives ``gamma_j = s alpha_{j-1} + (j-1) gamma_{j-2}`` and
``m_j = E[phi(s z) He_j(z)] = s E[phi'(s z) He_{j-1}(z)]``. They are closed for the piecewise
homogeneous activations (`Homogeneous`) and for ``erf``; the other analytic ones (`Analytic`) use
the trapezoidal rule, which converges exponentially once its spacing resolves the distance of the
nearest pole, a distance that shrinks like ``1 / s``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, expit
from scipy.special import gamma as gamma_function

# exp(-_RANGE^2 / 2) is 5e-20: what a normal leaves outside is below double precision.
_RANGE = 9.4

# m_1 of a bounded activation is flat to within sampling noise beyond this magnitude.
_CEILING = 10.0

# From so many numbers on, torch's loops over elements, which use the processor's vector
# instructions where those of numpy and scipy do not, repay their calls; no less exact.
_MANY = 2000

# Gauss-Legendre is exact for the trigonometric polynomials (degree at most 10) on an arc.
_ARC_NODES, _ARC_WEIGHTS = np.polynomial.legendre.leggauss(24)


def as_activation(activation: str | Activation) -> Activation:
    """Resolve an activation given by its name or as an object.

    Parameters
    ----------
    activation : str or Activation
        A key of `ACTIVATIONS`, or an object of one's own.

    Returns
    -------
    Activation

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if isinstance(activation, Activation):
        return activation
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise ValueError(
            f"activation: expected one of {', '.join(ACTIVATIONS)}, found {activation!r}; "
            "pass one of these names or an Activation"
        )
    return ACTIVATIONS[activation]


@dataclass(frozen=True)
class Activation(ABC):
    """An activation ``phi`` and its expectations under a standard normal ``z``.

    What the kinds `Homogeneous` and `Analytic` share; `ACTIVATIONS` holds the named ones.

    Parameters
    ----------
    name : str

    References
    ----------
    Zhong, Song, Jain, Bartlett & Dhillon, arXiv 1706.03175: ``alpha``, ``beta`` and ``gamma`` are
    the quantities inside its ``rho`` and its moments.
    """

    name: str

    @property
    @abstractmethod
    def smooth(self) -> bool:
        """Whether ``phi'`` has no jump, so that the loss has a Hessian everywhere."""

    @property
    @abstractmethod
    def has_kernel(self) -> bool:
        """Whether `kernel` is closed."""

    @abstractmethod
    def derivatives(self, z: np.ndarray) -> Iterable[np.ndarray]:
        """Yield ``phi(z)``, ``phi'(z)`` and ``phi''(z)``."""

    def __call__(self, z: ArrayLike, derivative: int = 0) -> np.ndarray:
        """Evaluate ``phi`` or one of its first two derivatives.

        Parameters
        ----------
        z : array_like
            Arguments, any shape.
        derivative : {0, 1, 2}, optional
            Order of the derivative. At a kink the left value is returned, and the point mass that
            the second derivative of a ReLU has there is left out.

        Returns
        -------
        ndarray
            Values, the shape of `z`.

        Raises
        ------
        ValueError
            If the order is none of these.
        """
        if derivative not in (0, 1, 2):
            raise ValueError(f"derivative: expected 0, 1 or 2, found {derivative!r}")
        return self.jet(z, derivative)[derivative]

    def jet(self, z: ArrayLike, order: int = 2) -> tuple[np.ndarray, ...]:
        """``phi`` and its derivatives up to `order`, a tuple of arrays that share what they can."""
        return tuple(islice(self.derivatives(np.asarray(z, dtype=float)), order + 1))

    def alpha(self, q: int, sigma: ArrayLike) -> np.ndarray:
        """``alpha_q(sigma) = E[phi'(sigma z) z^q]`` at each magnitude, of at least 0."""
        return self._slope_moment(q, _check_magnitude(sigma), power=1)

    def beta(self, q: int, sigma: ArrayLike) -> np.ndarray:
        """``beta_q(sigma) = E[phi'(sigma z)^2 z^q]`` at each magnitude, of at least 0."""
        return self._slope_moment(q, _check_magnitude(sigma), power=2)

    def gamma(self, j: int, sigma: ArrayLike) -> np.ndarray:
        """``gamma_j(sigma) = E[phi(sigma z) z^j]`` at each magnitude, of at least 0."""
        s = _check_magnitude(sigma)
        if j == 0:
            return self._mean(s)
        first = s * self.alpha(j - 1, s)
        return first if j == 1 else first + (j - 1) * self.gamma(j - 2, s)

    def hermite(self, j: int, sigma: ArrayLike) -> np.ndarray:
        """``m_j(sigma) = E[phi(sigma z) He_j(z)]``, the weight of one filter in the moment ``M_j``.

        Parameters
        ----------
        j : {1, 2, 3, 4}
            Order of the moment.
        sigma : array_like
            Magnitudes ``|w|``, at least 0.

        Returns
        -------
        ndarray
            One value for each magnitude; exactly zero where symmetry makes the moment vanish.

        Raises
        ------
        ValueError
            If the order is none of these, or a magnitude is negative or not finite.

        References
        ----------
        Zhong et al., arXiv 1706.03175, the weights of its moments, there written
        ``m_1 = gamma_1``, ``m_2 = gamma_2 - gamma_0``,
        ``m_3 = gamma_3 - 3 gamma_1``, ``m_4 = gamma_4 + 3 gamma_0 - 6 gamma_2``.
        """
        if j not in (1, 2, 3, 4):
            raise ValueError(f"j: expected 1, 2, 3 or 4, found {j!r}")
        s = _check_magnitude(sigma)
        return np.zeros(s.shape) if j in self.vanishing else self._hermite(j, s)

    def _hermite(self, j, sigma):
        slope = self.alpha(j - 1, sigma)
        if j > 2:  # He_2 = z^2 - 1, He_3 = z^3 - 3 z
            slope = slope - (1 if j == 3 else 3) * self.alpha(j - 3, sigma)
        return sigma * slope

    @cached_property
    def vanishing(self) -> tuple[int, ...]:
        """Orders j, of 1 to 4, at which ``m_j`` is zero for every magnitude."""
        sigma = np.array([0.7, 1.3])
        rounding = 1e-9 * max(abs(self.alpha(q, sigma)).max() for q in range(4))
        return tuple(j for j in (1, 2, 3, 4) if abs(self._hermite(j, sigma)).max() < rounding)

    @property
    def orders(self) -> tuple[int, int]:
        """Orders ``(j_2, j_3)`` of the moments that carry the span of filters and their directions.

        The smallest order of at least 2, and of at least 3, whose moment does not vanish.

        Raises
        ------
        ValueError
            If the filters cannot be identified: a linear network shows only the sum of its
            filters, and an even activation hides their signs (``m_1 = 0``).
        """
        third = [j for j in (3, 4) if j not in self.vanishing]
        if not third or 1 in self.vanishing:
            reason = "is even" if 1 in self.vanishing else "is linear"
            raise ValueError(
                f"activation: expected one whose filters are identifiable, found {self.name!r}, "
                f"which {reason}; use a non-linear activation that is not even, such as "
                "'squared_relu'"
            )
        return min(j for j in (2, 3) if j not in self.vanishing), third[0]

    def rho(self, sigma: ArrayLike) -> np.ndarray:
        """Non-linearity ``rho(sigma)`` that bounds the Hessian at the truth from below.

        The least of the first three `rho_terms` at each magnitude, of at least 0. Zhong et al.,
        arXiv 1706.03175, the property of non-linearity.
        """
        return self.rho_terms(sigma)[:3].min(axis=0)

    def rho_terms(self, sigma: ArrayLike) -> np.ndarray:
        """What `rho` is the least of, shape (4, ...), and apart a fourth term.

        ``beta_0 - alpha_0^2 - alpha_1^2``, ``beta_2 - alpha_1^2 - alpha_2^2``,
        ``alpha_0 alpha_2 - alpha_1^2``, and ``alpha_0^2``, which the paper on convolutional
        networks is understood to add and which binds for no activation here but ``cubic``.
        """
        a0, a1, a2 = (self.alpha(q, sigma) for q in (0, 1, 2))
        b0, b2 = (self.beta(q, sigma) for q in (0, 2))
        return np.stack([b0 - a0**2 - a1**2, b2 - a1**2 - a2**2, a0 * a2 - a1**2, a0**2])

    def magnitude(self, first_moment: ArrayLike, ceiling: float) -> tuple[np.ndarray, np.ndarray]:
        """Invert ``m_1``: magnitudes with ``m_1(|w|) = first_moment``, and which met the ceiling.

        ``m_1`` saturates for bounded activations, so that noise can ask for an infinite filter.
        """
        target = np.asarray(first_moment, dtype=float)
        clipped = target >= self.hermite(1, ceiling)
        result = np.full(target.shape, float(ceiling))
        result[~clipped] = self._inverse(target[~clipped], ceiling)
        return result, clipped

    def ceiling(self, M_1: np.ndarray, mean: float, n_filters: int) -> float:
        """Largest credible ``|w_l|``.

        Parameters
        ----------
        M_1 : ndarray, shape (p,)
            First moment.
        mean : float
            Mean of the labels for one patch, ``sum_l gamma_0(|w_l|)``.
        n_filters : int

        Returns
        -------
        float
            Unless ``m_1`` grows without bound 10, beyond which it is flat to within sampling noise.
            Otherwise the larger of two scales: the magnitude whose ``m_1`` is three times
            ``|M_1|``, and, where ``gamma_0`` grows, one and a half times the magnitude that a
            single filter would need to make up the mean alone, which none exceeds but by noise.
        """
        return _CEILING

    @abstractmethod
    def plane_moments(self, a, b, angle, derivatives):
        """Expectations of ``f(a z_1) g(b (cos z_1 + sin z_2))`` against ``1`` and ``z z^T``.

        Parameters
        ----------
        a, b, angle : ndarray, shape (pairs,)
            Magnitudes of the two filters and the angle between them, in [0, pi].
        derivatives : pair of {0, 1, 2, None}
            f and g as orders of derivative of the activation; None stands for the constant 1.

        Returns
        -------
        c : ndarray, shape (pairs,)
            ``E[f g]``.
        A : ndarray, shape (pairs, 2, 2)
            ``E[f g z z^T]``.
        """

    def kernel(self, U: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``sum_jl K(u_j, v_l)``, ``K(u, v) = E[phi(u^T z) phi(v^T z)]``, where it is closed.

        Parameters
        ----------
        U, V : ndarray, shape (..., m, p) and (..., q, p)
            Non-zero rows.

        Returns
        -------
        value : ndarray, shape (...)
        slope : ndarray, shape (..., m, p)
            Gradient in U of the first argument alone.

        References
        ----------
        ReLU: Cho & Saul, "Kernel methods for deep learning" (2009); erf: Williams, "Computing with
        infinite networks" (1996).
        """
        closed = ", ".join(name for name, known in ACTIVATIONS.items() if known.has_kernel)
        raise ValueError(
            f"activation: expected one of {closed}, found {self.name!r}; use a large sample"
        )

    @abstractmethod
    def _slope_moment(self, q, sigma, power):
        """``E[phi'(sigma z)^power z^q]``."""

    @abstractmethod
    def _mean(self, sigma):
        """``E[phi(sigma z)]``."""

    @abstractmethod
    def _inverse(self, first_moment, ceiling):
        """Magnitudes below `ceiling` with ``m_1(|w|) = first_moment``."""


@dataclass(frozen=True)
class Homogeneous(Activation):
    """``positive * z^degree`` on the right of zero and ``negative * |z|^degree`` on the left.

    Parameters
    ----------
    name : str
    degree : int
        At least 1.
    positive, negative : float
        Coefficients of the two sides.
    """

    degree: int
    positive: float
    negative: float

    @property
    def smooth(self):
        return self.degree > 1 or self.negative == -self.positive

    @property
    def has_kernel(self):
        return self.degree == 1

    def pieces(self, derivative: int) -> tuple[int, float, float]:
        """Degree and the two coefficients of a derivative, but for a point mass at zero."""
        degree, positive, negative = self.degree, self.positive, self.negative
        for _ in range(derivative):
            # d|z|/dz is -1 on the left; a constant differentiates to zero and keeps degree 0.
            degree, positive, negative = max(degree - 1, 0), degree * positive, -degree * negative
        return degree, positive, negative

    def derivatives(self, z):
        return (_piecewise_power(z, *self.pieces(order)) for order in range(3))

    def _slope_moment(self, q, sigma, power):
        degree, positive, negative = self.pieces(1)
        degree *= power
        sides = positive**power + negative**power * (-1) ** q
        return sigma**degree * (sides * _half_moment(degree + q))

    def _mean(self, sigma):
        sides = self.positive + self.negative
        return sigma**self.degree * (sides * _half_moment(self.degree))

    def _inverse(self, first_moment, ceiling):
        return (first_moment / self.hermite(1, 1.0)) ** (1 / self.degree)

    def ceiling(self, M_1, mean, n_filters):
        scale = 3 * np.linalg.norm(M_1) / self.hermite(1, 1.0)
        unit_mean = self.gamma(0, 1.0)
        if unit_mean > 0:
            scale = max(scale, 1.5**self.degree * mean / unit_mean)
        return float(scale ** (1 / self.degree))

    def kernel(self, U, V):
        if not self.has_kernel:
            return super().kernel(U, V)
        # phi(z) = leak z + gain relu(z), and E[z_u relu(z_v)] is half the linear kernel.
        leak, gain = -self.negative, self.positive + self.negative
        value, slope = _arc_cosine_kernel(U, V)
        total = V.sum(axis=-2)
        linear = (U.sum(axis=-2) * total).sum(axis=-1)
        share = leak * self.positive
        return share * linear + gain**2 * value, share * total[..., None, :] + gain**2 * slope

    def plane_moments(self, a, b, angle, derivatives):
        # Polar coordinates: radial moments are closed, quadrature goes arc by arc between kinks.
        (p, *f_sides), (q, *g_sides) = (
            (0, 1.0, 1.0) if order is None else self.pieces(order) for order in derivatives
        )
        zero = np.zeros_like(angle)
        kinks = np.stack([zero - np.pi / 2, angle - np.pi / 2, zero + np.pi / 2, angle + np.pi / 2])
        edges = np.concatenate([kinks, kinks[:1] + 2 * np.pi])
        half = np.diff(edges, axis=0) / 2  # (arcs, pairs)
        directions = (edges[:-1] + half)[..., None] + half[..., None] * _ARC_NODES
        cos, sin = np.cos(directions), np.sin(directions)
        value = half[..., None] * _ARC_WEIGHTS / (2 * np.pi)
        value *= _piecewise_power(cos, p, *f_sides)
        value *= _piecewise_power(np.cos(directions - angle[:, None]), q, *g_sides)

        def total(h):
            return (value * h).sum(axis=(0, 2)) * a**p * b**q

        A = np.stack([total(cos**2), total(cos * sin), total(cos * sin), total(sin**2)], axis=-1)
        # The radius is independent of the angle, with E|z|^m = 2^(m/2) Gamma(m/2 + 1).
        return (
            total(1.0) * _radial_moment(p + q),
            A.reshape(-1, 2, 2) * _radial_moment(p + q + 2),
        )


@dataclass(frozen=True)
class Analytic(Activation):
    """An activation that is analytic in a strip around the real axis.

    One of your own is a subclass with a method ``derivatives``.

    Parameters
    ----------
    name : str
    pole : float
        Distance of the nearest singularity of phi from the real axis.
    mean : float, optional
        ``E[phi(sigma z)]`` where it does not depend on sigma.
    """

    pole: float
    mean: float | None = None

    smooth = True
    has_kernel = False

    def plane_moments(self, a, b, angle, derivatives):
        c, A = np.empty(len(angle)), np.empty((len(angle), 2, 2))
        nodes, weights = self.quadrature(max(a.max(), b.max()))
        powers = weights * np.stack([np.ones_like(nodes), nodes, nodes**2])

        def evaluate(z, derivative):
            return np.ones_like(z) if derivative is None else self(z, derivative)

        for i in range(len(angle)):
            f = evaluate(a[i] * nodes, derivatives[0])
            direction = np.cos(angle[i]) * nodes[:, None] + np.sin(angle[i]) * nodes
            g = evaluate(b[i] * direction, derivatives[1])
            moments = (powers * f) @ g @ powers.T  # E[f g z_1^row z_2^column]
            c[i] = moments[0, 0]
            A[i] = [[moments[2, 0], moments[1, 1]], [moments[1, 1], moments[0, 2]]]
        return c, A

    def quadrature(self, scale: float) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and standard normal weights of a trapezoidal rule exact at magnitude `scale`.

        ``weights @ f(nodes)`` is ``E[f(z)]``. The rule's error is ``exp(-2 pi d / h)`` for a pole
        at distance ``d = pole / scale``, and the normal density itself asks for ``h <= 1/4`` (its
        own error is then ``exp(-2 pi^2 / h^2)``).
        """
        spacing = min(0.25, 2 * np.pi * (self.pole / max(scale, 1e-300)) / 42)
        half = int(np.ceil(_RANGE / spacing))
        nodes = spacing * np.arange(-half, half + 1)
        return nodes, spacing * np.exp(-(nodes**2) / 2) / np.sqrt(2 * np.pi)

    def _slope_moment(self, q, sigma, power):
        nodes, weights = self.quadrature(sigma.max(initial=0.0))
        return self(sigma[..., None] * nodes, 1) ** power @ (weights * nodes**q)

    def _mean(self, sigma):
        if self.mean is not None:
            return np.full(sigma.shape, self.mean)
        nodes, weights = self.quadrature(sigma.max(initial=0.0))
        return self(sigma[..., None] * nodes) @ weights

    def _inverse(self, first_moment, ceiling):
        from scipy.optimize import brentq  # much of the start-up otherwise

        return [brentq(lambda s, v=v: self.hermite(1, s) - v, 0.0, ceiling) for v in first_moment]


class Sigmoid(Analytic):
    """``1 / (1 + exp(-z))``."""

    def derivatives(self, z):
        value = _elements(expit, "sigmoid", z)
        yield value
        slope = value * (1 - value)
        yield slope
        yield slope * (1 - 2 * value)


class Tanh(Analytic):
    """``tanh(z)``."""

    def derivatives(self, z):
        value = _elements(np.tanh, "tanh", z)
        yield value
        slope = 1 - value * value
        yield slope
        yield -2 * value * slope


class Softplus(Analytic):
    """``log(1 + exp(z))``: above the ReLU, and with the same ``m_1``."""

    def derivatives(self, z):
        yield np.logaddexp(0.0, z)
        slope = _elements(expit, "sigmoid", z)
        yield slope
        yield slope * (1 - slope)

    def _inverse(self, first_moment, ceiling):
        return 2 * first_moment

    def ceiling(self, M_1, mean, n_filters):
        # Above the ReLU by at most phi(0): its scales bound these.
        return ACTIVATIONS["relu"].ceiling(M_1, mean - (n_filters - 1) * self.gamma(0, 0.0), 1)


class Erf(Analytic):
    """The integral of ``exp(-z^2)``. No pole; its Gaussian expectations are closed."""

    has_kernel = True

    def derivatives(self, z):
        yield np.sqrt(np.pi) / 2 * _elements(erf, "erf", z)
        slope = _elements(np.exp, "exp", -(z**2))
        yield slope
        yield -2 * z * slope

    def _slope_moment(self, q, sigma, power):
        even = 0.0 if q % 2 else 2 * _half_moment(q)
        return even * (1 + 2 * power * sigma**2) ** (-(q + 1) / 2)

    def _inverse(self, first_moment, ceiling):
        return first_moment / np.sqrt(1 - 2 * first_moment**2)

    def plane_moments(self, a, b, angle, derivatives):
        if derivatives != (1, 1):
            return super().plane_moments(a, b, angle, derivatives)
        # A Gaussian integral with precision I + 2 u u^T + 2 v v^T.
        v = b[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        precision = np.eye(2) + 2 * v[:, :, None] * v[:, None, :]
        precision[:, 0, 0] += 2 * a**2
        c = np.linalg.det(precision) ** -0.5
        return c, c[:, None, None] * np.linalg.inv(precision)

    def kernel(self, U, V):
        # K(u, v) = arcsin(2 u^T v / sqrt((1 + 2 u^T u)(1 + 2 v^T v))) / 2
        inner = 2 * U @ np.swapaxes(V, -1, -2)
        u = 1 + 2 * (U**2).sum(axis=-1)[..., :, None]
        v = 1 + 2 * (V**2).sum(axis=-1)[..., None, :]
        root = np.sqrt(u * v - inner**2)
        slope = (1 / root) @ V - U * (inner / (u * root)).sum(axis=-1, keepdims=True)
        return np.arcsin(inner / np.sqrt(u * v)).sum(axis=(-2, -1)) / 2, slope


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Homogeneous("relu", 1, 1.0, 0.0),
        Homogeneous("leaky_relu", 1, 1.0, -0.1),
        Homogeneous("squared_relu", 2, 1.0, 0.0),
        Homogeneous("linear", 1, 1.0, -1.0),
        Homogeneous("quadratic", 2, 1.0, 1.0),
        Homogeneous("cubic", 3, 1.0, -1.0),
        Sigmoid("sigmoid", np.pi, 0.5),
        Softplus("softplus", np.pi),
        Tanh("tanh", np.pi / 2, 0.0),
        # Along the imaginary axis phi' grows as exp(scale^2 y^2), and 3 / scale is where shifting
        # the contour of integration further stops paying.
        Erf("erf", 3.0, 0.0),
    )
}
"""Name to `Activation`: those of the paper, softplus, and the controls without non-linearity."""


def _elements(small, name, z):
    """A function of every element: `small`, or that of torch for many."""
    if z.size < _MANY:
        return small(z)
    import torch  # much of the start-up otherwise

    # Torch has no read-only arrays and no negative strides: such ones are copied.
    return getattr(torch, name)(torch.from_numpy(np.require(z, requirements="CW"))).numpy()


def _piecewise_power(z, degree, positive, negative):
    """``positive * z^degree`` on the right of zero and ``negative * |z|^degree`` on the left."""
    if negative == 0:
        if degree == 0:
            return positive * (z > 0)
        ramp = np.maximum(z, 0.0)
        return positive * ramp if degree == 1 else positive * ramp**degree
    power = np.abs(z) ** degree if degree else 1.0
    return np.where(z > 0, positive, negative) * power


def _arc_cosine_kernel(U, V):
    """`Activation.kernel` of the ReLU."""
    inner = U @ np.swapaxes(V, -1, -2)
    u = np.linalg.norm(U, axis=-1)[..., :, None]
    v = np.linalg.norm(V, axis=-1)[..., None, :]
    # Half the angle from the chord: arccos would lose half the digits where u and v nearly agree,
    # which is where the descent ends.
    first, second = (U / u)[..., :, None, :], (V / np.swapaxes(v, -1, -2))[..., None, :, :]
    chord = np.linalg.norm(first - second, axis=-1)
    chord_back = np.linalg.norm(first + second, axis=-1)
    angle = 2 * np.arctan2(chord, chord_back)
    sine = chord * chord_back / 2
    value = u * v * sine + (np.pi - angle) * inner
    slope = (np.pi - angle) @ V + U * (v * sine / u).sum(axis=-1, keepdims=True)
    return value.sum(axis=(-2, -1)) / (2 * np.pi), slope / (2 * np.pi)


def _half_moment(q):
    """``E[z^q 1{z > 0}]`` for a standard normal ``z``."""
    return 2 ** (q / 2 - 1) * gamma_function((q + 1) / 2) / np.sqrt(np.pi)


def _radial_moment(power):
    """``E |z|^power`` for a standard normal ``z`` in the plane."""
    return 2 ** (power / 2) * gamma_function(power / 2 + 1)


def _check_magnitude(sigma):
    sigma = np.asarray(sigma, dtype=float)
    if not (np.isfinite(sigma) & (sigma >= 0)).all():
        raise ValueError(
            f"sigma: expected finite magnitudes of at least 0, found {sigma.min()}; "
            "pass norms or singular values"
        )
    return sigma
