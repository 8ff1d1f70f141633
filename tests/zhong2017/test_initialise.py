"""Tensor initialisation: exact on population moments, accurate on samples, loud where it fails."""

import re
import tracemalloc
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory import images
from cnntheory.zhong2017 import (
    ACTIVATIONS,
    AssumptionWarning,
    decompose,
    draw_teacher,
    initialise,
    match_filters,
    network_output,
    recovery_error,
    split_half_error,
    tensor_initialise,
)
from cnntheory.zhong2017.initialise import check_inputs, estimate_subspace, signs_and_magnitudes

IDENTIFIABLE = [a for a in ACTIVATIONS if a not in ("linear", "quadratic")]
TARGET = {"squared_relu": 0.15, "relu": 0.15, "tanh": 0.3}


def draw_sample(seed, n, k, r, t, activation, condition=2.0):
    rng = np.random.default_rng(seed)
    W = draw_teacher(t, k, condition, rng=rng)
    x = rng.standard_normal((n, r, k))
    return W, x, network_output(W, x, activation)


@pytest.fixture(scope="module")
def standard():
    """Errors over 8 seeds at the standard size, the same inputs and kernels for all activations."""
    errors = {activation: [] for activation in TARGET}
    for seed in range(8):
        W, x, _ = draw_sample(seed, 160_000, 10, 4, 3, "relu")
        for activation in TARGET:
            y = network_output(W, x, activation)
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # a clear signal raises no warning
                start = tensor_initialise(x, y, 3, activation, rng=seed)
            errors[activation].append(recovery_error(start.filters, W))
    return errors


@pytest.mark.parametrize("activation", TARGET)
def test_error_at_the_standard_size(standard, activation):
    assert np.max(standard[activation]) < TARGET[activation]


@pytest.mark.parametrize("method", ["kcl", "jennrich"])
@pytest.mark.parametrize("activation", IDENTIFIABLE)
def test_population_moments_give_the_kernels_exactly(activation, method):
    rng = np.random.default_rng(4)
    W, phi = draw_teacher(4, 7, rng=rng), ACTIVATIONS[activation]
    norms = np.linalg.norm(W, axis=1)
    units = W / norms[:, None]
    V = np.linalg.qr(W.T @ rng.standard_normal((4, 4)))[0]  # any basis of the span
    order, R = phi.orders[1], 0.0
    for c, u in zip(phi.hermite(order, norms), units @ V, strict=True):
        power = c * u
        for _ in range(order - 1):
            power = np.multiply.outer(power, u)
        R = R + power
    M_1 = phi.hermite(1, norms) @ units
    parts = decompose(R, rng=rng, method=method)
    ceiling = phi.ceiling(M_1, phi.gamma(0, norms).sum(), 4)
    estimate, clipped = signs_and_magnitudes(parts.directions @ V.T, M_1, phi, ceiling)
    np.testing.assert_allclose(match_filters(estimate, W), W, atol=1e-8)
    assert parts.residual < 1e-8
    assert not clipped.any()


# The cubic's moments average sixth powers, which needs more samples than a test has.
@pytest.mark.parametrize("activation", [a for a in IDENTIFIABLE if a != "cubic"])
@pytest.mark.parametrize("n_filters", [1, 4])
def test_extreme_numbers_of_filters(activation, n_filters):
    W, x, y = draw_sample(0, 100_000, 4, 2, n_filters, activation, condition=1.5)
    found = tensor_initialise(x, y, n_filters, activation)
    assert recovery_error(found.filters, W).frobenius < 0.25


@pytest.mark.parametrize("activation", ["squared_relu", "tanh"])
def test_order_of_filters_and_kind_of_array_do_not_matter(activation):
    W, x, y = draw_sample(1, 20_000, 5, 2, 3, activation)

    def estimate(patches, labels=y):
        return tensor_initialise(patches, labels, 3, activation).filters

    found = estimate(x)
    permuted = estimate(x, network_output(W[[2, 0, 1]], x, activation))
    np.testing.assert_allclose(match_filters(permuted, found), found, atol=1e-6)
    tensors = torch.as_tensor(x).requires_grad_(), torch.as_tensor(y)
    np.testing.assert_array_equal(estimate(*tensors), found)
    np.testing.assert_allclose(estimate(np.asfortranarray(x)), found, atol=1e-12)
    single = estimate(x.astype(np.float32))
    np.testing.assert_allclose(match_filters(single, found), found, atol=1e-3)


