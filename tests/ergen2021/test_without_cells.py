"""Exact training without listing cells: the optimum of the programs that list them."""

import numpy as np
import pytest

from cnntheory.ergen2021 import ArrangementTooLarge, ConvergenceWarning, beta_max, train_convex


@pytest.mark.parametrize("loss", ["squared", "logistic"])
@pytest.mark.parametrize(
    ("seed", "shape", "fraction"),
    [(0, (12, 3, 2), 0.3), (1, (12, 3, 2), 0.03), (2, (6, 2, 3), 0.2), (3, (6, 1, 4), 0.1)],
)
def test_same_optimum_as_the_program_over_all_cells(draw, loss, seed, shape, fraction):
    patches, y = draw(*shape, seed)
    y = np.sign(y) if loss == "logistic" else y
    beta = fraction * beta_max(patches, y, loss=loss)
    listed = train_convex(patches, y, beta, loss=loss)
    found = train_convex(patches, y, beta, loss=loss, tol=1e-6, time_limit=60)
    assert found.converged
    assert found.gap <= 1e-6
    # either bound is below either network
    assert found.dual_bound <= listed.objective * (1 + 1e-12)
    assert listed.dual_bound <= found.objective * (1 + 1e-12)
    assert found.objective == found.network.objective(patches, y, beta, loss)
    assert len(found.network.weights) <= len(y)


def test_zero_from_beta_max_on(draw):
    patches, y = draw(10, 2, 3)
    beta = beta_max(patches, y)
    above = train_convex(patches, y, beta * (1 + 1e-6), tol=1e-6, time_limit=60)
    assert above.converged
    assert len(above.network.weights) == 0
    assert above.objective == pytest.approx(y @ y / 2)
    assert len(train_convex(patches, y, 0.9 * beta, tol=1e-6, time_limit=60).network.weights) > 0


def test_more_cells_than_can_be_listed(draw):
    """800 hyperplanes in space, 640 000 cells: what is near the optimum is above the bound."""
    patches, y = draw(100, 8, 3)
    with pytest.raises(ArrangementTooLarge):
        train_convex(patches, y, 1.0)
    beta = 0.3 * np.abs(y @ np.maximum(patches, 0).sum(axis=(1, 2)))
    found = train_convex(patches, y, beta, tol=1e-4, time_limit=60)
    assert found.converged
    rng = np.random.default_rng(0)
    for scale in (1e-3, 1e-2, 1e-1):
        network = found.network
        near = type(network)(
            network.filters + scale * rng.standard_normal(network.filters.shape),
            network.weights * (1 + scale * rng.standard_normal(network.weights.shape)),
        )
        assert near.objective(patches, y, beta) >= found.dual_bound


def test_says_when_it_does_not_get_there(draw):
    patches, y = draw(12, 3, 2)
    beta = 0.1 * beta_max(patches, y)
    with pytest.warns(ConvergenceWarning, match="time_limit"):
        found = train_convex(patches, y, beta, tol=1e-6, time_limit=1e-9)
    assert not found.converged
    assert found.dual_bound <= train_convex(patches, y, beta).objective <= found.objective


def test_refuses(draw):
    patches, y = draw(4, 2, 2)
    with pytest.raises(ValueError, match="cells, time_limit"):
        train_convex(patches, y, 1.0, cells=3, time_limit=1)
    with pytest.raises(ValueError, match="time_limit: architecture 'max'"):
        train_convex(patches, y, 1.0, architecture="max", time_limit=1)
