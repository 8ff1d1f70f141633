"""Prices without enumeration: agreement with enumeration and with sorted angles, any time valid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.ergen2021 import beta_max
from cnntheory.ergen2021.bounding import bound_price

ARCHITECTURES = ("average", "max", "none")


def draw(seed, n, K, h, degenerate=False):
    """Gaussian patches, or integer ones with zero, repeated and opposite rows."""
    rng = np.random.default_rng(seed)
    gaussian = rng.standard_normal((n, K, h))
    patches = rng.integers(-1, 2, (n, K, h)).astype(float) if degenerate else gaussian
    return patches, rng.standard_normal(n)


def prices(patches, v, u, architecture):
    """``|v^T phi(u)|`` of unit vectors u, written out."""
    features = np.maximum(np.einsum("nkh,mh->mnk", patches, u), 0.0)
    if architecture == "none":
        return np.linalg.norm(np.einsum("n,mnk->mk", v, features), axis=1)
    pooled = features.sum(axis=2) if architecture == "average" else features.max(axis=2)
    return np.abs(pooled @ v)


def sphere(count, h, seed=0):
    u = np.random.default_rng(seed).standard_normal((count, h))
    return u / np.linalg.norm(u, axis=1)[:, None]


def check(patches, v, architecture, price, tol=1e-9):
    bound = bound_price(patches, v, architecture=architecture, tol=tol)
    assert bound.converged
    assert bound.upper >= price
    assert bound.upper <= price * (1 + tol) + 1e-14
    assert price * (1 - tol) <= bound.lower <= price * (1 + 1e-12)
    assert np.linalg.norm(bound.filter) == pytest.approx(1, abs=1e-12)
    attained = prices(patches, v, bound.filter[None], architecture)[0]
    assert attained == pytest.approx(bound.lower, rel=1e-12, abs=1e-14)


shapes = st.sampled_from([(6, 3, 2), (4, 2, 3), (9, 1, 3), (5, 1, 4), (4, 2, 4), (7, 2, 1)])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), shapes, st.booleans(), st.sampled_from(["average", "max"]))
def test_agrees_with_enumeration(seed, shape, degenerate, architecture):
    patches, v = draw(seed, *shape, degenerate)
    check(patches, v, architecture, beta_max(patches, v, architecture=architecture))


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 10**6),
    st.sampled_from([(6, 3, 2), (3, 2, 3), (6, 1, 3), (5, 2, 1)]),
    st.booleans(),
)
def test_agrees_with_enumeration_without_pooling(seed, shape, degenerate):
    patches, v = draw(seed, *shape, degenerate)
    check(patches, v, "none", beta_max(patches, v, architecture="none"))


def price_on_the_circle(patches, v):
    """Exact for h = 2 and average pooling: between the angles of the kinks the form is linear."""
    rows, weights = patches.reshape(-1, 2), np.repeat(v, patches.shape[1])
    kinks = np.arctan2(rows[:, 1], rows[:, 0])[:, None] + np.array([-np.pi / 2, np.pi / 2])
    kinks = np.unique(kinks % (2 * np.pi))
    ends = np.append(kinks, kinks[0] + 2 * np.pi)
    middle = (ends[1:] + ends[:-1]) / 2
    active = rows @ np.stack([np.cos(middle), np.sin(middle)]) > 0
    forms = (active * weights[:, None]).T @ rows
    best = np.abs(forms[:, 0] * np.cos(kinks) + forms[:, 1] * np.sin(kinks)).max()
    for sign in (1, -1):
        top = np.arctan2(sign * forms[:, 1], sign * forms[:, 0])
        inside = (top - ends[:-1]) % (2 * np.pi) <= ends[1:] - ends[:-1]
        best = max(best, np.linalg.norm(forms[inside], axis=1).max(initial=0.0))
    return best


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_sorted_angles_where_cells_are_many(seed):
    patches, v = draw(seed, 120, 10, 2)
    check(patches, v, "average", price_on_the_circle(patches, v))
    # windows of smooth signals, positive: rows close to each other, labels that nearly cancel
    signals = np.abs(np.random.default_rng(seed).standard_normal((120, 11)).cumsum(axis=1))
    patches = np.lib.stride_tricks.sliding_window_view(signals, 2, axis=1)
    v = np.sign(v)
    check(patches, v, "average", price_on_the_circle(patches, v))


def nearly_feasible(seed, n=150, K=9, h=3):
    """A dual point whose price is shared by many filters: the residual of a least-squares fit."""
    patches, y = draw(seed, n, K, h)
    features = np.maximum(np.einsum("nkh,mh->nmk", patches, sphere(20, h)), 0.0).sum(axis=2)
    return patches, y - features @ np.linalg.lstsq(features, y, rcond=None)[0]


@pytest.mark.parametrize("seed", range(3))
def test_residual_of_a_fit(seed):
    patches, v = nearly_feasible(seed)
    bound = bound_price(patches, v)
    assert bound.converged
    assert prices(patches, v, sphere(20_000, 3), "average").max() <= bound.upper


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6))
def test_a_planted_violation_is_found(seed):
    """A feasible dual point pushed along one filter's output violates its constraint by 1e-6."""
    patches, v = nearly_feasible(seed, 40, 4, 3)
    beta = bound_price(patches, v).upper
    planted = sphere(1, 3, seed)[0]
    output = np.maximum(patches @ planted, 0.0).sum(axis=1)
    missing = beta * (1 + 1e-6) - v @ output
    pushed = v + missing * output / (output @ output)
    found = bound_price(patches, pushed, floor=beta)
    assert found.lower > beta
    assert prices(patches, pushed, found.filter[None], "average")[0] > beta


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_floor_decides_on_either_side(architecture):
    patches, v = draw(0, 12, 3, 3)
    price = bound_price(patches, v, architecture=architecture, tol=1e-11).lower
    for floor in price * np.array([0.5, 1 - 1e-8]):
        assert bound_price(patches, v, architecture=architecture, floor=floor).lower > floor
    for floor in price * np.array([1 + 1e-8, 2.0]):
        assert bound_price(patches, v, architecture=architecture, floor=floor).upper <= floor


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_valid_whenever_it_stops(architecture):
    patches, v = draw(1, 20, 4, 4)
    lengths = np.linalg.norm(patches, axis=2).sum(axis=1)
    exact = bound_price(patches, v, architecture=architecture, max_nodes=3000)
    last = np.inf
    for nodes in (0, 30, 300):
        bound = bound_price(patches, v, architecture=architecture, max_nodes=nodes)
        assert exact.lower <= bound.upper <= min(last, np.abs(v) @ lengths) * (1 + 1e-12)
        assert bound.lower <= exact.upper
        assert not bound.converged
        last = bound.upper
    assert bound_price(patches, v, architecture=architecture, time_limit=0.0).n_nodes == 0


