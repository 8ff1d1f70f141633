"""The teacher, its outputs, the matching of filters, and what the import costs."""

import subprocess
import sys
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.zhong2017 import draw_teacher, match_filters, network_output, recovery_error


def test_output_sums_patches_and_filters():
    rng = np.random.default_rng(0)
    filters, patches = rng.standard_normal((2, 3)), rng.standard_normal((5, 4, 3))
    expected = np.zeros(5)
    for i in range(4):
        for w in filters:
            expected += np.tanh(patches[:, i] @ w)
    np.testing.assert_allclose(network_output(filters, patches, "tanh"), expected, atol=1e-14)


def test_trials_have_their_own_patches_or_share_them():
    rng = np.random.default_rng(0)
    filters, patches = rng.standard_normal((3, 2, 4)), rng.standard_normal((3, 5, 6, 4))
    single = [network_output(*pair, "relu") for pair in zip(filters, patches, strict=True)]
    np.testing.assert_allclose(network_output(filters, patches, "relu"), single)
    shared = [network_output(W, patches[0], "relu") for W in filters]
    np.testing.assert_allclose(network_output(filters, patches[0], "relu"), shared)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(1, 100))
def test_teacher_has_the_singular_values_asked_for(seed, n_filters, condition):
    filters = draw_teacher(n_filters, 6, condition, rng=seed)
    assert filters.shape == (n_filters, 6)
    values = np.linalg.svd(filters, compute_uv=False)
    np.testing.assert_allclose(values, np.linspace(1, condition, n_filters)[::-1], rtol=1e-9)


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_matching_is_the_best_permutation(seed):
    rng = np.random.default_rng(seed)
    filters, teacher = rng.standard_normal((2, 4, 3))
    least = min(np.linalg.norm(filters[list(p)] - teacher) for p in permutations(range(4)))
    assert np.linalg.norm(match_filters(filters, teacher) - teacher) == pytest.approx(least)
    error = recovery_error(filters, teacher).frobenius
    assert error == pytest.approx(least / np.linalg.norm(teacher))


def test_recovery_error_of_one_wrong_filter():
    teacher = np.diag([1.0, 2.0])
    assert recovery_error(teacher[::-1], teacher) == (0.0, 0.0)
    largest, total = recovery_error(np.diag([1.5, 2.0]), teacher)
    assert largest == pytest.approx(0.5)
    assert total == pytest.approx(0.5 / np.sqrt(5))


def test_importing_the_paper_loads_no_torch_and_no_optimiser():
    program = "import sys, cnntheory.zhong2017; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"torch", "scipy.optimize", "sklearn"} & set(run.stdout.split())


def test_bad_arguments():
    with pytest.raises(ValueError, match="n_filters: expected between 1 and patch_size=3, found 4"):
        draw_teacher(4, 3, rng=0)
    with pytest.raises(ValueError, match="condition"):
        draw_teacher(2, 3, 0.5, rng=0)
    with pytest.raises(ValueError, match=r"patches: expected p = 3 entries.*found 4"):
        network_output(np.eye(3), np.ones((2, 1, 4)), "relu")
    with pytest.raises(ValueError, match=r"patches: expected shape \(n, k, p\).*found \(2, 3\)"):
        network_output(np.eye(3), np.ones((2, 3)), "relu")
    with pytest.raises(ValueError, match="filters: expected the shape of teacher"):
        match_filters(np.ones((3, 2)), np.ones((3, 3)))
    with pytest.raises(ValueError, match="filters: expected finite"):
        match_filters(np.full((2, 2), np.nan), np.eye(2))
