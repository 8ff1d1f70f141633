"""Tensor initialisation: kernels from Hermite moments, close enough for gradient descent."""

from __future__ import annotations

import warnings

import numpy as np

from .activations import (
    gamma,
    hermite_coefficient,
    homogeneous_pieces,
    magnitude,
    moment_orders,
)
from .moments import (
    compressed_moment,
    contracted_third_moment,
    first_moment,
    second_moment,
    subtract_linear,
    third_moment_unfolding,
)
from .network import match_kernels, network_output, patch_rows
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

# m_1 of a bounded activation is flat to within sampling noise beyond this magnitude.
_CEILING = 10.0


class WeakSignalWarning(RuntimeWarning):
    """The moments' signal lies below their noise: more samples are needed."""


class AssumptionWarning(RuntimeWarning):
    """Inputs or labels are not those of the theory: more samples do not help."""


def tensor_initialise(
    x,
    y,
    kernels,
    patch_size,
    activation,
    *,
    method="kcl",
    center=True,
    seed=0,
    return_info=False,
    orders=None,
):
    """Estimate the kernels of a one-hidden-layer convolutional network from its Hermite moments.

    The data are ``y = sum_j sum_i phi(w_j^T P_i x)`` with Gaussian ``x`` and disjoint patches.
    The second moment (the third, for odd activations) gives the span of the kernels; the third
    (the fourth, for the ReLU family), compressed to that span, is decomposed into their
    directions; the first moment gives signs and magnitudes.

    Parameters
    ----------
    x : ndarray or torch.Tensor, shape (n, d)
        Inputs, independent standard normal entries; patch ``i`` is ``x[:, i*k:(i+1)*k]``.
    y : ndarray or torch.Tensor, shape (n,)
        Labels.
    kernels : int
        Number ``t`` of kernels, at most `patch_size`.
    patch_size : int
        Number ``k`` of coordinates of a patch; ``d = r k``.
    activation : str
        One of `cnntheory.zhong2017.ACTIVATIONS` but ``linear`` and ``quadratic``.
    method : {"kcl", "jennrich", "published"}, optional
        Tensor decomposition, see `decompose`; or the recipe as published, to compare with, see
        `published_recipe`.
    center : bool or "mean", optional
        What to take off `y`. True: before each moment its regression on the Hermite polynomials of
        lower order, that is, its mean, then ``sum_i M_1^T z_i``, then
        ``sum_i z_i^T M_2 z_i / 2`` (in the span found). They are orthogonal to the polynomial of
        the moment: the moment keeps its expectation and loses variance. ``"mean"``: the mean
        only. False: nothing, as published. Of no meaning with ``method="published"``.
    seed : int or numpy.random.Generator, optional
        Random projections.
    return_info : bool, optional
        Also return diagnostics; costs about as much again.
    orders : pair of int, optional
        Orders of the moments for the span (2 or 3) and the directions (3 or 4). By default those
        that carry the signal, `moment_orders`.

    Returns
    -------
    W : ndarray, shape (patch_size, kernels)
        Kernels as columns, in no particular order.
    info : dict, only with `return_info`
        ``subspace_gap``: ``|lambda_t| - |lambda_{t+1}|`` of the moment that gives the span (its
        singular values if it is the third; 0 is taken for ``lambda_{k+1}``);
        ``subspace_noise``: the noise of that moment, in spectral norm;
        ``smallest_weight`` and ``tensor_noise``: the same pair for the compressed tensor;
        ``decomposition_residual``: relative Frobenius norm of what the components do not explain;
        ``split_half_error``: estimate of ``|W - W*|_F / |W*|_F``, half the relative distance of the
        two estimates from either half of the samples;
        ``clipped``: for each kernel, whether its magnitude met its ceiling;
        ``inputs``: what `check_inputs` measured;
        ``explained``: share of the variance of the labels that the estimate explains, on at most
        4096 of the samples.

    Raises
    ------
    ValueError
        If ``d`` is not a multiple of `patch_size`, ``kernels > patch_size``, the activation is
        linear or even (not identifiable), an input is NaN or infinite,
        ``n r < kernels * patch_size``, or diagnostics are asked of ``method="published"``, which
        has none.

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
    ``2 n r k^2`` operations, or about ``200 n r k`` for odd activations; the samples stream through
    in blocks. Departures from the published algorithm (``method="published"``): all samples serve
    every step; the labels are centred; the fourth moment is kept whole in the span, and the third
    is swept by higher-order orthogonal iteration, instead of being contracted with one random
    vector.

    References
    ----------
    Zhong, Song & Dhillon, arXiv 1711.03440, tensor initialisation; Zhong et al., arXiv 1706.03175,
    Algorithm 1.
    """
    x, y = _as_array(x), _as_array(y)
    _check_data(x, y, kernels, patch_size)
    if center not in (True, False, "mean"):
        raise ValueError(f'center: expected True, False or "mean", found {center!r}')
    j_2, j_3 = moment_orders(activation)  # raises where nothing can be identified
    if orders is not None:
        j_2, j_3 = orders
        if j_2 not in (2, 3) or j_3 not in (3, 4):
            raise ValueError(f"orders: expected (2 or 3, 3 or 4), found {orders}; leave it out")
    if method == "published":
        if return_info:
            raise ValueError('return_info: method "published" has no diagnostics; leave it out')
        rng = np.random.default_rng(seed)
        return published_recipe(x, y, kernels, patch_size, activation, rng, (j_2, j_3))
    mean = np.mean(y, dtype=float)
    mean_per_patch = mean * patch_size / x.shape[1]

    def estimate(x, y):
        rng = np.random.default_rng(seed)
        y = y - mean if center else y
        M_1 = first_moment(x, y, patch_size)
        if center is True:
            y = subtract_linear(x, y, M_1)
        V, spectrum, subspace_noise = estimate_subspace(x, y, patch_size, kernels, j_2, rng)
        quadratic = spectrum[:kernels] if center is True and j_2 == 2 else None
        R, tensor_noise = _mean_and_noise(compressed_moment, x, y, V, j_3, quadratic)
        directions, weights, residual = decompose(R, rng, method)
        ceiling = magnitude_ceiling(M_1, mean_per_patch, kernels, activation)
        W, clipped = signs_and_magnitudes(V @ directions, M_1, activation, ceiling)
        return W, {
            "subspace_gap": abs(spectrum[kernels - 1]) - abs(spectrum[kernels]),
            "subspace_noise": subspace_noise,
            "smallest_weight": np.abs(weights).min(),
            "tensor_noise": tensor_noise,
            "decomposition_residual": residual,
            "clipped": clipped,
        }

    W, info = estimate(x, y)
    info["inputs"] = check_inputs(x, patch_size)
    info["explained"] = _explained(x, y, W, activation)
    _warn_if_lost(info)
    _warn_of_assumptions(info)
    if not return_info:
        return W
    first, second = (estimate(*half)[0] for half in _halves(x, y))
    distance = np.linalg.norm(match_kernels(first, second) - second)
    # Two independent estimates from n / 2 samples differ by twice the error of one from n.
    info["split_half_error"] = distance / (2 * max(np.linalg.norm(W), np.finfo(float).tiny))
    return W, info


