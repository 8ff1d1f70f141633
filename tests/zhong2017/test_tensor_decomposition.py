"""Decomposition of small symmetric tensors whose components are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.zhong2017 import decompose, draw_teacher, match_filters
from cnntheory.zhong2017.tensor_decomposition import joint_diagonaliser, refine


def tensor_of(directions, weights, order):
    result = 0.0
    for u, c in zip(directions, weights, strict=True):
        power = c * u
        for _ in range(order - 1):
            power = np.multiply.outer(power, u)
        result = result + power
    return result


def direction_error(found, directions):
    """Largest distance of a matched unit row, up to sign."""
    inner = found @ directions.T
    each, best = np.arange(len(found)), np.abs(inner).argmax(axis=1)
    aligned = found * np.sign(inner[each, best])[:, None]
    return np.linalg.norm(match_filters(aligned, directions) - directions, axis=1).max()


def draw(seed, t):
    rng = np.random.default_rng(seed)
    directions = draw_teacher(t, t, 3.0, rng=rng)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions, rng.uniform(0.5, 1.5, t) * rng.choice([-1, 1], t), rng


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 6),
    st.sampled_from([3, 4]),
    st.sampled_from(["kcl", "jennrich"]),
)
def test_exact_tensors_are_decomposed_exactly(seed, t, order, method):
    directions, weights, rng = draw(seed, t)
    found = decompose(tensor_of(directions, weights, order), rng=rng, method=method)
    assert direction_error(found.directions, directions) < 1e-8
    assert found.residual < 1e-8
    assert found.converged
    np.testing.assert_allclose(np.sort(abs(found.weights)), np.sort(abs(weights)), rtol=1e-7)


@pytest.mark.parametrize("method", ["kcl", "jennrich"])
@pytest.mark.parametrize("order", [3, 4])
def test_error_is_proportional_to_the_noise(order, method):
    directions, weights, rng = draw(0, 4)
    noise = tensor_of(rng.standard_normal((12, 4)), rng.standard_normal(12), order)
    noise /= np.linalg.norm(noise)
    exact = tensor_of(directions, weights, order)
    found = [decompose(exact + e * noise, rng=rng, method=method) for e in (1e-4, 1e-2)]
    errors = [direction_error(each.directions, directions) for each in found]
    assert errors[0] < 1e-3
    assert 20 < errors[1] / errors[0] < 500


@pytest.mark.parametrize("order", [3, 4])
def test_rotated_tensor_has_rotated_components(order):
    directions, weights, rng = draw(5, 3)
    Q = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    found = decompose(tensor_of(directions @ Q.T, weights, order), rng=rng)
    assert direction_error(found.directions, directions @ Q.T) < 1e-8


def test_refinement_reaches_a_stationary_point_of_the_misfit():
    directions, weights, rng = draw(2, 4)
    R = tensor_of(directions, weights, 3)
    R = R + 0.05 * tensor_of(rng.standard_normal((9, 4)), rng.standard_normal(9) / 9, 3)

    def misfit(columns):
        powers = np.stack([tensor_of(u[None], [1.0], 3).ravel() for u in columns.T], axis=1)
        weights, *_ = np.linalg.lstsq(powers, R.ravel(), rcond=None)
        return np.linalg.norm(R.ravel() - powers @ weights)

    found, _, converged = refine(R, directions.T)
    assert converged
    least = misfit(found)
    assert least < misfit(directions.T)
    for _ in range(20):
        assert misfit(found + 1e-3 * rng.standard_normal(found.shape)) > least


def test_joint_diagonaliser_diagonalises():
    rng = np.random.default_rng(0)
    U = draw_teacher(5, 5, 3.0, rng=rng)
    matrices = U * rng.standard_normal((20, 1, 5)) @ U.T
    B, n_iter, converged = joint_diagonaliser(matrices)
    assert converged
    assert n_iter < 50
    assert joint_diagonaliser(matrices, max_iter=2)[1:] == (2, False)
    D = B @ matrices @ B.T
    assert abs(D * ~np.eye(5, dtype=bool)).max() < 1e-10
    np.testing.assert_allclose(np.linalg.norm(B, axis=1), 1)


def test_joint_diagonaliser_stops_going_round_in_circles():
    # Symmetric noise has no common diagonaliser; the limit would be reached without an end.
    noise = np.random.default_rng(0).standard_normal((30, 20, 5, 5))
    ends = [joint_diagonaliser(some + some.swapaxes(1, 2))[1:] for some in noise]
    gave_up = [n_iter for n_iter, converged in ends if not converged]
    assert len(gave_up) > 5
    assert np.median(gave_up) < 50


@pytest.mark.parametrize("method", ["kcl", "jennrich"])
def test_dependent_components_cannot_be_found(method):
    # Three unit vectors in a plane: pairwise distinct, but no two slices determine them.
    angles = np.array([0.0, 1.0, 2.0])
    directions = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    found = decompose(tensor_of(directions, np.ones(3), 3), rng=0, method=method)
    assert not direction_error(found.directions, directions) < 0.1


def test_bad_arguments():
    with pytest.raises(ValueError, match="R: expected shape"):
        decompose(np.ones((2, 3, 3)), rng=0)
    with pytest.raises(ValueError, match="method: expected 'kcl' or 'jennrich', found 'als'"):
        decompose(np.ones((2, 2, 2)), rng=0, method="als")
