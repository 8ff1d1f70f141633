"""The teacher, its outputs, and the matching of kernels."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.zhong2017 import draw_teacher, match_kernels, network_output, recovery_error


def test_output_sums_patches_and_kernels():
    rng = np.random.default_rng(0)
    W, x = rng.standard_normal((3, 2)), rng.standard_normal((5, 12))
    expected = np.zeros(5)
    for i in range(4):
        for j in range(2):
            expected += np.tanh(x[:, 3 * i : 3 * i + 3] @ W[:, j])
    np.testing.assert_allclose(network_output(W, x, "tanh"), expected, atol=1e-14)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(1, 100))
def test_teacher_has_the_singular_values_asked_for(seed, kernels, condition):
    W = draw_teacher(np.random.default_rng(seed), 6, kernels, condition)
    values = np.linalg.svd(W, compute_uv=False)
    np.testing.assert_allclose(values, np.linspace(1, condition, kernels)[::-1], rtol=1e-9)


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_matching_is_the_best_permutation(seed):
    rng = np.random.default_rng(seed)
    W, teacher = rng.standard_normal((2, 3, 4))
    least = min(np.linalg.norm(W[:, list(p)] - teacher) for p in permutations(range(4)))
    assert np.linalg.norm(match_kernels(W, teacher) - teacher) == pytest.approx(least)
    assert recovery_error(W, teacher)[1] == pytest.approx(least / np.linalg.norm(teacher))


def test_recovery_error_of_one_wrong_kernel():
    teacher = np.diag([1.0, 2.0])
    assert recovery_error(teacher[:, ::-1], teacher) == (0.0, 0.0)
    largest, total = recovery_error(np.diag([1.5, 2.0]), teacher)
    assert largest == pytest.approx(0.5)
    assert total == pytest.approx(0.5 / np.sqrt(5))


def test_bad_arguments():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="kernels: expected between 1 and patch_size=3, found 4"):
        draw_teacher(rng, 3, 4)
    with pytest.raises(ValueError, match="condition"):
        draw_teacher(rng, 3, 2, 0.5)
    with pytest.raises(ValueError, match="multiple of patch_size=3"):
        network_output(np.eye(3), np.ones((2, 4)), "relu")
    with pytest.raises(ValueError, match="W: expected the shape of teacher"):
        match_kernels(np.ones((3, 2)), np.ones((3, 3)))
    with pytest.raises(ValueError, match="W: expected finite"):
        match_kernels(np.full((2, 2), np.nan), np.eye(2))