def published_recipe(x, y, kernels, patch_size, activation, rng, orders):
    """Estimate the kernels by the predecessor's recipe, as published but for two things.

    The sample is split in three. The first part gives the span, from ``M_2`` or from one random
    contraction ``M_3(I, I, a)``; the second the directions, from ``M_3(V, V, V)`` or
    ``M_4(V, V, V, a)`` with the same ``a``; the third signs and magnitudes, from ``M_1``. Labels
    are not centred. The two things, both in the recipe's favour: moments are averaged over all
    patches (the text has one patch), and magnitudes have the ceiling of `magnitude_ceiling`.

    Parameters
    ----------
    x, y, kernels, patch_size, activation
        As for `tensor_initialise`, numpy arrays.
    rng : numpy.random.Generator
        Draws ``a`` and the random slices of the decomposition.
    orders : pair of int
        Orders of the moments for span and directions.

    Returns
    -------
    W : ndarray, shape (patch_size, kernels)
        Kernels as columns.

    Raises
    ------
    ValueError
        If there are fewer than three samples.

    References
    ----------
    Zhong et al., arXiv 1706.03175, Algorithm 1, as we understand it.
    """
    if len(x) < 3:
        raise ValueError(f"x: expected at least 3 samples to split, found {len(x)}; add samples")
    first, second, third = (slice(part, None, 3) for part in range(3))
    direction = rng.standard_normal(patch_size)
    direction /= np.linalg.norm(direction)
    if orders[0] == 2:
        P_2 = second_moment(x[first], y[first], patch_size)
    else:
        P_2 = contracted_third_moment(x[first], y[first], direction)
    V = _leading(P_2, kernels)[0]
    if orders[1] == 3:
        R = compressed_moment(x[second], y[second], V, 3)
    else:
        # M_4(V, V, V, a) needs the fourth moment on the span of V and a alone; where a lies in
        # the span (t = k), on that of V.
        across = direction - V @ (V.T @ direction)
        length = np.linalg.norm(across)
        frame = V if length < 1e-12 else np.column_stack([V, across / length])
        whole = compressed_moment(x[second], y[second], frame, 4) @ (frame.T @ direction)
        R = whole[:kernels, :kernels, :kernels]
    directions = decompose(R, rng, "kcl")[0]
    M_1 = first_moment(x[third], y[third], patch_size)
    mean_per_patch = np.mean(y[third], dtype=float) * patch_size / x.shape[1]
    ceiling = magnitude_ceiling(M_1, mean_per_patch, kernels, activation)
    return signs_and_magnitudes(V @ directions, M_1, activation, ceiling)[0]


