from itertools import islice, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.descent import gradient_descent, hitting_times, minibatches

CURVATURE = np.array([1.0, 0.3, 0.1])


def quadratic(w):
    """Gradient of ``1/2 w^T diag(CURVATURE) w``; descent contracts by ``1 - eta CURVATURE``."""
    return CURVATURE * w


def nth(iterates, n):
    return next(islice(iterates, n, None))


@given(st.floats(0, 1.9), st.integers(0, 40))
def test_a_quadratic_contracts_by_its_known_factors(step, t):
    start = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]])
    expected = (1 - step * CURVATURE) ** t * start
    np.testing.assert_allclose(
        nth(gradient_descent(quadratic, start, step), t), expected, atol=1e-12
    )


def test_trials_may_have_steps_of_their_own():
    start, steps = np.ones((3, 3)), np.array([0.1, 0.5, 1.0])
    together = nth(gradient_descent(quadratic, start, steps[:, None]), 20)
    for trial, step in zip(together, steps, strict=True):
        np.testing.assert_array_equal(trial, nth(gradient_descent(quadratic, start[0], step), 20))


def test_an_adaptive_step_sees_the_iterate():
    # On a sphere-shaped bowl the step ||w|| takes e to e - e^2.
    iterates = gradient_descent(lambda w: w, np.array([0.5]), lambda w: np.linalg.norm(w))
    for before, after in pairwise(islice(iterates, 20)):
        assert after[0] == pytest.approx(before[0] - before[0] ** 2, rel=1e-12)


def test_iterates_are_not_overwritten():
    start = np.ones((2, 3))
    kept = list(islice(gradient_descent(quadratic, start, 0.5), 5))
    np.testing.assert_array_equal(start, 1)
    assert len({w[0, 0] for w in kept}) == 5


def test_a_stochastic_gradient_is_drawn_once_a_step():
    draws = iter(range(10))
    kept = list(islice(gradient_descent(lambda w: next(draws), 0.0, 1.0), 5))
    assert kept == [0, 0, -1, -3, -6]


def test_torch_tensors_descend_like_arrays():
    curvature = torch.tensor(CURVATURE)
    start = torch.ones((2, 3), dtype=torch.float64)
    for step in (0.7, lambda w: 0.1 * w.norm(dim=-1, keepdim=True)):
        iterate = nth(gradient_descent(lambda w: curvature * w, start, step), 10)
        assert isinstance(iterate, torch.Tensor)
        if callable(step):
            numpy_step = lambda w: 0.1 * np.linalg.norm(w, axis=-1, keepdims=True)  # noqa: E731
        else:
            numpy_step = step
        expected = nth(gradient_descent(quadratic, np.ones((2, 3)), numpy_step), 10)
        np.testing.assert_allclose(iterate.numpy(), expected, rtol=1e-12)


def test_gradients_may_come_from_automatic_differentiation():
    def gradient(w):
        w = w.detach().requires_grad_()
        (0.5 * (torch.tensor(CURVATURE) * w**2).sum()).backward()
        return w.grad

    iterate = nth(gradient_descent(gradient, torch.ones(3, dtype=torch.float64), 0.5), 10)
    np.testing.assert_allclose(iterate.numpy(), (1 - 0.5 * CURVATURE) ** 10, rtol=1e-12)


@given(st.floats(0.05, 0.95), st.floats(1e-6, 0.9))
def test_hitting_times_of_a_contraction_are_known(factor, tolerance):
    start = np.array([[1.0], [0.5], [1e-9]])
    times = hitting_times(
        gradient_descent(lambda w: w, start, 1 - factor), lambda w: w[:, 0], tolerance, 10_000
    )
    for time, first in zip(times, start[:, 0], strict=True):
        error = first * factor ** np.array([time, time - 1])
        assert error[0] <= tolerance * (1 + 1e-9)
        assert time == 0 or error[1] > tolerance * (1 - 1e-9)


def test_trials_that_do_not_arrive_have_no_hitting_time():
    def error(w):
        return np.abs(w[:, 0])

    start = np.array([[1.0], [-1.0], [np.nan], [4.0]])
    # With step 1/2 trial t halves each time; the third never compares, the last needs two more.
    times = hitting_times(gradient_descent(lambda w: w, start, 0.5), error, 1 / 8, 4)
    np.testing.assert_array_equal(times, [3, 3, np.inf, np.inf])
    np.testing.assert_array_equal(
        hitting_times(gradient_descent(lambda w: w, start, 0.5), error, 1 / 8, 5), [3, 3, np.inf, 5]
    )


def test_a_hitting_time_is_the_first_even_if_the_error_grows_again():
    errors = [3.0, 0.5, 2.0, 0.1]
    iterates = (np.array([e, 5.0]) for e in errors)
    times = hitting_times(iterates, lambda w: w, 1.0, 3)
    np.testing.assert_array_equal(times, [1, np.inf])


def test_tolerances_may_differ_between_trials():
    start = np.ones((2, 1))
    times = hitting_times(
        gradient_descent(lambda w: w, start, 0.5), lambda w: w[:, 0], np.array([0.5, 0.25]), 10
    )
    np.testing.assert_array_equal(times, [1, 2])


def test_hitting_times_beyond_the_iterates_are_refused():
    with pytest.raises(ValueError, match="ended before iteration 9"):
        hitting_times(iter([np.ones(2)]), lambda w: w, 0.5, 9)


@settings(deadline=None)
@given(st.integers(1, 40), st.data())
def test_each_epoch_of_minibatches_visits_each_sample_at_most_once(samples, data):
    size = data.draw(st.integers(1, samples))
    seed = data.draw(st.integers(0, 2**32 - 1))
    batches = minibatches(np.random.default_rng(seed), samples, size)
    for _ in range(3):
        epoch = np.concatenate([next(batches) for _ in range(samples // size)])
        assert len(epoch) == samples // size * size
        assert len(np.unique(epoch)) == len(epoch)
        assert epoch.min() >= 0 and epoch.max() < samples


def test_epochs_of_minibatches_cover_all_samples_in_another_order():
    batches = minibatches(np.random.default_rng(0), 100, 20)
    first, second = (np.concatenate([next(batches) for _ in range(5)]) for _ in range(2))
    np.testing.assert_array_equal(np.sort(first), np.arange(100))
    np.testing.assert_array_equal(np.sort(second), np.arange(100))
    assert (first != second).any()


def test_left_out_samples_change_from_epoch_to_epoch():
    batches = minibatches(np.random.default_rng(1), 10, 4)
    seen = {int(i) for batch in islice(batches, 60) for i in batch}
    assert seen == set(range(10))


def test_minibatches_belong_to_their_generator():
    first, second = (minibatches(np.random.default_rng(2), 9, 2) for _ in range(2))
    for a, b in islice(zip(first, second, strict=True), 10):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("size", [-1, 0, 11])
def test_minibatches_of_impossible_size_are_refused(size):
    with pytest.raises(ValueError, match=rf"size is {size}, expected 1 to .* 10"):
        next(minibatches(np.random.default_rng(0), 10, size))
