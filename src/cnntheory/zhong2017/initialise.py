"""Tensor initialisation: filters from Hermite moments, close enough for gradient descent."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .activations import Activation, as_activation
from .moments import (
    compressed_moment,
    contracted_third_moment,
    first_moment,
    second_moment,
    subtract_linear,
    third_moment_unfolding,
)
from .network import check_labels, check_patches, match_filters, network_output
from .tensor_decomposition import decompose

# Directions in which the third moment is first sketched, and the sweeps that follow. Twelve give 78
# contractions; more cost time and change no error in the third digit.
_SKETCH = 12
_SWEEPS = 2

# Samples on which the assumptions are checked, how many standard errors of them count as chance,
# and the least share of the labels' variance that the estimate should explain.
_CHECKED = 4096
_CHANCE = 5.0
_EXPLAINED = 0.5


class WeakSignalWarning(RuntimeWarning):
    """The moments' signal lies below their noise: more samples are needed."""


class AssumptionWarning(RuntimeWarning):
    """Inputs or labels are not those of the theory: more samples do not help."""


@dataclass(frozen=True)
class TensorStart:
    """What `tensor_initialise` returns.

    Attributes
    ----------
    filters : ndarray, shape (m, p)
        Filters as rows, in no particular order.
    clipped : ndarray of bool, shape (m,)
        Whether a filter's magnitude met its ceiling.
    subspace_gap : float
        ``|lambda_m| - |lambda_{m+1}|`` of the moment that gives the span (its singular values if
        it is the third; 0 is taken for ``lambda_{p+1}``).
    subspace_noise : float
        Noise of that moment, in spectral norm; NaN for ``method="published"``, which measures none.
    smallest_weight, tensor_noise : float
        The same pair for the compressed tensor.
    decomposition_residual : float
        Relative Frobenius norm of what the components do not explain.
    inputs : dict
        Departure (mean, variance, correlation, kurtosis) of the inputs from independent standard
        normal entries, to what was found on at most 4096 samples and what is allowed.
    explained : float
        Share of the variance of the labels that the filters explain, on at most 4096 samples.
    n_iter : int
        Iterations of the tensor decomposition.
    converged : bool
        Whether it stopped by itself. It says nothing about the samples: see `weak`.
    """

    filters: np.ndarray
    clipped: np.ndarray
    subspace_gap: float
    subspace_noise: float
    smallest_weight: float
    tensor_noise: float
    decomposition_residual: float
    inputs: dict[str, tuple[float, float]]
    explained: float
    n_iter: int
    converged: bool

    @property
    def weak(self) -> list[str]:
        """What lies below its noise, in words; empty where more samples are not needed."""
        pairs = (
            ("the span of the filters (gap", self.subspace_gap, self.subspace_noise),
            ("the directions (smallest weight", self.smallest_weight, self.tensor_noise),
        )
        return [
            f"{what} {size:.2g}, noise {noise:.2g})" for what, size, noise in pairs if size < noise
        ]

    @property
    def departures(self) -> list[str]:
        """How inputs and labels differ from those of the theory, in words; empty if they do not."""
        odd = [
            f"{name} off by {found:.2g} (allowed {allowed:.2g})"
            for name, (found, allowed) in self.inputs.items()
            if not found <= allowed
        ]
        said = [f"patches are not independent standard normal: {', '.join(odd)}"] if odd else []
        if not self.explained >= _EXPLAINED:
            said.append(f"the estimate explains {self.explained:.0%} of the labels' variance")
        return said


