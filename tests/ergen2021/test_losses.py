"""Losses and their duals: Fenchel, finite differences, Clarabel, weak duality."""

import cvxpy as cp
import numpy as np
import pytest

from cnntheory.ergen2021 import (
    Circular,
    Network,
    TwoReLU,
    beta_max,
    certify,
    enumerate_cells,
    train_convex,
)
from cnntheory.ergen2021.losses import Logistic, Squared


@pytest.fixture
def labelled(draw):
    """Gaussian patches with labels -1 and 1."""

    def labelled(n, K, h, seed=0):
        patches, y = draw(n, K, h, seed)
        return patches, np.where(y < 0, -1.0, 1.0)

    return labelled


@pytest.mark.parametrize("kind", [Squared, Logistic])
def test_the_dual_is_fenchels(kind):
    rng = np.random.default_rng(0)
    loss, fit = kind(np.where(rng.standard_normal(7) < 0, -1.0, 1.0)), rng.standard_normal(7)
    v, small = loss.dual(fit), 1e-6 * np.eye(7)
    slope = [(loss.value(fit + e) - loss.value(fit - e)) / 2e-6 for e in small]
    bend = [(loss.dual(fit + e) - loss.dual(fit - e)) / 2e-6 for e in small]
    np.testing.assert_allclose(-v, slope, atol=1e-8)
    np.testing.assert_allclose(-np.array(bend), np.diag(loss.curvature(fit)), atol=1e-8)
    # L(f) + L*(-v) = -v^T f where v = -L'(f); below it elsewhere
    assert loss.bound(v) == pytest.approx(loss.value(fit) + v @ fit, rel=1e-12)
    for other in rng.standard_normal((20, 7)):
        assert loss.bound(v) <= loss.value(other) + v @ other + 1e-12


@pytest.mark.parametrize("kind", [Squared, Logistic])
@pytest.mark.parametrize("limit", [0.3, 10.0])
def test_the_scale_is_the_best_on_the_ray(kind, limit):
    rng = np.random.default_rng(1)
    loss = kind(np.where(rng.standard_normal(7) < 0, -1.0, 1.0))
    v = loss.dual(rng.standard_normal(7))
    best = loss.scale(v, limit)
    assert 0 < best <= limit
    thetas = np.linspace(0, min(limit, 1 / np.abs(v).max()), 1001)
    assert loss.bound(best * v) >= max(loss.bound(theta * v) for theta in thetas) - 1e-12


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fraction", [0.3, 0.03])
def test_logistic_training_agrees_with_clarabel(labelled, seed, fraction):
    patches, y = labelled(6, 2, 2, seed)
    beta = fraction * beta_max(patches, y, loss="logistic")
    found = train_convex(patches, y, beta, loss="logistic", tol=1e-10)
    assert found.converged and found.gap <= 1e-10
    fit, penalty, cones = 0, 0, []
    for pattern in found.cells.patterns:
        design = np.einsum("nk,nkh->nh", pattern, patches)
        side = np.where(pattern, 1.0, -1.0)[:, :, None] * patches
        for sign in (1, -1):
            c = cp.Variable(2)
            fit, penalty = fit + sign * design @ c, penalty + cp.norm(c)
            cones.append(side.reshape(-1, 2) @ c >= 0)
    loss = cp.sum(cp.logistic(-cp.multiply(y, fit)))
    value = cp.Problem(cp.Minimize(loss + beta * penalty), cones).solve(solver=cp.CLARABEL)
    assert found.objective == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_logistic_certificates_are_rigorous(labelled, pooling):
    patches, y = labelled(8, 2, 3)
    cells = enumerate_cells(patches, pooling)
    program = dict(architecture=pooling, loss="logistic", cells=cells)
    beta = 0.1 * beta_max(patches, y, **program)
    found = train_convex(patches, y, beta, **program)
    network = found.network
    own = certify(network, patches, y, beta, loss="logistic", cells=cells)
    assert found.gap <= 1e-8 and own.gap <= 1e-6
    assert own.objective == pytest.approx(found.objective, rel=1e-12)
    fit = network.predict(patches)
    decay = (network.filters**2).sum() + (network.weights**2).sum()
    assert own.objective == pytest.approx(np.log1p(np.exp(-y * fit)).sum() + beta / 2 * decay)
    rng = np.random.default_rng(0)
    for _ in range(20):
        other = Network(rng.standard_normal((3, 3)), rng.standard_normal(3), pooling)
        assert other.objective(patches, y, beta, "logistic") >= found.dual_bound


def test_beta_max_of_the_logistic_loss_is_the_threshold(labelled):
    patches, y = labelled(7, 2, 2)
    top = beta_max(patches, y, loss="logistic")
    assert top == pytest.approx(beta_max(patches, y) / 2, rel=1e-12)
    above, below = (
        train_convex(patches, y, t * top, loss="logistic") for t in (1 + 1e-6, 1 - 1e-3)
    )
    assert len(above.network.weights) == 0
    assert above.objective == pytest.approx(7 * np.log(2), rel=1e-12)
    assert len(below.network.weights) >= 1 and below.objective < 7 * np.log(2)


def test_the_work_is_counted(draw):
    patches, y = draw(8, 2, 2)
    first, again = (train_convex(patches, y, 0.1) for _ in range(2))
    assert first.work == again.work > 8**2 * first.n_iter


def test_losses_are_refused_by_name(draw):
    patches, y = draw(4, 2, 2)
    with pytest.raises(ValueError, match="loss: expected one of squared, logistic, found 'hinge'"):
        train_convex(patches, y, 0.1, loss="hinge")
    with pytest.raises(ValueError, match="y: expected labels -1 and 1"):
        train_convex(patches, y, 0.1, loss="logistic")


@pytest.mark.parametrize(
    "architecture", ["none", "linear", "two-relu", TwoReLU(shared=True), Circular(4, "product")]
)
def test_every_architecture_is_trained_on_the_logistic_loss(labelled, architecture):
    patches, y = labelled(4, 1 if isinstance(architecture, Circular) else 2, 2, 3)
    program = dict(architecture=architecture, loss="logistic")
    top = beta_max(patches, y, **program)
    found = train_convex(patches, y, 0.2 * top, **program)
    assert found.converged and 0 <= found.gap + 1e-12 and len(found.network.weights)
    own = certify(found.network, patches, y, 0.2 * top, loss="logistic")
    assert own.objective == found.objective and own.gap <= 1e-6
    fit, decay = found.network.predict(patches), found.network.decay()
    value = np.log1p(np.exp(-y * fit)).sum() + 0.1 * top * decay
    assert value == pytest.approx(found.objective, rel=1e-12)
    zero = train_convex(patches, y, 1.000001 * top, **program)
    assert zero.objective == pytest.approx(4 * np.log(2), rel=1e-12)
    assert not len(zero.network.weights)
