import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.du2018.laws import mixture, unit_vectors
from cnntheory.du2018.neuron import (
    angle,
    convolution_gradient,
    empirical_gradient,
    gaussian_gradient,
    gaussian_loss,
    loss,
    neuron_gradient,
    predict,
    region_means,
    signed_angle,
)
from cnntheory.du2018.smoothness import angular_moments, sample_moments

seeds = st.integers(0, 2**32 - 1)


@st.composite
def networks(draw, most_filters=4):
    """Filters, teachers and patches of a random shape, with up to two trial axes."""
    rng = np.random.default_rng(draw(seeds))
    trials = tuple(draw(st.lists(st.integers(1, 3), max_size=2)))
    m, n, k, p = (draw(st.integers(1, top)) for top in (most_filters, 6, 5, 7))
    w, w_star = rng.standard_normal((2, *trials, m, p))
    return w, w_star, rng.standard_normal((*trials, n, k, p))


@st.composite
def single_networks(draw, patches=None):
    rng = np.random.default_rng(draw(seeds))
    n, p = draw(st.integers(1, 20)), draw(st.integers(1, 8))
    k = patches or draw(st.integers(1, 5))
    w, w_star = rng.standard_normal((2, p))
    return w, w_star, rng.standard_normal((n, k, p))


def torch_outputs(w, z):
    return torch.relu(torch.einsum("...nkp,...mp->...nkm", z, w)).mean(dim=-2)


@settings(deadline=None)
@given(networks())
def test_outputs_average_rectified_patches(network):
    w, _, z = network
    expected = torch_outputs(torch.tensor(w), torch.tensor(z)).numpy()
    np.testing.assert_allclose(predict(w, z), expected, atol=1e-13)


@settings(deadline=None)
@given(networks())
def test_filters_of_all_trials_can_share_their_inputs(network):
    w, _, z = network
    shared = z.reshape(-1, *z.shape[-3:])[0]
    expected = predict(w, np.broadcast_to(shared, (*w.shape[:-2], *shared.shape)))
    np.testing.assert_allclose(predict(w, shared), expected, atol=1e-13)


@settings(deadline=None)
@given(networks(), st.booleans(), st.booleans(), seeds)
def test_gradient_is_that_of_automatic_differentiation(network, one_teacher, noisy, seed):
    w, w_star, z = network
    if one_teacher:
        w_star = w_star[..., :1, :]
    noise = np.random.default_rng(seed).standard_normal(predict(w, z).shape) if noisy else None
    variable = torch.tensor(w, requires_grad=True)
    inputs = torch.tensor(z)
    residual = torch_outputs(variable, inputs) - torch_outputs(torch.tensor(w_star), inputs)
    if noisy:
        residual = residual - torch.tensor(noise)
    value = 0.5 * (residual**2).mean(dim=-2)
    value.sum().backward()
    found = empirical_gradient(w, w_star, z, noise=noise)
    np.testing.assert_allclose(found, variable.grad.numpy(), atol=1e-12)
    if not noisy:
        np.testing.assert_allclose(loss(w, w_star, z), value.detach().numpy(), atol=1e-12)


@settings(deadline=None)
@given(networks())
def test_loss_and_gradient_vanish_at_the_teacher(network):
    _, w_star, z = network
    np.testing.assert_array_equal(loss(w_star, w_star, z), 0)
    np.testing.assert_array_equal(empirical_gradient(w_star, w_star, z), 0)


@settings(deadline=None)
@given(networks())
def test_single_precision_stays_single(network):
    w, w_star, z = (a.astype(np.float32) for a in network)
    found = empirical_gradient(w, w_star, z)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, empirical_gradient(*network), atol=1e-4)


def test_the_gradient_at_zero_is_zero():
    rng = np.random.default_rng(0)
    w_star, z = rng.standard_normal((1, 3)), rng.standard_normal((5, 2, 3))
    np.testing.assert_array_equal(empirical_gradient(np.zeros((1, 3)), w_star, z), 0)


@settings(deadline=None)
@given(single_networks())
def test_region_means_make_up_the_residual(network):
    w, w_star, z = network
    z_pp, z_pm, z_mp = region_means(w, w_star, z)
    residual = z_pp @ (w - w_star) + z_pm @ w - z_mp @ w_star
    expected = (predict(w[None], z) - predict(w_star[None], z))[:, 0]
    np.testing.assert_allclose(residual, expected, atol=1e-13)


