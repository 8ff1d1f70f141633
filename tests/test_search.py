import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.search import worst_case


def planted(points, direction, width=0.7):
    """1 everywhere but in a cone around a direction, where it falls below 0."""
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    return 1 - 2 * np.exp(-((unit - direction) ** 2).sum(axis=1) / width**2)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_a_planted_counter_example_is_found_where_random_directions_miss_it(seed):
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=15)
    direction /= np.linalg.norm(direction)
    random = rng.normal(size=(20, 15))
    assert planted(random, direction).min() > 0
    found = worst_case(
        lambda points: planted(points, direction), rng.normal(size=15), rng=rng, evaluations=2000
    )
    assert found.value < -0.9
    # The point that is returned is the one that was found.
    assert planted(found.point[None], direction)[0] == found.value


def test_rows_of_the_start_are_restarts_and_the_best_is_kept():
    def two_valleys(points):
        far = ((points - 3) ** 2).sum(axis=1)
        near = ((points + 3) ** 2).sum(axis=1) + 1
        return np.minimum(far, near)

    near, far = np.full(4, -3.0), np.full(4, 2.0)
    found = worst_case(two_valleys, [near, far], rng=0, evaluations=1200)
    assert found.value < 1e-3
    assert np.allclose(found.point, 3, atol=0.1)
    # Alone, the first start stays in the valley that it stands in.
    assert worst_case(two_valleys, near, rng=0, evaluations=600).value >= 1


def test_the_budget_is_kept_and_counted():
    calls = []

    def value(points):
        calls.append(len(points))
        return (points**2).sum(axis=1)

    found = worst_case(value, np.ones(3), rng=1, evaluations=100, restarts=2, population=8)
    assert found.evaluations == sum(calls) <= 108
    assert found.value <= 3


def test_what_is_not_feasible_is_marked_by_nan():
    def value(points):
        return np.where(points[:, 0] > 0.5, points.sum(axis=1), np.nan)

    found = worst_case(value, np.ones(2), rng=2, evaluations=400)
    assert found.point[0] > 0.5 and np.isfinite(found.value)
    with pytest.raises(ValueError, match=r"none of .* feasible"):
        worst_case(lambda points: np.full(len(points), np.nan), np.ones(2), rng=2, evaluations=50)


def test_equal_generators_give_equal_searches_and_global_draws_stay():
    def value(points):
        return np.abs(points).sum(axis=1)

    np.random.seed(5)  # noqa: NPY002
    first = worst_case(value, np.ones(3), rng=3, evaluations=200)
    assert np.random.random() == np.random.RandomState(5).random_sample()  # noqa: NPY002
    second = worst_case(value, np.ones(3), rng=3, evaluations=200)
    assert np.array_equal(first.point, second.point)


@pytest.mark.parametrize("start", [np.ones(1), np.ones((2, 2, 2))])
def test_a_start_of_another_shape_is_refused(start):
    with pytest.raises(ValueError, match="start: expected shape"):
        worst_case(lambda points: points[:, 0], start, rng=0)
