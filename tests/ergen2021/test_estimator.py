"""The estimators: scikit-learn's own checks, and agreement with train_convex."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from cnntheory.ergen2021 import ConvexCNNClassifier, ConvexCNNRegressor, train_convex
from cnntheory.images import extract_patches


@parametrize_with_checks(
    [ConvexCNNRegressor(cells=10), ConvexCNNClassifier(cells=5, beta=0.3, tol=1e-3)]
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_windows_are_the_patches():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((10, 6)), rng.standard_normal(10)
    model = ConvexCNNRegressor(patch_size=2, stride=2, beta=0.3, cells=None, tol=1e-8)
    solution = train_convex(X.reshape(10, 3, 2), y, 0.3)
    assert model.fit(X, y).objective_ == pytest.approx(solution.objective, rel=1e-9)
    assert model.exact_ and model.converged_ and model.gap_ <= 1e-8
    np.testing.assert_allclose(model.predict(X), solution.network.predict(X.reshape(10, 3, 2)))


def test_pictures_are_cut_as_cnntheory_images_cuts_them():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((4, 4, 5)), rng.standard_normal(4)
    patches = extract_patches(X, 2, 2)
    options = dict(stride=2, beta=0.3, cells=None, tol=1e-8)
    model = ConvexCNNRegressor(2, **options).fit(X, y)
    assert model.image_shape_ == (1, 4, 5)
    assert model.objective_ == pytest.approx(train_convex(patches, y, 0.3).objective, rel=1e-7)
    np.testing.assert_allclose(model.predict(X), model.network_.predict(patches), rtol=1e-12)
    rows = ConvexCNNRegressor(2, image_shape=(4, 5), **options).fit(X.reshape(4, 20), y)
    np.testing.assert_array_equal(rows.predict(X.reshape(4, 20)), model.predict(X))
    with pytest.raises(ValueError, match=r"images of shape \(1, 4, 5\) as in fit, found \(1, 4, 6"):
        model.predict(np.ones((4, 4, 6)))


def test_channels_strides_and_biases_are_those_of_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((9, 2, 5, 6)), rng.standard_normal(9)
    for architecture in ("average", "max"):
        model = ConvexCNNRegressor(
            (3, 2), stride=(1, 2), bias=True, architecture=architecture, cells=2, tol=0.1
        ).fit(X, y)
        layer = torch.nn.Conv2d(2, 1, (3, 2), stride=(1, 2))
        module = model.network_.to_torch(layer)
        np.testing.assert_allclose(module(torch.tensor(X)).detach(), model.predict(X), rtol=1e-10)


def test_rows_of_square_pictures_need_no_shape():
    X, y = np.random.default_rng(0).standard_normal((6, 16)), np.arange(6.0)
    model = ConvexCNNRegressor((3, 3), cells=5, random_state=0).fit(X, y)
    assert model.image_shape_ == (1, 4, 4)
    same = ConvexCNNRegressor(3, cells=5, random_state=0).fit(X.reshape(6, 4, 4), y)
    np.testing.assert_array_equal(model.predict(X), same.predict(X.reshape(6, 4, 4)))


def test_without_pooling_a_patch_counts_where_it_lies():
    """An edge in the left patch or in the right one: no pooled network can tell."""
    rng = np.random.default_rng(0)
    X = np.array([[1.0, -1, 0, 0], [0, 0, 1, -1]] * 4) * rng.uniform(0.5, 2, (8, 1))
    y = np.array(["left", "right"] * 4)
    options = dict(patch_size=2, stride=2, beta=0.01, cells=None)
    unpooled = ConvexCNNClassifier(architecture="none", **options).fit(X, y)
    assert unpooled.score(X, y) == 1 and unpooled.gap_ <= 1e-6
    X = np.abs(X) @ np.diag([1, -1, 1, -1]) / np.abs(X).max(axis=1, keepdims=True)
    pooled = ConvexCNNClassifier(**options).fit(X, y)
    assert np.ptp(pooled.decision_function(X)) < 1e-12


def test_one_class_against_the_rest():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((30, 2)), np.array(["a", "b", "c"] * 10)
    options = dict(beta=0.2, cells=10, random_state=3, tol=1e-5)
    model = ConvexCNNClassifier(**options).fit(X, y)
    alone = [ConvexCNNClassifier(**options).fit(X, y == label) for label in "abc"]
    assert model.objective_ == pytest.approx(sum(one.objective_ for one in alone), rel=1e-12)
    outputs = np.column_stack([one.decision_function(X) for one in alone])
    np.testing.assert_allclose(model.decision_function(X), outputs)
    np.testing.assert_array_equal(model.predict(X), np.array(list("abc"))[outputs.argmax(axis=1)])
    chance = model.predict_proba(X)
    np.testing.assert_allclose(chance, expit(outputs) / expit(outputs).sum(1, keepdims=True))
    np.testing.assert_allclose(alone[0].predict_proba(X)[:, 1], expit(outputs[:, 0]))
    assert model.converged_ and not model.exact_ and np.isnan(model.gap_)
    assert not hasattr(ConvexCNNClassifier(loss="squared"), "predict_proba")


def test_the_objective_is_the_logistic_one():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((15, 2)), np.resize([3, 7], 15)
    model = ConvexCNNClassifier(beta=0.5, cells=None).fit(X, y)
    sides, network = np.where(y == 7, 1, -1), model.networks_[0]
    decay = (network.filters**2).sum() + (network.weights**2).sum()
    loss = np.log1p(np.exp(-sides * model.decision_function(X))).sum()
    assert model.objective_ == pytest.approx(loss + 0.5 / 2 * decay, rel=1e-9)
    assert model.gap_ <= 1e-6


def test_in_a_pipeline_and_a_grid():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 16))
    y = np.abs(X[:, 5]) > 0.7
    pipeline = make_pipeline(StandardScaler(), ConvexCNNClassifier(cells=10, tol=1e-3))
    grid = {
        "convexcnnclassifier__beta": [0.3, 3],
        "convexcnnclassifier__patch_size": [None, (3, 3)],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert search.best_estimator_[-1].converged_
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patch_size": 9}, "patch_size: expected at most 4 and at least 1, found 9"),
        ({"patch_size": (3, 1)}, r"patch_size: expected at most \(2, 2\)"),
        ({"stride": 0}, "stride: expected at least 1"),
        ({"image_shape": (3, 2)}, r"image_shape: expected 4 pixels, .* found \(3, 2\)"),
        ({"architecture": "mean"}, "architecture: expected one of average, max, none"),
        ({"architecture": "none", "cells": 5}, "cells: architecture 'none' prices all filters"),
        ({"beta": 0}, "beta: expected a number above 0"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        ConvexCNNRegressor(**options).fit(np.ones((5, 4)), np.arange(5.0))


def test_errors_of_the_classifier():
    X = np.ones((4, 2))
    with pytest.raises(ValueError, match="y: expected at least 2 classes"):
        ConvexCNNClassifier().fit(X, np.ones(4, int))
    with pytest.raises(ValueError, match="loss: expected one of squared, logistic"):
        ConvexCNNClassifier(loss="hinge").fit(X, [0, 1, 0, 1])
    with pytest.raises(ValueError, match="X: expected rows"):
        ConvexCNNClassifier().fit(np.ones((4, 1, 1, 1, 2)), [0, 1, 0, 1])