@settings(deadline=None)
@given(single_networks())
def test_swapping_filter_and_teacher_swaps_wrong_and_missed_patches(network):
    w, w_star, z = network
    z_pp, z_pm, z_mp = region_means(w, w_star, z)
    for found, expected in zip(region_means(w_star, w, z), (z_pp, z_mp, z_pm), strict=True):
        np.testing.assert_array_equal(found, expected)


@settings(deadline=None)
@given(single_networks())
def test_convolution_identity_gives_the_gradient_of_the_loss(network):
    w, w_star, z = network
    found = convolution_gradient(w, w_star, sample_moments(w, w_star, z))
    expected = empirical_gradient(w[None], w_star[None], z)[0]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@settings(deadline=None)
@given(single_networks(patches=1))
def test_neuron_identity_is_the_convolution_identity_of_one_patch(network):
    w, w_star, z = network
    moments = sample_moments(w, w_star, z)
    found = neuron_gradient(w, w_star, moments["pp,pp"], moments["pm,pm"])
    np.testing.assert_allclose(found, convolution_gradient(w, w_star, moments), atol=1e-12)


@settings(deadline=None)
@given(single_networks())
def test_moments_of_the_regions_make_up_the_loss(network):
    w, w_star, z = network
    moments = sample_moments(w, w_star, z)
    weights = {"pp": w - w_star, "pm": w, "mp": -w_star}
    square = sum(
        (1 if pair[:2] == pair[3:] else 2) * weights[pair[:2]] @ moment @ weights[pair[3:]]
        for pair, moment in moments.items()
    )
    assert 0.5 * square == pytest.approx(loss(w[None], w_star[None], z)[0], abs=1e-12)


def test_identities_hold_for_stacked_filters_and_moments():
    rng = np.random.default_rng(1)
    w, w_star = rng.standard_normal((2, 4, 3))
    z = rng.standard_normal((4, 6, 2, 3))
    each = [sample_moments(*one) for one in zip(w, w_star, z, strict=True)]
    moments = {pair: np.stack([moment[pair] for moment in each]) for pair in each[0]}
    found = convolution_gradient(w, w_star, moments)
    expected = empirical_gradient(w[:, None], w_star[:, None], z)[:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-13)


# --- Gaussian inputs -----------------------------------------------------------------------------

PAIRS = [
    ((1.0, 0.3), (1.0, 0.0)),
    ((-0.4, 0.5), (1.0, 0.0)),
    ((0.2, -2.0, 0.7), (-1.0, 0.5, 2.0)),
    ((1.5, 0.0, 0.0, 0.1), (1.0, 0.0, 0.0, 0.0)),
]


@st.composite
def filter_pairs(draw):
    """Two filters of R^p, p = 2 to 8, that are not parallel up to rounding."""
    rng = np.random.default_rng(draw(seeds))
    return rng.standard_normal((2, draw(st.integers(2, 8))))


@settings(deadline=None)
@given(filter_pairs())
def test_gaussian_gradient_is_the_derivative_of_the_gaussian_loss(pair):
    w, w_star = pair
    # The loss is smooth on the scale of |w|; its truncation error is of the order of h^2.
    h = 1e-5 * np.linalg.norm(w)
    shifts = h * np.eye(len(w))
    slope = (gaussian_loss(w + shifts, w_star) - gaussian_loss(w - shifts, w_star)) / (2 * h)
    scale = np.linalg.norm(w_star) / np.linalg.norm(w) + 1
    np.testing.assert_allclose(gaussian_gradient(w, w_star), slope, atol=1e-8 * scale**2)


@settings(deadline=None)
@given(filter_pairs(), st.floats(0.01, 100))
def test_gaussian_loss_is_quadratic_in_the_scale(pair, scale):
    w, w_star = pair
    expected = scale**2 * gaussian_loss(w, w_star)
    assert gaussian_loss(scale * w, scale * w_star) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(filter_pairs(), seeds)
def test_gaussian_loss_and_gradient_turn_with_the_filters(pair, seed):
    w, w_star = pair
    p = len(w)
    q, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((p, p)))
    turned = gaussian_gradient(q @ w, q @ w_star)
    np.testing.assert_allclose(turned, q @ gaussian_gradient(w, w_star), atol=1e-12)
    assert gaussian_loss(q @ w, q @ w_star) == pytest.approx(gaussian_loss(w, w_star), abs=1e-12)