def test_estimate_turns_with_the_patches():
    _, x, y = draw_sample(2, 40_000, 5, 2, 3, "squared_relu")
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    # Least squares on the compressed tensor does not depend on the basis of the span.
    found, other = (
        tensor_initialise(patches, y, 3, "squared_relu", method="jennrich").filters
        for patches in (x, x @ Q.T)
    )
    np.testing.assert_allclose(match_filters(other, found @ Q.T), found @ Q.T, atol=1e-6)


def test_centring_lowers_the_error():
    errors = {False: [], "mean": [], True: []}
    for seed in range(8):
        W, x, y = draw_sample(seed, 20_000, 6, 2, 3, "relu")
        for center, found in errors.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                start = tensor_initialise(x, y, 3, "relu", center=center)
            found.append(recovery_error(start.filters, W).frobenius)
    published, mean, full = (np.median(errors[c]) for c in (False, "mean", True))
    assert full < mean < published


def test_averaging_patches_lowers_the_error_of_the_span():
    errors = {1: [], 4: []}
    for seed in range(8):
        W, x, y = draw_sample(seed, 20_000, 8, 4, 2, "squared_relu")
        span = np.linalg.qr(W.T)[0]
        for r, found in errors.items():
            V = estimate_subspace(x[:, :r], y - y.mean(), 2, 2).basis
            found.append(np.linalg.norm(span - V @ (V.T @ span)))
    assert np.median(errors[4]) < np.median(errors[1]) / 1.5


def test_information():
    ratios = []
    for seed in range(6):
        W, x, y = draw_sample(seed, 40_000, 6, 3, 3, "squared_relu")
        start = tensor_initialise(x, y, 3, "squared_relu")
        estimated = split_half_error(x, y, 3, "squared_relu")
        ratios.append(estimated / recovery_error(start.filters, W).frobenius)
        assert start.subspace_gap > 3 * start.subspace_noise > 0
        assert start.smallest_weight > 3 * start.tensor_noise > 0
        assert 0 < start.decomposition_residual < 0.2
        assert start.clipped.shape == (3,)
        assert not start.clipped.any()
        assert start.converged and 2 < start.n_iter < 100
        assert start.weak == start.departures == []
    assert 0.5 < np.median(ratios) < 2


@pytest.mark.parametrize("activation", ["squared_relu", "relu", "tanh"])
def test_pure_noise_is_reported(activation):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2000, 2, 8)), rng.standard_normal(2000)
    with pytest.warns(RuntimeWarning, match="signal below noise"):
        start = tensor_initialise(x, y, 3, activation)
    assert start.weak
    assert split_half_error(x, y, 3, activation) > 0.3


def test_saturated_magnitudes_are_flagged():
    # Twice the outputs of a saturated tanh ask for more than m_1 can reach.
    _, x, y = draw_sample(0, 20_000, 4, 1, 1, "tanh")
    start = tensor_initialise(x, 2 * y, 1, "tanh")
    assert start.clipped.all()
    assert np.linalg.norm(start.filters) == pytest.approx(10)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["relu", "leaky_relu", "squared_relu", "softplus"]),
    st.floats(1, 50),
)
def test_ceiling_is_above_every_filter(seed, activation, condition):
    W, phi = draw_teacher(4, 5, condition, rng=seed), ACTIVATIONS[activation]
    norms = np.linalg.norm(W, axis=1)
    M_1 = phi.hermite(1, norms) @ (W / norms[:, None])
    assert phi.ceiling(M_1, phi.gamma(0, norms).sum(), 4) > norms.max()


def test_streaming_needs_little_memory():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1_000_000, 2, 4), dtype=np.float32)
    W = draw_teacher(2, 4, rng=rng).astype(np.float32)
    for activation in ("relu", "tanh"):
        y = network_output(W, x, activation)
        tracemalloc.start()
        tensor_initialise(x, y, 2, activation)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 100e6


