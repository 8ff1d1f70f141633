"""Contracted moments against explicitly formed Hermite tensors."""

from itertools import permutations

import numpy as np
import pytest

from cnntheory.zhong2017 import ACTIVATIONS, draw_teacher, moments, network_output
from cnntheory.zhong2017.moments import (
    compressed_moment,
    contracted_third_moment,
    first_moment,
    second_moment,
    subtract_linear,
    third_moment_unfolding,
)


def symmetric_sum(tensor):
    """Sum over the distinct placements of the indices of a product of symmetric tensors."""
    placements = {}
    for order in permutations(range(tensor.ndim)):
        placed = tensor.transpose(order)
        placements[placed.tobytes()] = placed
    return sum(placements.values())


def explicit_moment(patches, y, order):
    """``E[y He_order(z)]``, the Hermite tensor of one patch at a time."""
    eye = np.eye(patches.shape[-1])
    total = 0.0
    for sample, label in zip(patches, y, strict=True):
        for z in sample:
            tensor = z
            for _ in range(order - 1):
                tensor = np.multiply.outer(tensor, z)
            if order == 2:
                tensor = tensor - eye
            elif order == 3:
                tensor = tensor - symmetric_sum(np.multiply.outer(z, eye))
            elif order == 4:
                tensor = tensor - symmetric_sum(np.multiply.outer(np.outer(z, z), eye))
                tensor = tensor + symmetric_sum(np.multiply.outer(eye, eye))
            total = total + label * tensor
    return total / (patches.shape[0] * patches.shape[1])


@pytest.fixture(params=[np.float64, np.float32])
def sample(request):
    rng = np.random.default_rng(0)
    # The labels keep their mean, so that the terms that centring removes are tested too.
    return rng.standard_normal((23, 3, 4)).astype(request.param), 1.5 + rng.standard_normal(23)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(moments, "_BLOCK_ENTRIES", 130)


def test_first_and_second_moment(sample):
    x, y = sample
    wide = x.astype(float)
    np.testing.assert_allclose(first_moment(x, y), explicit_moment(wide, y, 1), atol=1e-12)
    np.testing.assert_allclose(second_moment(x, y), explicit_moment(wide, y, 2), atol=1e-12)


def test_one_contraction_of_the_third_moment(sample):
    x, y = sample
    direction = np.array([0.5, -0.5, 0.1, 0.7])
    expected = explicit_moment(x.astype(float), y, 3) @ direction
    np.testing.assert_allclose(contracted_third_moment(x, y, direction), expected, atol=1e-12)


@pytest.mark.parametrize("order", [3, 4])
def test_compressed_moment_is_the_contraction_of_the_tensor(sample, order):
    x, y = sample
    V = np.linalg.qr(np.random.default_rng(1).standard_normal((4, 3)))[0]
    expected = explicit_moment(x.astype(float), y, order)
    for _ in range(order):
        expected = np.tensordot(expected, V, axes=(0, 0))
    np.testing.assert_allclose(compressed_moment(x, y, V, order), expected, atol=1e-12)


def test_unfolding_has_the_singular_values_of_the_contracted_tensor(sample):
    x, y = sample
    V = np.linalg.qr(np.random.default_rng(1).standard_normal((4, 3)))[0]
    tensor = explicit_moment(x.astype(float), y, 3)
    expected = np.einsum("ijk,ja,kb->iab", tensor, V, V).reshape(4, 9)
    found = third_moment_unfolding(x, y, V)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-12)
    np.testing.assert_allclose(found[:, 0], np.einsum("ijk,j,k->i", tensor, V[:, 0], V[:, 0]))


@pytest.mark.parametrize(("activation", "order"), [("squared_relu", 3), ("relu", 4), ("tanh", 3)])
def test_moments_estimate_the_population_tensor(activation, order, monkeypatch):
    monkeypatch.setattr(moments, "_BLOCK_ENTRIES", 1 << 17)
    rng = np.random.default_rng(0)
    W = draw_teacher(2, 3, rng=rng)
    x = rng.standard_normal((300_000, 2, 3))
    y = network_output(W, x, activation)
    y = y - y.mean()
    norms = np.linalg.norm(W, axis=1)
    weights = ACTIVATIONS[activation].hermite(order, norms)
    expected = sum(
        c * np.einsum(*[part for axis in range(order) for part in (u, [axis])])
        for c, u in zip(weights, W / norms[:, None], strict=True)
    )
    found = compressed_moment(x, y, np.eye(3), order)
    assert np.linalg.norm(found - expected) < 0.15 * np.linalg.norm(expected)


def test_removing_lower_degrees_from_the_labels(sample):
    x, y = sample
    wide = x.astype(float)
    M_1 = np.arange(4.0)
    linear = subtract_linear(x, y, M_1)
    np.testing.assert_allclose(linear, y - (wide @ M_1).sum(axis=1), atol=1e-12)
    V = np.linalg.qr(np.random.default_rng(1).standard_normal((4, 3)))[0]
    values = np.array([2.0, -1.0, 0.5])
    quadratic = V * values @ V.T
    form = np.einsum("nra,ab,nrb->n", wide, quadratic, wide)
    removed = y - (form - 3 * np.trace(quadratic)) / 2
    for order in (3, 4):
        np.testing.assert_allclose(
            compressed_moment(x, y, V, order, values),
            compressed_moment(x, removed, V, order),
            atol=1e-12,
        )


def test_bad_arguments(sample):
    x, y = sample
    with pytest.raises(ValueError, match=r"patches: expected shape \(n, k, p\).*found \(23, 12\)"):
        second_moment(x.reshape(23, 12), y)
    with pytest.raises(ValueError, match="order"):
        compressed_moment(x, y, np.eye(4), 5)
