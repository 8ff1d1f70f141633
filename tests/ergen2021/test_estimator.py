"""The regressor: scikit-learn's own checks, and agreement with train_convex."""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from cnntheory.ergen2021 import ConvexCNNRegressor, train_convex


@parametrize_with_checks([ConvexCNNRegressor(cells=20)])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_windows_are_the_patches():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((10, 6)), rng.standard_normal(10)
    model = ConvexCNNRegressor(patch_size=2, stride=2, beta=0.3, cells=None, tol=1e-8)
    solution = train_convex(X.reshape(10, 3, 2), y, 0.3)
    assert model.fit(X, y).objective_ == pytest.approx(solution.objective, rel=1e-9)
    np.testing.assert_allclose(model.predict(X), solution.network.predict(X.reshape(10, 3, 2)))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"patch_size": 9}, "patch_size: expected 1 to 4"), ({"stride": 0}, "stride: expected")],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        ConvexCNNRegressor(**options).fit(np.ones((5, 4)), np.arange(5.0))