def check_inputs(x, patch_size):
    """Measure how far inputs are from independent standard normal entries.

    Parameters
    ----------
    x : ndarray, shape (n, d)
    patch_size : int

    Returns
    -------
    dict
        Name to ``(found, allowed)``, both of a departure, where `allowed` has room for chance:
        ``mean``, the largest modulus of a coordinate's mean; ``variance``, the largest
        ``|variance - 1|``; ``correlation``, the largest modulus of a correlation of two
        coordinates in one patch or in neighbouring ones; ``kurtosis``, the modulus of the excess
        kurtosis of all standardised entries. At most 4096 rows are looked at.
    """
    rows = _some(x).astype(float)
    n, d = rows.shape
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    scaled = (rows - mean) / np.where(deviation > 0, deviation, 1.0)
    largest = 0.0
    for start in range(0, d, patch_size):
        # A patch beside itself and its neighbour: overlapping patches share coordinates.
        beside = scaled[:, start : start + 2 * patch_size]
        correlation = scaled[:, start : start + patch_size].T @ beside / n
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


def _explained(x, y, W, activation):
    """Share of the variance of the labels that kernels explain."""
    labels = _some(y).astype(float)
    left = labels - network_output(W, _some(x).astype(float), activation)
    return 1 - left.var() / max(labels.var(), np.finfo(float).tiny)


