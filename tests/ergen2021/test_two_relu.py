"""Three layers with two ReLUs: exact without sharing, bracketed or certified with it."""

import functools
from itertools import product

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import block_diag

from cnntheory.ergen2021 import (
    ConvergenceWarning,
    Network,
    TwoReLU,
    architectures,
    beta_max,
    certify,
    enumerate_cells,
    relax,
    train_baseline,
    train_convex,
)
from cnntheory.ergen2021.atoms import atom_outputs, exact_pricer, search_atoms
from workflow.scripts import step
from workflow.scripts.ergen2021 import problems


def train_two_relu(patches, y, beta, shared=False, tol=1e-8):
    return train_convex(patches, y, beta, architecture=TwoReLU(shared), tol=tol)


def relax_two_relu(patches, y, beta, penalty):
    return relax(patches, y, beta, architecture=TwoReLU(shared=True), penalty=penalty)


def draw(seed, n=4, K=2, h=2):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, K, h)), rng.standard_normal(n)


def reference(patches, y, beta, shared, nuclear=False):
    """The program with the patterns that many random filters show, solved by CVXPY."""
    _, K, h = patches.shape
    rng = np.random.default_rng(0)
    u = rng.standard_normal((50_000, 1 if shared else K, h)) + np.zeros((K, 1))
    pre = np.einsum("nka,mka->mnk", patches, u)
    hidden = np.maximum(pre, 0.0) * np.abs(rng.standard_normal((len(u), 1, K)))
    data, walls = [], []
    for signs in product((1.0, -1.0), repeat=K):
        outer = (hidden * signs).sum(axis=2, keepdims=True)
        for pattern in np.unique(np.concatenate([pre, outer], axis=2) > 0, axis=0):
            side = np.where(pattern, 1.0, -1.0)
            # Columns of C one below the other; those of patch k see the patches of its filter.
            inner = np.concatenate(
                [signs[k] * pattern[:, k, None] * patches[:, k] for k in range(K)], axis=1
            )
            wall = [side[:, K, None] * inner]
            for k in range(K):
                for other in range(K) if shared else [k]:
                    block = np.zeros((len(y), K, h))
                    block[:, k] = side[:, other, None] * patches[:, other]
                    wall.append(block.reshape(len(y), -1))
            for sign in (1, -1):
                data.append(sign * pattern[:, K, None] * inner)
                walls.append(np.concatenate(wall))
    Z = cp.Variable((len(data), K * h))
    flat = cp.reshape(Z, (Z.size,), order="C")
    if nuclear:
        norm = sum(cp.normNuc(cp.reshape(Z[g], (K, h), order="C")) for g in range(len(data)))
    else:
        norm = cp.sum(cp.norm(Z, axis=1))
    fit = cp.sum_squares(np.concatenate(data, axis=1) @ flat - y)
    problem = cp.Problem(cp.Minimize(fit / 2 + beta * norm), [block_diag(walls) @ flat >= 0])
    problem.solve(solver=cp.CLARABEL)
    return problem.value


def test_unshared_program_agrees_with_cvxpy():
    patches, y = draw(0, n=3)
    beta = 0.2 * beta_max(patches, y, architecture="two-relu")
    found = train_two_relu(patches, y, beta)
    expected = reference(patches, y, beta, shared=False)
    assert found.objective == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("penalty", ["frobenius", "nuclear"])
def test_relaxations_of_shared_filters_agree_with_cvxpy(penalty):
    patches, y = draw(1, n=2 if penalty == "nuclear" else 3)
    beta = 0.1 * beta_max(patches, y, architecture=TwoReLU(shared=True))
    found = relax_two_relu(patches, y, beta, penalty)
    expected = reference(patches, y, beta, shared=True, nuclear=penalty == "nuclear")
    assert found.program == pytest.approx(expected, rel=1e-6)
    assert found.gap <= 1e-7


