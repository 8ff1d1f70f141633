"""The Hermite series of the population Hessian against the quadrature in the plane."""

import numpy as np
import pytest

from cnntheory.zhong2017 import draw_teacher, population_hessian, series_hessian


@pytest.mark.parametrize("patches", [1, 3])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "erf", "softplus", "squared_relu"])
def test_the_series_is_the_quadrature(activation, patches):
    rng = np.random.default_rng(2)
    teacher = draw_teacher(3, 4, rng=rng)
    W = teacher + 0.1 * rng.standard_normal((2, *teacher.shape))
    for truth in (None, teacher):
        exact = population_hessian(W, activation, patches, truth)
        series = series_hessian(W, activation, patches, truth)
        np.testing.assert_allclose(series, exact, atol=3e-5 * abs(exact).max())


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "erf"])
def test_more_terms_come_closer(activation):
    teacher = draw_teacher(2, 4, rng=3)
    W = 1.05 * teacher
    exact = population_hessian(W, activation, 2, teacher)
    errors = [
        abs(series_hessian(W, activation, 2, teacher, degree) - exact).max()
        for degree in (20, 60, 140)
    ]
    assert errors[0] > 4 * errors[1] > 16 * errors[2]


def test_long_kernels_at_the_truth_need_no_high_degree_unless_near_parallel():
    W = draw_teacher(2, 4, condition=1, rng=0) * 8
    exact = population_hessian(W, "tanh", 2)
    np.testing.assert_allclose(series_hessian(W, "tanh", 2), exact, atol=1e-9)


def test_a_degree_out_of_reach_is_refused():
    with pytest.raises(ValueError, match="at most 150"):
        series_hessian(np.eye(3), "tanh", 1, degree=200)
    with pytest.raises(ValueError, match="expected one of"):
        series_hessian(np.eye(3), "swish", 1)