@pytest.mark.parametrize(("activation", "wrong"), [("relu", (2, 3)), ("tanh", (2, 3))])
def test_wrong_moments_fail_at_every_sample_size(activation, wrong):
    # The third moment of the ReLU and the second of tanh vanish: only noise is decomposed.
    errors = {(orders, n): [] for orders in (wrong, None) for n in (5_000, 80_000)}
    for (orders, n), trials in errors.items():
        for seed in range(8):
            W, x, y = draw_sample(seed, n, 6, 2, 3, activation)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                start = tensor_initialise(x, y, 3, activation, orders=orders)
            trials.append(recovery_error(start.filters, W).frobenius)
    median = {key: np.median(trials) for key, trials in errors.items()}
    assert min(median[wrong, 5_000], median[wrong, 80_000]) > 0.5
    assert median[None, 80_000] < 0.1


def test_uniform_inputs_leave_a_bias_that_samples_do_not_remove():
    ratio = {}
    for law in ("gaussian", "uniform"):
        errors = []
        for n in (10_000, 160_000):
            trials = []
            for seed in range(8):
                rng = np.random.default_rng(seed)
                W = draw_teacher(3, 5, rng=rng)
                x = rng.standard_normal((n, 2, 5))
                if law == "uniform":
                    x = rng.uniform(-np.sqrt(3), np.sqrt(3), x.shape)
                y = network_output(W, x, "squared_relu")
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    start = tensor_initialise(x, y, 3, "squared_relu")
                trials.append(recovery_error(start.filters, W).frobenius)
            errors.append(np.median(trials))
        ratio[law] = errors[1] / errors[0]
    assert ratio["gaussian"] < 0.4
    assert ratio["uniform"] > 0.7


def test_dependent_filters_cannot_be_recovered():
    rng = np.random.default_rng(0)
    plane = draw_teacher(2, 5, rng=rng)
    W = np.vstack([plane, [0.7, 0.7] @ plane])
    x = rng.standard_normal((100_000, 2, 5))
    y = network_output(W, x, "squared_relu")
    with pytest.warns(RuntimeWarning, match="signal below noise"):
        start = tensor_initialise(x, y, 3, "squared_relu")
    assert recovery_error(start.filters, W).largest > 0.2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patches": np.ones((40, 8))}, "patches: expected shape (n, k, p)"),
        ({"n_filters": 5}, "n_filters: expected between 1 and the 4 entries of a patch, found 5"),
        ({"n_filters": 0}, "n_filters: expected between 1"),
        ({"activation": "quadratic"}, "which is even"),
        ({"activation": "linear"}, "which is linear"),
        ({"activation": "gelu"}, "activation: expected one of"),
        ({"method": "als"}, "method: expected 'kcl', 'jennrich' or 'published', found 'als'"),
        ({"center": "median"}, 'center: expected True, False or "mean"'),
        ({"orders": (3, 2)}, "orders: expected"),
        ({"y": np.ones(39)}, "y: expected shape (40,)"),
        ({"patches": np.ones((5, 2, 4)), "y": np.ones(5)}, "n_filters * p = 12 patches"),
        ({"patches": np.full((40, 2, 4), np.nan)}, "patches: expected finite"),
        ({"y": np.where(np.arange(40) == 7, np.inf, 1.0)}, "y: expected finite"),
    ],
)
def test_bad_arguments(change, message):
    rng = np.random.default_rng(0)
    arguments = {
        "patches": rng.standard_normal((40, 2, 4)),
        "y": rng.standard_normal(40),
        "n_filters": 3,
        "activation": "relu",
    }
    with pytest.raises(ValueError, match=re.escape(message)):
        tensor_initialise(**{**arguments, **change})


# As published


@pytest.mark.parametrize("n_filters", [2, 5])
@pytest.mark.parametrize("activation", ["squared_relu", "relu", "tanh", "sigmoid"])
def test_the_published_recipe_is_exact_on_population_moments(activation, n_filters, monkeypatch):
    # With m = p the random direction lies in the span of the filters.
    W, phi = draw_teacher(n_filters, 5, rng=n_filters), ACTIVATIONS[activation]
    norms = np.linalg.norm(W, axis=1)
    units = W / norms[:, None]

    def moment(order, *sides):
        """``sum_l m_order(|w_l|) (sides^T w_l / |w_l|)``, the outer product over the sides."""
        total = 0.0
        for c, u in zip(phi.hermite(order, norms), units, strict=True):
            for side in sides:
                c = np.multiply.outer(c, side.T @ u)
            total = total + c
        return total

    eye = np.eye(5)
    population = {
        "first_moment": lambda x, y: moment(1, eye),
        "second_moment": lambda x, y: moment(2, eye, eye),
        "contracted_third_moment": lambda x, y, a: moment(3, eye, eye, a),
        "compressed_moment": lambda x, y, V, order: moment(order, *[V] * order),
    }
    for name, function in population.items():
        monkeypatch.setattr(initialise, name, function)
    x, y = np.zeros((30, 2, 5)), np.full(30, 2 * phi.gamma(0, norms).sum())
    with pytest.warns(AssumptionWarning, match="not independent standard normal"):
        found = tensor_initialise(x, y, n_filters, activation, method="published")
    np.testing.assert_allclose(match_filters(found.filters, W), W, atol=1e-6)
    assert np.isnan(found.subspace_noise) and not found.weak


