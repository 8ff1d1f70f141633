"""The ReLU network without pooling: exact prices, the semi-infinite optimum, its relaxations."""

from itertools import product

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.ergen2021 import (
    Network,
    beta_max,
    certify,
    enumerate_cells,
    relax,
    train_baseline,
    train_convex,
)


def train_unpooled(patches, y, beta):
    return train_convex(patches, y, beta, architecture="none")


def relax_unpooled(patches, y, beta, penalty):
    return relax(patches, y, beta, architecture="none", penalty=penalty)


def price_unpooled(v, patches):
    """The largest price and where it is."""
    values, directions = enumerate_cells(patches, "none").price(v)
    return values[0], directions[0]


def draw(seed, n=5, K=2, h=2):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, K, h)), rng.standard_normal(n)


def prices(v, u, patches):
    return np.linalg.norm(np.einsum("n,nkm->mk", v, np.maximum(patches @ u.T, 0.0)), axis=1)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from([(4, 2, 1), (5, 2, 2), (4, 3, 2), (3, 2, 3)]))
def test_price_is_the_maximum_over_directions(seed, shape):
    patches, v = draw(seed, *shape)
    value, u = price_unpooled(v, patches)
    # The maximum may be zero, and only then is the direction arbitrary.
    assert prices(v, u[None], patches)[0] == pytest.approx(value, rel=1e-9, abs=1e-12)
    rng = np.random.default_rng(seed)
    others = rng.standard_normal((20_000, shape[2]))
    sampled = prices(v, others / np.linalg.norm(others, axis=1)[:, None], patches).max()
    assert sampled <= value + 1e-12
    assert sampled >= 0.95 * value


def test_price_on_degenerate_patches():
    rng = np.random.default_rng(1)
    patches = rng.integers(-1, 2, size=(5, 2, 2)).astype(float)
    patches[0, 1] = 0.0
    v = rng.standard_normal(5)
    angle = np.linspace(0, 2 * np.pi, 100_001)
    dense = prices(v, np.stack([np.cos(angle), np.sin(angle)], axis=1), patches).max()
    assert price_unpooled(v, patches)[0] == pytest.approx(dense, rel=1e-8)


@pytest.mark.parametrize("penalty", ["frobenius", "nuclear"])
def test_relaxations_agree_with_cvxpy(penalty):
    patches, y = draw(2, n=4)
    beta = 0.1 * beta_max(patches, y, architecture="none")
    # The patterns that many random directions see, in place of the library's enumeration.
    gates = np.random.default_rng(0).standard_normal((20_000, 2))
    norm = cp.normNuc if penalty == "nuclear" else lambda Z: cp.norm(Z, "fro")
    fit, cost, walls = 0, 0, []
    for active in np.unique(patches.reshape(8, 2) @ gates.T > 0, axis=1).T:
        active = active.reshape(4, 2)
        for signs in product((-1, 1), repeat=2):
            Z = cp.Variable((2, 2))
            for k in range(2):
                fit = fit + signs[k] * (active[:, k, None] * patches[:, k]) @ Z[:, k]
                rows = np.where(active, 1.0, -1.0)[..., None] * patches
                walls.append(rows.reshape(8, 2) @ Z[:, k] >= 0)
            cost = cost + norm(Z)
    problem = cp.Problem(cp.Minimize(cp.sum_squares(fit - y) / 2 + beta * cost), walls)
    problem.solve(solver=cp.CLARABEL)
    found = relax_unpooled(patches, y, beta, penalty)
    assert found.program == pytest.approx(problem.value, rel=1e-6)
    assert found.gap <= 1e-7


@pytest.mark.parametrize(("seed", "shape"), [(0, (5, 2, 2)), (1, (5, 3, 2)), (0, (4, 2, 3))])
@pytest.mark.parametrize("share", [0.3, 0.05])
def test_optimum_is_certified_and_above_its_relaxations(seed, shape, share):
    patches, y = draw(seed, *shape)
    beta = share * beta_max(patches, y, architecture="none")
    found = train_unpooled(patches, y, beta)
    assert -1e-12 <= found.gap <= 1e-8
    assert found.objective == pytest.approx(found.program, rel=1e-8)
    assert len(found.network.filters) <= len(y)
    assert found.network.objective(patches, y, beta) == found.objective
    frobenius = relax_unpooled(patches, y, beta, "frobenius")
    nuclear = relax_unpooled(patches, y, beta, "nuclear")
    assert frobenius.program < nuclear.dual_bound
    assert nuclear.dual_bound <= found.objective


def test_descent_never_goes_below_the_optimum_and_comes_close():
    patches, y = draw(0)
    beta = 0.1 * beta_max(patches, y, architecture="none")
    found = train_unpooled(patches, y, beta)
    run = train_baseline(patches, y, beta, architecture="none", width=10, rng=0)
    assert run.objective.min() >= found.dual_bound - 1e-9
    assert run.objective.min() <= found.objective * (1 + 1e-4)
    assert run.network().objective(patches, y, beta) == pytest.approx(run.objective.min())


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_no_network_is_below_a_certificate(seed):
    patches, y = draw(seed, n=4)
    rng = np.random.default_rng(seed)
    nets = [Network(*rng.standard_normal((2, 3, 2)) * s, "none") for s in (0.3, 0.6, 1.0)]
    found = [certify(net, patches, y, 0.2) for net in nets]
    best = min(certificate.objective for certificate in found)
    assert all(certificate.dual_bound <= best for certificate in found)


def test_certificate_of_good_and_bad_networks():
    patches, y = draw(3)
    beta = 0.1 * beta_max(patches, y, architecture="none")
    good = train_unpooled(patches, y, beta).network
    assert certify(good, patches, y, beta).gap <= 1e-4
    bad = Network(3 * good.filters, good.weights, "none")
    assert certify(bad, patches, y, beta).gap > 0.5


def test_zero_is_optimal_from_beta_max_on():
    patches, y = draw(4)
    beta = beta_max(patches, y, architecture="none")
    above = train_unpooled(patches, y, beta)
    assert above.objective == y @ y / 2
    assert len(above.network.filters) == 0
    assert above.gap <= 1e-8
    assert train_unpooled(patches, y, beta * (1 - 1e-4)).objective < above.objective


def test_bad_arguments():
    patches, y = draw(5)
    with pytest.raises(ValueError, match="penalty: expected one of frobenius, nuclear for"):
        relax_unpooled(patches, y, 1.0, "l1")
    with pytest.raises(ValueError, match="cones: architecture 'none' keeps them"):
        relax(patches, y, 1.0, architecture="none", penalty="nuclear", cones=False)
    with pytest.raises(ValueError, match="cells: architecture 'none' prices all filters at once"):
        train_convex(patches, y, 1.0, architecture="none", cells=5)
    with pytest.raises(ValueError, match="predicts up to 20 patterns"):
        train_convex(patches, y, 1.0, architecture="none", max_patterns=19)