def estimate_subspace(x, y, patch_size, kernels, order, rng):
    """Estimate the span of the kernels from the second or the third moment.

    Parameters
    ----------
    x, y, patch_size, kernels
        As for `tensor_initialise`, numpy arrays.
    order : {2, 3}
        Order of the moment: `moment_orders` names the one that carries the signal.
    rng : numpy.random.Generator
        Draws the sketch of the third moment.

    Returns
    -------
    V : ndarray, shape (patch_size, kernels)
        Orthonormal columns.
    spectrum : ndarray, shape (kernels + 1,)
        Leading eigenvalues of ``M_2`` by modulus, or singular values of the unfolded third moment;
        0 beyond the last. The first belong to the columns of V, the last closes the gap.
    noise : float
        Spectral norm of the moment's error, as seen between the halves of the samples.

    Raises
    ------
    ValueError
        If the order is not 2 or 3.

    Notes
    -----
    One contraction of ``M_3`` with a random vector misses kernels that happen to be orthogonal to
    it. The start is therefore the dominant subspace of ``M_3(I, Q, Q)`` over a dozen random
    directions Q (all directions of a patch, when it is smaller), each of whose columns is a
    contraction; two sweeps ``V <-`` top left singular vectors of ``M_3(I, V, V)`` follow.

    References
    ----------
    Zhong et al., arXiv 1706.03175, the power method of its Algorithm 1; for the sweeps, De
    Lathauwer, De Moor & Vandewalle, SIAM J. Matrix Anal. Appl. 21 (2000), higher-order orthogonal
    iteration.
    """
    if order == 2:
        M, noise = _mean_and_noise(second_moment, x, y, patch_size)
        return *_leading(M, kernels), noise
    if order != 3:
        raise ValueError(f"order: expected 2 or 3, found {order!r}; see moment_orders")
    width = min(patch_size, max(_SKETCH, 2 * kernels))
    V = np.linalg.qr(rng.standard_normal((patch_size, width)))[0]
    for _ in range(1 + _SWEEPS):
        M, noise = _mean_and_noise(third_moment_unfolding, x, y, V)
        left, values, _ = np.linalg.svd(M, full_matrices=False)
        V = left[:, :kernels]
    return V, _pad(values[: kernels + 1], kernels + 1), noise


def _leading(M, kernels):
    """Leading eigenvectors of a symmetric matrix by modulus, and one more eigenvalue than those."""
    values, vectors = np.linalg.eigh(M)
    largest = np.argsort(-np.abs(values))[: kernels + 1]
    return vectors[:, largest[:kernels]], _pad(values[largest], kernels + 1)


def _pad(values, length):
    return np.append(values, np.zeros(length - len(values)))


def signs_and_magnitudes(directions, M_1, activation, ceiling):
    """Scale unit directions to kernels, by the first moment.

    ``M_1 = sum_l m_1(|w_l|) w_l / |w_l|`` is linear in the unknown ``z_l = +- m_1(|w_l|)``. Since
    ``m_1 > 0`` for every increasing activation, the sign of ``z_l`` is the direction's.

    Parameters
    ----------
    directions : ndarray, shape (patch_size, kernels)
        Unit columns, linearly independent, signs arbitrary.
    M_1 : ndarray, shape (patch_size,)
        First moment.
    activation : str
        An increasing activation.
    ceiling : float
        Largest magnitude: an ill-conditioned set of directions, or a bounded activation, turns
        noise into arbitrarily large kernels.

    Returns
    -------
    W : ndarray, shape (patch_size, kernels)
        Kernels.
    clipped : ndarray of bool, shape (kernels,)
        Which magnitudes met the ceiling.

    References
    ----------
    Zhong et al., arXiv 1706.03175, the procedure that recovers magnitudes and signs.
    """
    z = np.linalg.lstsq(directions, M_1, rcond=None)[0]
    lengths, clipped = magnitude(np.abs(z), activation, ceiling)
    return directions * np.where(z < 0, -lengths, lengths), clipped


def magnitude_ceiling(M_1, mean_per_patch, kernels, activation):
    """Largest credible ``|w_l|``.

    Parameters
    ----------
    M_1 : ndarray, shape (patch_size,)
        First moment.
    mean_per_patch : float
        ``E[y] / r = sum_l gamma_0(|w_l|)``.
    kernels : int
        Number ``t`` of kernels.
    activation : str
        An increasing activation.

    Returns
    -------
    float
        For bounded activations 10, beyond which ``m_1`` is flat to within sampling noise. For the
        others the larger of two scales: the magnitude whose ``m_1`` is three times ``|M_1|``, and,
        where ``gamma_0`` grows, one and a half times the magnitude that a single kernel would need
        to make up the mean of `y` alone, which no kernel exceeds but by noise.
    """
    if activation in ("sigmoid", "tanh", "erf"):
        return _CEILING
    # Softplus lies above the ReLU and has the same m_1: the ReLU's scales bound its own.
    base = "relu" if activation == "softplus" else activation
    degree = homogeneous_pieces(base)[0]
    scale = 3 * np.linalg.norm(M_1) / hermite_coefficient(1, 1.0, base)
    unit_mean = gamma(0, 1.0, base)
    if unit_mean > 0:
        alone = mean_per_patch - (kernels - 1) * gamma(0, 0.0, activation)
        scale = max(scale, 1.5**degree * alone / unit_mean)
    return float(scale ** (1 / degree))