@pytest.mark.parametrize("share", [0.1, 0.03])
def test_the_program_keeps_its_digits_where_many_groups_are_near_zero(share):
    # The interior point over all groups stalls here, 2e-6 above the optimum that it certifies.
    rng = step.streams(271828, "ergen2021")
    inputs, y = problems.draw_signals(rng, 6, 4, 3)
    patches = problems.inputs_of("two_relu_unshared", inputs, 2)
    beta = share * beta_max(patches, y, architecture="two-relu")
    solution = train_two_relu(patches, y, beta)
    assert solution.program == pytest.approx(solution.objective, rel=1e-10)
    assert solution.gap < 1e-8


@pytest.mark.parametrize("shape", [(4, 2, 2), (3, 2, 3)])
@pytest.mark.parametrize("share", [0.3, 0.05])
def test_unshared_network_attains_the_program(shape, share):
    patches, y = draw(2, *shape)
    beta = share * beta_max(patches, y, architecture="two-relu")
    found = train_two_relu(patches, y, beta)
    network = found.network
    assert -1e-12 <= found.gap <= 1e-8
    assert found.objective == pytest.approx(found.program, rel=1e-8)
    assert network.objective(patches, y, beta) == found.objective
    assert np.linalg.norm(network.filters, axis=2).max() <= 1 + 1e-12
    np.testing.assert_allclose(np.linalg.norm(network.inner, axis=1), np.abs(network.weights))
    assert len(network.weights) <= len(y)


@pytest.mark.parametrize(("seed", "n"), [(0, 4), (2, 3)])
def test_shared_filters_are_certified_and_above_their_relaxations(seed, n):
    patches, y = draw(seed, n)
    beta = 0.1 * beta_max(patches, y, architecture=TwoReLU(shared=True))
    found = train_two_relu(patches, y, beta, shared=True)
    assert -1e-12 <= found.gap <= 1e-8
    assert found.objective == pytest.approx(found.program, rel=1e-7)
    np.testing.assert_array_equal(found.network.filters[:, 0], found.network.filters[:, 1])
    weak = relax_two_relu(patches, y, beta, "frobenius")
    strong = relax_two_relu(patches, y, beta, "nuclear")
    assert weak.program < strong.dual_bound
    assert strong.dual_bound <= found.objective
    # One filter for each patch can only do better.
    assert train_two_relu(patches, y, beta).dual_bound <= found.objective


def test_shared_filters_beyond_exact_pricing_are_bracketed():
    patches, y = draw(3, n=3, h=3)
    beta = 0.2 * beta_max(patches, y, architecture=TwoReLU(shared=True))
    found = train_two_relu(patches, y, beta, shared=True)
    assert found.dual_bound <= found.objective + 1e-12
    assert found.gap <= 0.02
    # prices are bounded by the nuclear norm, from above
    certificate = certify(found.network, patches, y, beta, dual=found.dual)
    assert found.dual_bound * (1 - 1e-6) <= certificate.dual_bound <= found.objective


def test_one_patch_is_the_two_layer_network():
    patches, y = draw(4, n=5, K=1)
    expected = train_convex(patches, y, 0.2, architecture="none")
    for found in (
        train_two_relu(patches, y, 0.2),
        relax_two_relu(patches, y, 0.2, "frobenius"),
        relax_two_relu(patches, y, 0.2, "nuclear"),
    ):
        assert found.dual_bound == pytest.approx(expected.objective, rel=1e-6)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 10**6))
def test_exact_price_is_above_what_a_search_finds(seed):
    patches, v = draw(seed)
    prices, u, w = exact_pricer(patches)(v)
    searched = search_atoms(v, patches, np.random.default_rng(seed), draws=4000, kept=20)[0][0]
    assert searched - 1e-12 <= prices[0] <= searched * (1 + 1e-2) + 1e-12
    np.testing.assert_allclose(np.abs(v @ atom_outputs(u, w, patches)), prices, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(u, axis=1), 1.0)
    np.testing.assert_allclose(np.linalg.norm(w, axis=1), 1.0)


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 10**6))
def test_no_network_is_below_the_bound(seed):
    patches, y = draw(seed, n=3)
    bound = train_two_relu(patches, y, 0.1, tol=1e-4).dual_bound
    rng = np.random.default_rng(seed)
    for scale in (0.1, 0.4, 1.0):
        u = rng.standard_normal((3, 2, 2))
        inner, weights = scale * rng.standard_normal((3, 2)), scale * rng.standard_normal(3)
        net = Network(u / np.linalg.norm(u, axis=-1, keepdims=True), weights, "two-relu", inner)
        assert net.objective(patches, y, 0.1) >= bound


