"""Gradient descent on the non-convex objectives, many restarts at once.

The restarts are the leading axis of every array, those of several data sets one after the other: at
these sizes what a step costs is its calls, not its sums. Constrained filters are normalised inside
the network, which removes the constraint exactly; they carry no decay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy.special import expit

from .architectures import Architecture, Average, Circular, Linear, Max, TwoReLU, Unpooled
from .losses import make_loss
from .network import Network
from .train import check_beta, check_data

_STEPS = {"adam": 2e-2, "gd": 2e-3, "sgd": 2e-3}
# Losses of outputs (R, n), shape (R,), and their slopes, shape (R, n).
_LOSSES = {
    "squared": (lambda f, y: ((f - y) ** 2).sum(axis=1) / 2, lambda f, y: f - y),
    "logistic": (
        lambda f, y: np.logaddexp(0, -y * f).sum(axis=1),
        lambda f, y: -y * expit(-y * f),
    ),
}


@dataclass(frozen=True)
class Baseline:
    """Networks found by descent from many starts.

    Attributes
    ----------
    objective : ndarray, shape (restarts,)
        Non-convex objective of each restart at its best recorded iteration.
    best : int
        Restart with the least objective.
    iterations : ndarray of int, shape (T,)
        Iterations recorded: a multiple of `record_every`, or the last.
    trace : ndarray, shape (T, restarts)
        Objectives on all samples at those iterations.
    parameters : dict of ndarray
        Parameters of each restart's best recorded iteration, restarts leading.
    architecture : Architecture
    """

    objective: np.ndarray
    best: int
    iterations: np.ndarray
    trace: np.ndarray
    parameters: dict[str, np.ndarray]
    architecture: Architecture

    def network(self, index=None):
        """The `Network` of one restart, by default the best; constrained filters normalised."""
        index = self.best if index is None else index
        chosen = {name: value[index] for name, value in self.parameters.items()}
        if not self.architecture.decays["filters"]:
            chosen["filters"] = _bounded(self.architecture, **chosen)
        return Network(architecture=self.architecture, **chosen)


@dataclass(frozen=True)
class _Model:
    """Shapes and decayed names of the parameters, and the networks on patches (sets, K, n, h)."""

    shapes: dict[str, tuple[int, ...]]
    decayed: tuple[str, ...]
    forward: Callable


def train_baseline(
    patches,
    y,
    beta,
    *,
    width,
    rng,
    architecture="average",
    restarts=16,
    max_iter=4000,
    method="adam",
    step=None,
    schedule="cosine",
    batch_size=None,
    record_every=100,
    scale=1.0,
    start=None,
    callback=None,
    filter_length=None,
    loss="squared",
):
    """Train one architecture from many random starts by Adam, gradient descent or SGD.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h), or (n, d) for "circular"
    y : ndarray, shape (n,)
        Targets.
    beta : float or ndarray, shape (restarts,)
        Weight decay, positive; one value for each restart if an array.
    width : int
        Number of filters m.
    rng : int or numpy.random.Generator
        Draws starts and batches.
    architecture : str or Architecture, optional
        As for `train_convex`.
    restarts, max_iter : int, optional
        Number of starts and of steps.
    method : {"adam", "gd", "sgd"}, optional
        Update; "sgd" needs a `batch_size`, which restarts share, and scales its gradient by n over
        it. Adam takes a `batch_size` too.
    step : float or ndarray, shape (restarts,), optional
        Default 0.02 for Adam and 0.002 for the others.
    schedule : {"cosine", "constant"}, optional
        Decay of the step: to zero at the last iteration, or none.
    batch_size : int, optional
        Samples an iteration; all by default.
    record_every : int, optional
        Iterations between records.
    scale : float, optional
        Factor of the starting weights, which have variance 1 / fan-in.
    start : dict of ndarray, optional
        Starting parameters, as `Baseline.parameters`, instead of random ones.
    callback : callable, optional
        Called as ``callback(iteration, parameters, objective)`` at every record.
    filter_length : int, optional
        Of "circular", a control; the signal's by default.
    loss : {"squared", "logistic"}, optional
        ``1/2 |f - y|^2``, or ``sum log(1 + exp(-y f))`` of labels -1 and 1.

    Returns
    -------
    Baseline
        Objectives, traces and networks.

    Raises
    ------
    ValueError
        If shapes disagree, a value is not finite, or a name is unknown.
    """
    [found] = _train(
        [patches], [y], [beta], rng=[rng], width=width, architecture=architecture,
        restarts=restarts, max_iter=max_iter, method=method, step=step, schedule=schedule,
        batch_size=batch_size, record_every=record_every, scale=scale, start=start,
        callback=callback, filter_length=filter_length, loss=loss,
    )  # fmt: skip
    return found


def train_baselines(patches, y, beta, *, rng, **options):
    """Train on several data sets of one shape at once, each as `train_baseline` would by itself.

    Parameters
    ----------
    patches : sequence of ndarray, each of shape (n, K, h), or (n, d) for "circular"
    y : sequence of ndarray, each of shape (n,)
    beta : sequence of float or of ndarray, shape (restarts,)
        Weight decays, one for each data set.
    rng : sequence of int or numpy.random.Generator
        One for each data set.
    **options
        What `train_baseline` takes but `start` and `callback`; for all data sets.

    Returns
    -------
    list of Baseline
        One for each data set.

    Raises
    ------
    ValueError
        As for `train_baseline`, or if the data sets differ in shape or number.
    """
    return _train(patches, y, beta, rng=rng, **train_baseline.__kwdefaults__ | options)


def _train(
    patches, y, beta, *, rng, width, architecture, restarts, max_iter, method, step, schedule,
    batch_size, record_every, scale, start, callback, filter_length, loss,
):  # fmt: skip
    if method not in _STEPS:
        raise ValueError(f"method: expected one of {', '.join(_STEPS)}, found {method!r}")
    if schedule not in ("cosine", "constant"):
        raise ValueError(f"schedule: expected 'cosine' or 'constant', found {schedule!r}")
    architecture, patches, y = _check_sets(architecture, patches, y)
    make_loss(loss, y)  # refuses unknown names and labels
    value, slope = _LOSSES[loss]
    beta = np.array([np.broadcast_to(np.asarray(b, dtype=float), (restarts,)) for b in beta])
    check_beta(np.min(beta))
    (sets, n), rng = y.shape, [np.random.default_rng(one) for one in rng]
    if not len(beta) == len(rng) == sets:
        raise ValueError(
            f"beta, rng: expected one for each of {sets} data sets, found {len(beta)}, {len(rng)}"
        )
    if method == "sgd" and batch_size is None:
        raise ValueError("batch_size: method 'sgd' needs one; use 'gd' for all samples at a step")
    if batch_size is not None and not 1 <= batch_size <= n:
        raise ValueError(f"batch_size: expected 1 to n={n}, found {batch_size}")
    _check_length(architecture, filter_length, patches.shape[3])
    model = _MODELS[type(architecture)](architecture, patches.shape[1:], width, filter_length)
    by_patch = np.ascontiguousarray(patches.transpose(0, 2, 1, 3))
    theta, views, decay = _start(model, restarts, rng, scale, start)
    beta = beta.reshape(-1, 1)
    shrink = beta * decay
    rate = np.asarray(_STEPS[method] if step is None else step, dtype=float)
    rate = np.tile(np.broadcast_to(rate, (restarts,)), sets)[:, None]
    targets = np.repeat(y, restarts, axis=0)

    def full_objective():
        output, _ = model.forward(views, by_patch)
        return value(output, targets) + beta[:, 0] / 2 * (theta**2 @ decay)

    update = _adam if method == "adam" else _plain
    memory = (np.zeros_like(theta), np.zeros_like(theta))
    best, kept = np.full(len(theta), np.inf), theta.copy()
    iterations, trace = [], []
    seen, wanted = by_patch, targets
    for t in range(max_iter + 1):
        if t % record_every == 0 or t == max_iter:
            objective = full_objective()
            iterations.append(t)
            trace.append(objective)
            better = objective < best
            best, kept[better] = np.where(better, objective, best), theta[better]
            if callback is not None:
                callback(t, views, objective)
        if t == max_iter:
            break
        if batch_size is not None and batch_size < n:
            chosen = np.array([one.choice(n, batch_size, replace=False) for one in rng])
            seen = np.take_along_axis(by_patch, chosen[:, None, :, None], axis=2)
            wanted = np.repeat(np.take_along_axis(y, chosen, axis=1), restarts, axis=0)
        output, pullback = model.forward(views, seen)
        gradients = pullback(slope(output, wanted) * (n / output.shape[1]))
        gradient = np.concatenate(
            [gradients[name].reshape(len(theta), -1) for name in views], axis=1
        )
        gradient += shrink * theta
        fall = 0.5 + 0.5 * np.cos(np.pi * t / max_iter) if schedule == "cosine" else 1.0
        theta -= update(gradient, memory, t + 1, rate * fall)
    return _split(sets, best, np.array(iterations), np.array(trace), kept, model, architecture)


def _check_sets(architecture, patches, y):
    """The architecture, patches (sets, n, K, h) and targets (sets, n) of the data sets."""
    checked = [check_data(architecture, *one) for one in zip(patches, y, strict=True)]
    architectures, patches, y = zip(*checked, strict=True)
    shapes = {one.shape for one in patches}
    if len(shapes) > 1:
        raise ValueError(f"patches: expected data sets of one shape, found {sorted(shapes)}")
    return architectures[0], np.array(patches), np.array(y)


def _split(sets, best, iterations, trace, kept, model, architecture):
    """A `Baseline` for each data set, from the arrays of all."""
    parts = zip(
        np.split(best, sets), np.split(trace, sets, axis=1), np.split(kept, sets), strict=True
    )
    return [
        Baseline(
            objective,
            int(objective.argmin()),
            iterations,
            steps,
            _views(model, theta),
            architecture,
        )
        for objective, steps, theta in parts
    ]


def _check_length(architecture, filter_length, d):
    if filter_length is None:
        return
    if not isinstance(architecture, Circular):
        raise ValueError(
            f"filter_length: expected None for {architecture.name!r}, found {filter_length}; only "
            "'circular' pads its filters"
        )
    if not 1 <= filter_length <= d:
        raise ValueError(f"filter_length: expected 1 to {d}, found {filter_length}")


def _start(model, restarts, rng, scale, start):
    """One flat array for all parameters, views of it by name, and the mask of those that decay."""
    sizes = {name: int(np.prod(shape)) for name, shape in model.shapes.items()}
    theta = np.empty((len(rng) * restarts, sum(sizes.values())))
    views = _views(model, theta)
    for name, shape in model.shapes.items():
        if start is not None:
            views[name][...] = start[name]
        else:
            fan_in = shape[-1] if len(shape) > 1 else shape[0]
            drawn = [one.standard_normal((restarts, *shape)) for one in rng]
            views[name][...] = scale / np.sqrt(fan_in) * np.concatenate(drawn)
    decay = np.concatenate([np.full(sizes[name], name in model.decayed) for name in sizes])
    return theta, views, decay.astype(float)


def _views(model, theta):
    views, first = {}, 0
    for name, shape in model.shapes.items():
        last = first + int(np.prod(shape))
        views[name] = theta[:, first:last].reshape(len(theta), *shape)
        first = last
    return views


def _plain(gradient, memory, t, rate):
    return rate * gradient


def _adam(gradient, memory, t, rate):
    """Kingma & Ba (2015) with their constants, in the memory of `gradient`."""
    mean, square = memory
    mean *= 0.9
    mean += 0.1 * gradient
    square *= 0.999
    gradient *= gradient
    gradient *= 0.001
    square += gradient
    change = np.divide(square, 1 - 0.999**t, out=gradient)
    np.sqrt(change, out=change)
    change += 1e-12
    np.divide(mean / (1 - 0.9**t), change, out=change)
    change *= rate
    return change


def _rows(patches):
    """All patches of each data set, one below the other: (sets, K n, h)."""
    sets, _, _, h = patches.shape
    return patches.reshape(sets, -1, h)


def _preactivations(U, patches):
    """``X_k u`` for each restart and filter, shape (R, m, K, n): sums over k then add rows."""
    rows = _rows(patches)
    product = U.reshape(len(rows), -1, U.shape[-1]) @ rows.swapaxes(1, 2)
    return product.reshape(*U.shape[:-1], *patches.shape[1:3])


def _filter_gradient(slopes, patches):
    """Contract slopes (R, m, K, n) with the patches: shape (R, m, h)."""
    rows = _rows(patches)
    product = slopes.reshape(len(rows), -1, rows.shape[1]) @ rows
    return product.reshape(*slopes.shape[:2], -1)


def _patchwise(values, matrices):
    """Multiply (R, m, K, a) by a matrix (a, b) of each patch, (sets, K, a, b): (R, m, K, b)."""
    R, m, K, a = values.shape
    product = values.reshape(len(matrices), -1, K, a).swapaxes(1, 2) @ matrices
    return product.swapaxes(1, 2).reshape(R, m, K, -1)


# NumPy reduces and multiplies along a short last axis an element at a time: what follows goes
# through one product of matrices, or over the patches, instead.


def _over_patches(function, values):
    """Sum or maximum of values (R, m, K, ...) over the patches: (R, m, ...)."""
    return reduce(function, np.moveaxis(values, 2, 0))


def _dot(a, b):
    """Scalar products along the last axis."""
    product = a * b
    return (product.reshape(-1, product.shape[-1]) @ np.ones(product.shape[-1])).reshape(
        product.shape[:-1]
    )


def _times(values, matrix):
    """Multiply the last axis by a matrix (a, b)."""
    return (values.reshape(-1, len(matrix)) @ matrix).reshape(*values.shape[:-1], -1)


def _pooled(architecture, shape, width, length):
    """Sum or max over patches, one output weight for each filter."""

    def forward(p, patches):
        z = _preactivations(p["filters"], patches)
        if architecture.name == "average":
            active = z > 0
            pooled = _over_patches(np.add, np.maximum(z, 0.0))
        else:
            pooled = np.maximum(_over_patches(np.maximum, z), 0.0)
            active = (z == pooled[:, :, None]) & (z > 0)
        output = (p["weights"][:, None] @ pooled)[:, 0]

        def pullback(r):
            slopes = (p["weights"][:, :, None] * r[:, None])[:, :, None] * active
            return {
                "filters": _filter_gradient(slopes, patches),
                "weights": (pooled @ r[:, :, None])[..., 0],
            }

        return output, pullback

    shapes = {"filters": (width, shape[2]), "weights": (width,)}
    return _Model(shapes, ("filters", "weights"), forward)


def _without_pooling(architecture, shape, width, length):
    """One output weight for each filter and patch; ReLU or linear."""

    def forward(p, patches):
        z = _preactivations(p["filters"], patches)
        active = z > 0 if architecture.name == "none" else np.ones_like(z)
        hidden = z * active
        restarts, samples = len(z), z.shape[-1]
        stacked = hidden.reshape(restarts, -1, samples)
        output = (p["weights"].reshape(restarts, 1, -1) @ stacked)[:, 0]

        def pullback(r):
            slopes = active * (p["weights"][..., None] * r[:, None, None])
            return {
                "filters": _filter_gradient(slopes, patches),
                "weights": (stacked @ r[:, :, None]).reshape(p["weights"].shape),
            }

        return output, pullback

    shapes = {"filters": (width, shape[2]), "weights": (width, shape[1])}
    return _Model(shapes, ("filters", "weights"), forward)


def _normalise(u):
    """Unit vectors, and the pullback of the normalisation."""
    size = np.sqrt(_dot(u, u))[..., None]
    unit = u / size

    def pullback(g):
        return (g - _dot(g, unit)[..., None] * unit) / size

    return unit, pullback


def _circular(architecture, shape, width, length):
    """``(X U_1 .. U_{L-2} v)_+ w`` with circulant U; convolutions are products of spectra."""
    d, hidden = shape[2], architecture.layers - 2
    bound_product = architecture.constraint == "product"
    length = d if length is None else length
    # At these lengths a product of matrices is faster than fft. Of a real signal half the spectrum
    # says all; as real numbers, its real and imaginary parts in turn.
    there = np.fft.rfft(np.eye(d)).view(float)
    back = np.fft.irfft(np.eye(there.shape[1]).view(complex), n=d)
    twice = np.where(np.arange(d // 2 + 1) * 2 % d == 0, 1.0, 2.0)

    def spectrum(signal):
        return _times(signal, there[: signal.shape[-1]]).view(complex)

    def inverse(spectra, length=d):
        return _times(np.ascontiguousarray(spectra).view(float), back[:, :length])

    def forward(p, patches):
        unit, unit_pullback = _normalise(p["filters"])
        spectra = spectrum(unit)
        product = _over_patches(np.multiply, spectra)
        size = 1.0
        if bound_product:
            size = np.sqrt(_times(abs(product) ** 2, twice[:, None]))
        first = spectrum(p["inner"])
        z = inverse(product * first) / size
        pre = _preactivations(z, patches)[:, :, 0]
        active = pre > 0
        hidden_units = pre * active
        output = (p["weights"][:, None] @ hidden_units)[:, 0]

        def pullback(r):
            slopes = active * (p["weights"][:, :, None] * r[:, None])
            slope_z = _filter_gradient(slopes[:, :, None], patches)
            spectral = spectrum(slope_z) / size
            onto_product = np.conj(first) * spectral
            if bound_product:
                along = d * _dot(slope_z, z)[..., None]
                onto_product = onto_product - along / size**2 * product
            onto_filters = np.empty_like(p["filters"])
            for layer in range(hidden):
                onto_layer = onto_product
                for other in range(hidden):
                    if other != layer:
                        onto_layer = np.conj(spectra[..., other, :]) * onto_layer
                onto_filters[..., layer, :] = inverse(onto_layer, length)
            return {
                "filters": unit_pullback(onto_filters),
                "inner": inverse(np.conj(product) * spectral),
                "weights": (hidden_units @ r[:, :, None])[..., 0],
            }

        return output, pullback

    shapes = {"filters": (width, hidden, length), "inner": (width, d), "weights": (width,)}
    return _Model(shapes, ("inner", "weights"), forward)


def _two_relu(architecture, shape, width, length):
    """``(sum_k (X_k u_k)_+ v_k)_+ w``, the filters shared by the patches or not."""
    _, K, h = shape
    shared = architecture.shared

    def forward(p, patches):
        unit, unit_pullback = _normalise(p["filters"])
        if shared:
            z = _preactivations(unit, patches)
        else:
            z = _patchwise(unit, patches.swapaxes(2, 3))
        hidden = np.maximum(z, 0.0)
        inner = _over_patches(np.add, p["inner"][..., None] * hidden)
        outer = np.maximum(inner, 0.0)
        output = (p["weights"][:, None] @ outer)[:, 0]

        def pullback(r):
            slope = (inner > 0) * (p["weights"][:, :, None] * r[:, None])
            slopes = slope[:, :, None] * p["inner"][..., None] * (z > 0)
            if shared:
                onto = _filter_gradient(slopes, patches)
            else:
                onto = _patchwise(slopes, patches)
            return {
                "filters": unit_pullback(onto),
                "inner": _dot(hidden, slope[:, :, None]),
                "weights": (outer @ r[:, :, None])[..., 0],
            }

        return output, pullback

    filters = (width, h) if shared else (width, K, h)
    shapes = {"filters": filters, "inner": (width, K), "weights": (width,)}
    return _Model(shapes, ("inner", "weights"), forward)


def _bounded(architecture, filters, inner, weights):
    """Filters that meet their bound, of the network's full shape."""
    filters = _normalise(filters)[0]
    if isinstance(architecture, TwoReLU):
        return filters if filters.ndim == 3 else np.repeat(filters[:, None], inner.shape[1], axis=1)
    missing = inner.shape[-1] - filters.shape[-1]
    filters = np.concatenate([filters, np.zeros((*filters.shape[:-1], missing))], axis=-1)
    if architecture.constraint == "product":
        size = np.linalg.norm(np.fft.fft(filters).prod(axis=-2), axis=-1)
        filters = filters / (size ** (1 / filters.shape[-2]))[:, None, None]
    return filters


_MODELS = {
    Average: _pooled,
    Max: _pooled,
    Unpooled: _without_pooling,
    Linear: _without_pooling,
    Circular: _circular,
    TwoReLU: _two_relu,
}