def test_the_published_recipe_needs_three_samples():
    with pytest.raises(ValueError, match="at least 3 samples to split, found 2"):
        tensor_initialise(np.ones((2, 10, 4)), np.ones(2), 2, "relu", method="published")


def test_the_published_recipe_sees_the_moments_of_its_own_third():
    # Labels that are spoilt in one third of the samples spoil one step of the recipe.
    _, x, y = draw_sample(0, 60_000, 4, 2, 2, "squared_relu")
    usual = tensor_initialise(x, y, 2, "squared_relu", method="published").filters
    spoilt = y.copy()
    spoilt[2::3] *= 4  # M_1 alone: the directions stay, the squares of the lengths grow by four
    with pytest.warns(AssumptionWarning, match="of the labels' variance"):
        found = tensor_initialise(x, spoilt, 2, "squared_relu", method="published").filters
    np.testing.assert_allclose(match_filters(found, 2 * usual), 2 * usual, rtol=1e-9)


# Outside the assumptions


def changed(kind, patches):
    """Data that break one assumption, from data that keep all."""
    rng = np.random.default_rng(7)
    n, _, p = patches.shape
    x = patches.reshape(n, -1)
    unit = {
        "uniform": lambda: rng.uniform(-np.sqrt(3), np.sqrt(3), x.shape),
        "laplace": lambda: rng.laplace(scale=np.sqrt(0.5), size=x.shape),
        "shifted": lambda: x + 0.5,
        "scaled": lambda: 3 * x,
        "overlapping": lambda: np.concatenate([x[:, :p], x[:, p // 2 : 3 * p // 2]], axis=1),
        "correlated": lambda: x + 0.5 * np.roll(x, 1, axis=1),
    }
    return unit[kind]().reshape(patches.shape)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("uniform", "kurtosis off by 1"),
        ("laplace", "kurtosis off by"),
        ("shifted", "mean off by 0.5"),
        ("scaled", "variance off by 8"),
        ("overlapping", "correlation off by 1"),
        ("correlated", "correlation off by"),
    ],
)
def test_inputs_outside_the_theory_are_named(kind, said):
    W, x, _ = draw_sample(0, 20_000, 8, 2, 2, "squared_relu")
    x = changed(kind, x)
    with pytest.warns(AssumptionWarning, match=rf"are not independent standard normal: .*{said}"):
        tensor_initialise(x, network_output(W, x, "squared_relu"), 2, "squared_relu")


def test_pixels_are_named(mnist_folder):
    data = images.load(mnist_folder) if mnist_folder else images.small_mnist()
    patches = images.extract_patches(data["train_images"][:1500, 4:24:2, 4:24:2], 4, 4) / 255
    y = network_output(draw_teacher(2, 16, rng=0), patches, "relu")
    with pytest.warns(AssumptionWarning, match="patches are not independent .*: mean off"):
        tensor_initialise(patches, y, 2, "relu")


def test_labels_that_are_no_such_network_are_named():
    _, x, y = draw_sample(0, 100_000, 8, 2, 2, "tanh")
    with pytest.warns(AssumptionWarning, match=r"explains -?\d+% of the labels' variance"):
        start = tensor_initialise(x, np.sin(5 * y) + y**2, 2, "tanh")
    assert start.explained < 0.5
    start = tensor_initialise(x, y, 2, "tanh")
    assert start.explained > 0.9
    assert all(found <= allowed for found, allowed in start.inputs.values())


@pytest.mark.parametrize("n", [200, 1000, 50_000])
def test_gaussian_inputs_are_not_suspected(n):
    for seed in range(20):
        x = np.random.default_rng(seed).standard_normal((n, 4, 10))
        found = check_inputs(x)
        assert all(value <= allowed for value, allowed in found.values()), (seed, found)