def tensor_initialise(
    patches: ArrayLike,
    y: ArrayLike,
    n_filters: int,
    activation: str | Activation,
    *,
    method: str = "kcl",
    center: bool | str = True,
    orders: Sequence[int] | None = None,
    rng: np.random.Generator | int = 0,
) -> TensorStart:
    """Estimate the filters of a one-hidden-layer convolutional network from its Hermite moments.

    The data are ``y = sum_j sum_i phi(w_j^T z_i)`` with independent Gaussian patches ``z_i``.
    The second moment (the third, for odd activations) gives the span of the filters; the third
    (the fourth, for the ReLU family), compressed to that span, is decomposed into their
    directions; the first moment gives signs and magnitudes.

    Parameters
    ----------
    patches : ndarray or torch.Tensor, shape (n, k, p)
        Inputs, independent standard normal entries.
    y : ndarray or torch.Tensor, shape (n,)
        Labels.
    n_filters : int
        Number ``m`` of filters, at most p.
    activation : str or Activation
        Not ``linear`` or ``quadratic``.
    method : {"kcl", "jennrich", "published"}, optional
        Tensor decomposition, see `decompose`; or the recipe as published, to compare with: the
        sample is split in three, the first part gives the span, from ``M_2`` or from one random
        contraction ``M_3(I, I, a)``, the second the directions, from ``M_3(V, V, V)`` or
        ``M_4(V, V, V, a)`` with the same ``a``, the third signs and magnitudes. Two things are in
        its favour: moments are averaged over all patches (the text has one patch), and magnitudes
        have a ceiling.
    center : bool or "mean", optional
        What to take off `y`. True: before each moment its regression on the Hermite polynomials of
        lower order, that is, its mean, then ``sum_i M_1^T z_i``, then
        ``sum_i z_i^T M_2 z_i / 2`` (in the span found). They are orthogonal to the polynomial of
        the moment: the moment keeps its expectation and loses variance. ``"mean"``: the mean
        only. False: nothing, as published. Of no meaning with ``method="published"``.
    orders : pair of int, optional
        Orders of the moments for the span (2 or 3) and the directions (3 or 4). By default those
        that carry the signal, `Activation.orders`.
    rng : int or numpy.random.Generator, optional
        Random projections.

    Returns
    -------
    TensorStart
        The filters, and what is known about their worth.

    Raises
    ------
    ValueError
        If the shapes do not fit, ``n_filters > p``, the activation is linear or even (not
        identifiable), an input is NaN or infinite, or there are fewer patches than unknowns,
        ``n k < m p``.

    Warns
    -----
    WeakSignalWarning
        If the signal is below the noise, that is, if the gap or a component of the tensor is
        smaller than the noise measured between the two halves of the samples.
    AssumptionWarning
        If the inputs are not independent standard normal, as far as mean, variance, correlation
        and kurtosis say, or if the estimate explains less than half of the variance of the labels.

    Notes
    -----
    ``2 n k p^2`` operations, or about ``200 n k p`` for odd activations; the samples stream through
    in blocks. Departures from the published algorithm: all samples serve every step; the labels
    are centred; the fourth moment is kept whole in the span, and the third is swept by higher-order
    orthogonal iteration, instead of being contracted with one random vector.

    References
    ----------
    Zhong, Song & Dhillon, arXiv 1711.03440, tensor initialisation; Zhong et al., arXiv 1706.03175,
    Algorithm 1, as we understand it.
    """
    patches, y, activation = _as_array(patches), _as_array(y), as_activation(activation)
    _check_data(patches, y, n_filters)
    if method not in ("kcl", "jennrich", "published"):
        raise ValueError(
            f"method: expected 'kcl', 'jennrich' or 'published', found {method!r}; leave it out"
        )
    if center not in (True, False, "mean"):
        raise ValueError(f'center: expected True, False or "mean", found {center!r}')
    usual = activation.orders  # raises where nothing can be identified
    j_2, j_3 = orders = usual if orders is None else orders
    if j_2 not in (2, 3) or j_3 not in (3, 4):
        raise ValueError(f"orders: expected (2 or 3, 3 or 4), found {orders}; leave it out")
    rng = np.random.default_rng(rng)
    if method == "published":
        found = _published(patches, y, n_filters, activation, orders, rng)
    else:
        found = _estimate(patches, y, n_filters, activation, orders, rng, method, center)
    start = TensorStart(
        **found,
        inputs=check_inputs(patches),
        explained=_explained(patches, y, found["filters"], activation),
    )
    if start.weak:
        warnings.warn(
            f"signal below noise in {' and '.join(start.weak)}: the filters are unreliable; "
            "use more samples",
            WeakSignalWarning,
            stacklevel=2,
        )
    if start.departures:
        warnings.warn(
            f"{'; '.join(start.departures)}: the filters may be far off; the theory needs Gaussian "
            "inputs in disjoint patches and labels that are sums over the patches",
            AssumptionWarning,
            stacklevel=2,
        )
    return start