@pytest.mark.parametrize("shared", [True, False])
def test_descent_never_goes_below_the_optimum_and_comes_close(shared):
    patches, y = draw(5)
    beta = 0.2 * beta_max(patches, y, architecture=TwoReLU(shared))
    found = train_two_relu(patches, y, beta, shared=shared)
    run = train_baseline(
        patches, y, beta, architecture=TwoReLU(shared), width=16, rng=0, restarts=12, max_iter=2000
    )
    assert run.objective.min() >= found.dual_bound - 1e-9
    assert run.objective.min() <= found.objective * (1 + 1e-3)


@pytest.mark.parametrize("shared", [True, False])
def test_zero_is_optimal_from_beta_max_on(shared):
    patches, y = draw(6, n=3)
    beta = beta_max(patches, y, architecture=TwoReLU(shared))
    above = train_two_relu(patches, y, beta * (1 + 1e-6), shared=shared)
    assert above.objective == y @ y / 2
    assert len(above.network.weights) == 0
    below = train_two_relu(patches, y, beta * 0.99, shared=shared)
    assert below.objective < above.objective


def test_given_patterns_restrict_the_first_layer():
    patches, y = draw(7, n=3)
    cells = enumerate_cells(patches, "two-relu")
    same = train_convex(patches, y, 0.1, architecture="two-relu", cells=cells.patterns)
    full = train_convex(patches, y, 0.1, architecture="two-relu", cells=cells)
    assert full.exact and not same.exact and np.isnan(same.gap)
    assert same.objective == pytest.approx(full.objective, rel=1e-7)
    few = train_convex(patches, y, 0.1, architecture="two-relu", cells=cells.patterns[:4])
    assert few.restricted_gap <= 1e-8 and few.objective > full.objective * (1 + 1e-6)


@pytest.mark.parametrize("architecture", ["none", "circular", "two-relu"])
def test_patches_of_zeros_are_refused(architecture):
    with pytest.raises(ValueError, match="patches: expected entries other than zero"):
        beta_max(np.zeros((3, 1, 2)), np.ones(3), architecture=architecture)


def test_filters_that_exceed_their_bound_have_no_certificate():
    patches, y = draw(8)
    network = Network(2 * np.ones((1, 2, 2)), np.ones(1), "two-relu", np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"filters: expected norms of at most 1, found 2.83"):
        certify(network, patches, y, 0.1)


def hard(trial, fraction, shared):
    """An instance of base seed 693147 on which the conic solver had stalled."""
    X, y = problems.draw_signals(step.streams(693147, "ergen2021"), trial, 4, 3)
    patches = problems.windows(X, 2)
    return patches, y, fraction * beta_max(patches, y, architecture=TwoReLU(shared))


def test_short_steps_outside_the_cones_do_not_stall_the_nuclear_program():
    # it had ended at a gap of 0.37, without a word
    patches, y, beta = hard(8, 0.3, True)
    found, lower = (relax_two_relu(patches, y, beta, norm) for norm in ("nuclear", "frobenius"))
    exact = train_two_relu(patches, y, beta, shared=True)
    assert max(found.gap, lower.gap, exact.gap) <= 1e-8
    assert lower.program <= found.program * (1 + 1e-8)
    assert found.program <= exact.program * (1 + 1e-8)


def test_a_bound_has_its_last_digits_with_hundreds_of_groups():
    # it had ended at a gap of 2.7e-8
    assert train_two_relu(*hard(3, 0.03, False)).gap <= 1e-8


def test_a_relaxation_that_has_not_converged_says_so(monkeypatch):
    patches, y = draw(0)
    few = functools.partial(architectures.solve_groups, max_iter=3)
    monkeypatch.setattr(architectures, "solve_groups", few)
    with pytest.warns(ConvergenceWarning, match="solved to a relative gap of"):
        relax_two_relu(patches, y, 0.1, "nuclear")
