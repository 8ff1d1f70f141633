"""The ReLU network without pooling: exact prices, the semi-infinite optimum, its relaxations."""

from itertools import product

import cvxpy as cp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnntheory.ergen2021.baselines import train_baseline
from cnntheory.ergen2021.unpooled import (
    UnpooledNetwork,
    beta_max_unpooled,
    certify_unpooled,
    price_unpooled,
    relax_unpooled,
    train_unpooled,
)


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
    beta = 0.1 * beta_max_unpooled(patches, y)
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
    beta = share * beta_max_unpooled(patches, y)
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
    beta = 0.1 * beta_max_unpooled(patches, y)
    found = train_unpooled(patches, y, beta)
    run = train_baseline("unpooled", patches, y, beta, width=10, rng=np.random.default_rng(0))
    assert run.objective.min() >= found.dual_bound - 1e-9
    assert run.objective.min() <= found.objective * (1 + 1e-4)
    assert run.network().objective(patches, y, beta) == pytest.approx(run.objective.min())


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_no_network_is_below_a_certificate(seed):
    patches, y = draw(seed, n=4)
    rng = np.random.default_rng(seed)
    nets = [UnpooledNetwork(*rng.standard_normal((2, 3, 2)) * s) for s in (0.3, 0.6, 1.0)]
    certificates = [certify_unpooled(net, patches, y, 0.2) for net in nets]
    best = min(objective for objective, _, _ in certificates)
    assert all(bound <= best for _, bound, _ in certificates)


def test_certificate_of_good_and_bad_networks():
    patches, y = draw(3)
    beta = 0.1 * beta_max_unpooled(patches, y)
    good = train_unpooled(patches, y, beta).network
    assert certify_unpooled(good, patches, y, beta)[2] <= 1e-4
    bad = UnpooledNetwork(3 * good.filters, good.weights)
    assert certify_unpooled(bad, patches, y, beta)[2] > 0.5


def test_zero_is_optimal_from_beta_max_on():
    patches, y = draw(4)
    beta = beta_max_unpooled(patches, y)
    above = train_unpooled(patches, y, beta)
    assert above.objective == y @ y / 2
    assert len(above.network.filters) == 0
    assert above.gap <= 1e-8
    assert train_unpooled(patches, y, beta * (1 - 1e-4)).objective < above.objective


@pytest.mark.parametrize("activation", ["relu", "linear"])
def test_the_torch_network_predicts_the_same(activation):
    patches, _ = draw(6)
    rng = np.random.default_rng(0)
    network = UnpooledNetwork(*rng.standard_normal((2, 3, 2)), activation)
    module = network.to_torch()
    outputs = module(torch.tensor(patches)).detach().numpy()
    np.testing.assert_allclose(outputs, network.predict(patches))
    assert sum(parameter.numel() for parameter in module.parameters()) == 12


def test_bad_arguments():
    patches, y = draw(5)
    with pytest.raises(ValueError, match="penalty: expected 'nuclear' or 'frobenius'"):
        relax_unpooled(patches, y, 1.0, "l1")
    with pytest.raises(ValueError, match="beta"):
        train_unpooled(patches, y, -1.0)