def split_half_error(
    patches: ArrayLike, y: ArrayLike, n_filters: int, activation: str | Activation, **options
) -> float:
    """Estimate the relative error of `tensor_initialise` without knowing the truth.

    Parameters
    ----------
    patches, y, n_filters, activation, **options
        As for `tensor_initialise`, which is run on either half of the samples.

    Returns
    -------
    float
        Estimate of ``|W - W*|_F / |W*|_F``: half the relative distance of the two halves'
        estimates, since two independent estimates from n / 2 samples differ by twice the error of
        one from n. It shows noise, not the bias that inputs outside the theory bring.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        first, second = (
            tensor_initialise(part, labels, n_filters, activation, **options).filters
            for part, labels in _halves(_as_array(patches), _as_array(y))
        )
    first = match_filters(first, second)
    length = np.linalg.norm(first + second) / 2
    return float(np.linalg.norm(first - second) / (2 * max(length, np.finfo(float).tiny)))


def _estimate(patches, y, n_filters, activation, orders, rng, method, center):
    """The default recipe: fields of a `TensorStart` but for the checks."""
    j_2, j_3 = orders
    mean = np.mean(y, dtype=float)
    y = y - mean if center else y
    M_1 = first_moment(patches, y)
    if center is True:
        y = subtract_linear(patches, y, M_1)
    span = estimate_subspace(patches, y, n_filters, j_2, rng=rng)
    quadratic = span.spectrum[:n_filters] if center is True and j_2 == 2 else None
    R, noise = _mean_and_noise(compressed_moment, patches, y, span.basis, j_3, quadratic)
    parts = decompose(R, rng=rng, method=method)
    ceiling = activation.ceiling(M_1, mean / patches.shape[1], n_filters)
    return _assemble(span, parts, noise, M_1, activation, ceiling)


def _published(patches, y, n_filters, activation, orders, rng):
    """The predecessor's recipe: fields of a `TensorStart` but for the checks."""
    if len(patches) < 3:
        raise ValueError(
            f"patches: expected at least 3 samples to split, found {len(patches)}; add samples"
        )
    first, second, third = ((patches[part::3], y[part::3]) for part in range(3))
    direction = rng.standard_normal(patches.shape[-1])
    direction /= np.linalg.norm(direction)
    moment = second_moment(*first) if orders[0] == 2 else contracted_third_moment(*first, direction)
    V, spectrum = _leading(moment, n_filters)
    if orders[1] == 3:
        R = compressed_moment(*second, V, 3)
    else:
        # M_4(V, V, V, a) needs the fourth moment on the span of V and a alone; where a lies in
        # the span (m = p), on that of V.
        across = direction - V @ (V.T @ direction)
        length = np.linalg.norm(across)
        frame = V if length < 1e-12 else np.column_stack([V, across / length])
        whole = compressed_moment(*second, frame, 4) @ (frame.T @ direction)
        R = whole[:n_filters, :n_filters, :n_filters]
    M_1 = first_moment(*third)
    ceiling = activation.ceiling(M_1, np.mean(third[1], dtype=float) / patches.shape[1], n_filters)
    parts = decompose(R, rng=rng)
    return _assemble(Subspace(V, spectrum, np.nan), parts, np.nan, M_1, activation, ceiling)


def _assemble(span, parts, tensor_noise, M_1, activation, ceiling):
    directions = parts.directions @ span.basis.T
    filters, clipped = signs_and_magnitudes(directions, M_1, activation, ceiling)
    return {
        "filters": filters,
        "clipped": clipped,
        "subspace_gap": span.gap,
        "subspace_noise": span.noise,
        "smallest_weight": np.abs(parts.weights).min(),
        "tensor_noise": tensor_noise,
        "decomposition_residual": parts.residual,
        "n_iter": parts.n_iter,
        "converged": parts.converged,
    }


def check_inputs(patches):
    """Measure how far inputs are from independent standard normal entries.

    Maps departures to ``(found, allowed)``, where `allowed` has room for chance: ``mean``, the
    largest modulus of an entry's mean; ``variance``, the largest ``|variance - 1|``;
    ``correlation``, the largest modulus of a correlation of two entries in one patch or in
    neighbouring ones; ``kurtosis``, the modulus of the excess kurtosis of all standardised entries.
    """
    _, k, p = check_patches(patches)
    rows = _some(patches).astype(float).reshape(-1, k * p)
    n, d = rows.shape
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    scaled = (rows - mean) / np.where(deviation > 0, deviation, 1.0)
    largest = 0.0
    for start in range(0, d, p):
        # A patch beside itself and its neighbour: overlapping patches share entries.
        correlation = scaled[:, start : start + p].T @ scaled[:, start : start + 2 * p] / n
        largest = max(largest, np.abs(correlation - np.eye(*correlation.shape)).max())
    chance = _CHANCE / np.sqrt(n)
    return {
        "mean": (np.abs(mean).max(), 0.1 + chance),
        "variance": (np.abs(deviation**2 - 1).max(), 0.1 + np.sqrt(2) * chance),
        "correlation": (largest, 0.1 + chance),
        "kurtosis": (abs((scaled**4).mean() - 3), 0.3 + _CHANCE * np.sqrt(24 / rows.size)),
    }