def test_long_filters_get_a_bound():
    patches, v = draw(2, 30, 4, 16)
    bound = bound_price(patches, v, max_nodes=500)
    assert prices(patches, v, sphere(20_000, 16), "average").max() <= bound.lower <= bound.upper


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_invariances(architecture):
    patches, v = draw(3, 8, 2, 3)
    price = bound_price(patches, v, architecture=architecture).lower
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    padded = np.concatenate([patches @ rotation, np.zeros((8, 2, 1))], axis=2)
    for p, w in ((patches, -1e6 * v), (1e-6 * patches, v), (padded, v), (patches[::-1], v[::-1])):
        scale = np.abs(w).max() / np.abs(v).max() * np.abs(p).max() / np.abs(p[..., :3]).max()
        scale *= np.linalg.norm(p) / np.linalg.norm(patches)
        check(p, w, architecture, price * scale, tol=2e-9)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nothing_to_price(architecture):
    patches, v = draw(4, 3, 2, 3)
    for p, w in ((patches, 0 * v), (0 * patches, v)):
        bound = bound_price(p, w, architecture=architecture)
        assert bound.upper == bound.lower == 0
        assert bound.converged
    # one patch: its own direction
    one = bound_price(patches[:1, :1], np.array([-2.0]), architecture=architecture)
    assert one.lower == pytest.approx(2 * np.linalg.norm(patches[0, 0]), rel=1e-12)


@pytest.mark.parametrize(
    ("patches", "v", "architecture", "says"),
    [
        (np.ones((3, 2)), np.ones(3), "average", r"patches: .*\(3, 2\)"),
        (np.ones((3, 2, 2)), np.ones(4), "average", r"v: .*\(4,\)"),
        (np.ones((3, 2, 2)), np.full(3, np.nan), "average", "v: .*NaN"),
        (np.ones((3, 2, 2)), np.ones(3), "median", "architecture: .*'median'"),
    ],
)
def test_refuses(patches, v, architecture, says):
    with pytest.raises(ValueError, match=says):
        bound_price(patches, v, architecture=architecture)