@settings(deadline=None)
@given(filter_pairs())
def test_gaussian_loss_is_least_at_the_teacher(pair):
    w, w_star = pair
    assert gaussian_loss(w, w_star) > 0
    assert gaussian_loss(w_star, w_star) == pytest.approx(0, abs=1e-14)
    np.testing.assert_allclose(gaussian_gradient(w_star, w_star), 0, atol=1e-14)


def test_gaussian_loss_is_an_integral_over_the_angle():
    # Inputs N(0, I_2) have E r^2 = 2 and a uniform angle; the trapezoidal rule on a period.
    at = 2 * np.pi * np.arange(100_000) / 100_000
    for w in np.array([[1.3, 0.2], [-0.5, 0.1], [0.4, -3.0]]):
        residual = np.maximum(unit_vectors(at) @ w, 0) - np.maximum(np.cos(at), 0)
        expected = (residual**2).mean()
        assert gaussian_loss(w, np.array([1.0, 0.0])) == pytest.approx(expected, rel=1e-8)


@settings(deadline=None)
@given(filter_pairs())
def test_gaussian_inputs_in_the_plane_are_a_uniform_circle_of_radius_sqrt_two(pair):
    w, w_star = pair[0][:2], np.array([np.linalg.norm(pair[1]), 0.0])
    moments = angular_moments(mixture(np.inf), signed_angle(w))
    found = 2 * neuron_gradient(w, w_star, *moments)
    np.testing.assert_allclose(gaussian_gradient(w, w_star), found, atol=1e-12)


@pytest.mark.parametrize(("w", "w_star"), PAIRS)
@pytest.mark.parametrize("law", ["gaussian", "sphere"])
def test_closed_forms_agree_with_a_large_sample(w, w_star, law):
    w, w_star = np.array(w), np.array(w_star)
    n, p = 200_000, len(w)
    z = np.random.default_rng(2).standard_normal((n, p))
    scale = 1.0
    if law == "sphere":
        z /= np.linalg.norm(z, axis=-1, keepdims=True)
        scale = 1 / p
    residual = np.maximum(z @ w, 0) - np.maximum(z @ w_star, 0)
    for draws, exact in (
        (0.5 * residual[:, None] ** 2, gaussian_loss(w, w_star)),
        (residual[:, None] * (z @ w > 0)[:, None] * z, gaussian_gradient(w, w_star)),
    ):
        error = draws.mean(axis=0) - scale * exact
        assert np.abs(error / (draws.std(axis=0) / np.sqrt(n))).max() < 4.5


def test_gaussian_loss_tends_to_a_quarter_at_zero():
    tiny, w_star = np.array([1e-9, 1e-9]), np.array([2.0, 0.0])
    assert gaussian_loss(tiny, w_star) == pytest.approx(4 / 4, abs=1e-8)


# --- angles --------------------------------------------------------------------------------------


@settings(deadline=None)
@given(filter_pairs(), st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_angle_is_symmetric_and_free_of_scale(pair, a, b):
    w, w_star = pair
    cosine = w @ w_star / np.linalg.norm(w) / np.linalg.norm(w_star)
    assert np.cos(angle(w, w_star)) == pytest.approx(cosine, abs=1e-14)
    assert angle(a * w, b * w_star) == pytest.approx(angle(w_star, w), abs=1e-14)
    assert angle(-w, w_star) == pytest.approx(np.pi - angle(w, w_star), abs=1e-14)


@pytest.mark.parametrize("small", [0.0, 1e-150, 1e-12, 1e-9, 1e-4])
def test_angle_is_accurate_near_zero_and_a_half_turn(small):
    w_star, w = np.array([2.0, 0.0]), 3 * np.array([np.cos(small), np.sin(small)])
    assert angle(w, w_star) == pytest.approx(small, rel=1e-7, abs=0)
    assert np.pi - angle(-w, w_star) == pytest.approx(small, abs=1e-15)


@settings(deadline=None)
@given(st.floats(-np.pi, np.pi), st.floats(1e-3, 1e3))
def test_signed_angle_inverts_unit_vectors(at, length):
    w = length * unit_vectors(np.array([at]))
    # A half turn either way is the same direction.
    assert np.exp(1j * signed_angle(w)[0]) == pytest.approx(np.exp(1j * at), abs=1e-14)
    assert np.abs(signed_angle(w)) == pytest.approx(angle(w, np.array([1.0, 0.0])), abs=1e-14)