def _some(rows):
    """At most `_CHECKED` rows, evenly spaced."""
    return rows[:: -(-len(rows) // _CHECKED)]


def _explained(patches, y, filters, activation):
    """Share of the variance of the labels that filters explain."""
    labels = _some(y).astype(float)
    left = labels - network_output(filters, _some(patches).astype(float), activation)
    return 1 - left.var() / max(labels.var(), np.finfo(float).tiny)


@dataclass(frozen=True)
class Subspace:
    """Span of the filters, as `estimate_subspace` finds it.

    Attributes
    ----------
    basis : ndarray, shape (p, m)
        Orthonormal columns.
    spectrum : ndarray, shape (m + 1,)
        Leading eigenvalues of ``M_2`` by modulus, or singular values of the unfolded third moment;
        0 beyond the last. The first belong to the columns of the basis, the last closes the gap.
    noise : float
        Spectral norm of the moment's error, as seen between the halves of the samples.
    """

    basis: np.ndarray
    spectrum: np.ndarray
    noise: float

    @property
    def gap(self):
        """Modulus of the last eigenvalue that belongs to the span, less that of the next."""
        return abs(self.spectrum[-2]) - abs(self.spectrum[-1])


def estimate_subspace(patches, y, n_filters, order, *, rng=0):
    """Estimate the span of the filters from the moment of order 2 or 3.

    One contraction of ``M_3`` with a random vector misses filters that happen to be orthogonal to
    it. The start is therefore the dominant subspace of ``M_3(I, Q, Q)`` over a dozen random
    directions Q (all directions of a patch, when it is smaller), each of whose columns is a
    contraction; two sweeps ``V <-`` top left singular vectors of ``M_3(I, V, V)`` follow: the
    higher-order orthogonal iteration of De Lathauwer, De Moor & Vandewalle, SIAM J. Matrix Anal.
    Appl. 21 (2000).
    """
    if order == 2:
        M, noise = _mean_and_noise(second_moment, patches, y)
        return Subspace(*_leading(M, n_filters), noise)
    p = patches.shape[-1]
    width = min(p, max(_SKETCH, 2 * n_filters))
    V = np.linalg.qr(np.random.default_rng(rng).standard_normal((p, width)))[0]
    for _ in range(1 + _SWEEPS):
        M, noise = _mean_and_noise(third_moment_unfolding, patches, y, V)
        left, values, _ = np.linalg.svd(M, full_matrices=False)
        V = left[:, :n_filters]
    return Subspace(V, _pad(values[: n_filters + 1], n_filters + 1), noise)


def _leading(M, count):
    """Leading eigenvectors of a symmetric matrix by modulus, and one more eigenvalue than those."""
    values, vectors = np.linalg.eigh(M)
    largest = np.argsort(-np.abs(values))[: count + 1]
    return vectors[:, largest[:count]], _pad(values[largest], count + 1)


def _pad(values, length):
    return np.append(values, np.zeros(length - len(values)))


def signs_and_magnitudes(directions, M_1, activation, ceiling):
    """Scale unit directions, rows (m, p) of arbitrary sign, to filters, by the first moment.

    ``M_1 = sum_l m_1(|w_l|) w_l / |w_l|`` is linear in the unknown ``z_l = +- m_1(|w_l|)``. Since
    ``m_1 > 0`` for every increasing activation, the sign of ``z_l`` is the direction's. An
    ill-conditioned set of directions, or a bounded activation, turns noise into arbitrarily large
    filters: returns the filters and which of them met the ceiling.
    """
    z = np.linalg.lstsq(directions.T, M_1, rcond=None)[0]
    lengths, clipped = as_activation(activation).magnitude(np.abs(z), ceiling)
    return directions * np.where(z < 0, -lengths, lengths)[:, None], clipped


def _halves(patches, y):
    middle = (len(patches) + 1) // 2
    return (patches[:middle], y[:middle]), (patches[middle:], y[middle:])


def _mean_and_noise(moment, patches, y, *arguments):
    """A moment over all samples, and the spectral norm of its error (of its unfolding).

    The moments of the two halves have independent errors: half their difference is distributed
    as the error of their mean.
    """
    first, second = (moment(*half, *arguments) for half in _halves(patches, y))
    difference = (first - second).reshape(len(first), -1) / 2
    share = (len(patches) + 1) // 2 / len(patches)
    return share * first + (1 - share) * second, np.linalg.norm(difference, 2)


def _as_array(values):
    """A numpy view of an array or a torch tensor, in its own precision."""
    return values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)


def _check_data(patches, y, n_filters):
    n, k, p = check_patches(patches)
    check_labels(y, (n,))
    if not 1 <= n_filters <= p:
        raise ValueError(
            f"n_filters: expected between 1 and the {p} entries of a patch, found {n_filters}; "
            "more filters than entries cannot be linearly independent, use fewer filters"
        )
    if n * k < n_filters * p or n < 2:
        raise ValueError(
            f"patches: expected at least n_filters * p = {n_filters * p} patches from 2 or more "
            f"samples, found {n * k} from {n}; add samples"
        )
    for name, values in (("patches", patches), ("y", y)):
        step = max(1, (1 << 17) * n // values.size)
        for start in range(0, n, step):
            if not np.isfinite(values[start : start + step]).all():
                raise ValueError(
                    f"{name}: expected finite numbers, found NaN or infinity in samples {start} to "
                    f"{min(start + step, n) - 1}; drop or impute them"
                )