def _halves(x, y):
    middle = (len(x) + 1) // 2
    return (x[:middle], y[:middle]), (x[middle:], y[middle:])


def _mean_and_noise(moment, x, y, *arguments):
    """A moment over all samples, and the spectral norm of its error (of its unfolding).

    The moments of the two halves have independent errors: half their difference is distributed
    as the error of their mean.
    """
    first, second = (moment(*half, *arguments) for half in _halves(x, y))
    difference = (first - second).reshape(len(first), -1) / 2
    share = (len(x) + 1) // 2 / len(x)
    return share * first + (1 - share) * second, np.linalg.norm(difference, 2)


def _warn_if_lost(info):
    lost = []
    if info["subspace_gap"] < info["subspace_noise"]:
        lost.append(
            f"the span of the kernels (gap {info['subspace_gap']:.2g}, "
            f"noise {info['subspace_noise']:.2g})"
        )
    if info["smallest_weight"] < info["tensor_noise"]:
        lost.append(
            f"the directions (smallest weight {info['smallest_weight']:.2g}, "
            f"noise {info['tensor_noise']:.2g})"
        )
    if lost:
        warnings.warn(
            f"signal below noise in {' and '.join(lost)}: the kernels are unreliable; "
            "use more samples",
            WeakSignalWarning,
            stacklevel=3,
        )


def _warn_of_assumptions(info):
    odd = [
        f"{name} off by {found:.2g} (allowed {allowed:.2g})"
        for name, (found, allowed) in info["inputs"].items()
        if not found <= allowed
    ]
    said = []
    if odd:
        said.append(f"x is not independent standard normal: {', '.join(odd)}")
    if not info["explained"] >= _EXPLAINED:
        said.append(f"the estimate explains {info['explained']:.0%} of the labels' variance")
    if said:
        warnings.warn(
            f"{'; '.join(said)}: the kernels may be far off; the theory needs Gaussian inputs in "
            "disjoint patches and labels that are sums over the patches",
            AssumptionWarning,
            stacklevel=3,
        )


def _as_array(values):
    """A numpy view of an array or a torch tensor, in its own precision."""
    return values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)


def _check_data(x, y, kernels, patch_size):
    patch_rows(x[:0], patch_size)
    if y.shape != (len(x),):
        raise ValueError(f"y: expected shape ({len(x)},), one label a row of x, found {y.shape}")
    if not 1 <= kernels <= patch_size:
        raise ValueError(
            f"kernels: expected between 1 and patch_size={patch_size}, found {kernels}; more "
            "kernels than coordinates cannot be linearly independent, use fewer kernels"
        )
    rows, unknowns = x.size // patch_size, kernels * patch_size
    if rows < unknowns or len(x) < 2:
        raise ValueError(
            f"x: expected at least kernels * patch_size = {unknowns} patches from 2 or more "
            f"samples, found {rows} from {len(x)}; add samples"
        )
    for name, values in (("x", x), ("y", y)):
        step = max(1, (1 << 17) * len(values) // values.size)
        for start in range(0, len(values), step):
            if not np.isfinite(values[start : start + step]).all():
                raise ValueError(
                    f"{name}: expected finite numbers, found NaN or infinity in rows {start} to "
                    f"{min(start + step, len(values)) - 1}; drop or impute them"
                )
