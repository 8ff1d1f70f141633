"""scikit-learn estimators: two-layer convolutional networks trained by their convex program."""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import expit

from .._extras import extra
from .train import train_convex

with extra("sklearn"):
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data


class _ConvexCNN(BaseEstimator):
    """Rows or images to patches, and one network for each column of labels."""

    def __init__(
        self,
        patch_size=None,
        *,
        stride=1,
        image_shape=None,
        beta=0.01,
        architecture="average",
        bias=False,
        cells=100,
        tol=1e-6,
        random_state=None,
    ):
        self.patch_size = patch_size
        self.stride = stride
        self.image_shape = image_shape
        self.beta = beta
        self.architecture = architecture
        self.bias = bias
        self.cells = cells
        self.tol = tol
        self.random_state = random_state

    def _read(self, X, **options):
        """X as images (n, channels, height, width); rows are one channel of height 1."""
        X = validate_data(self, X, dtype=float, allow_nd=True, **options)
        X, y = X if isinstance(X, tuple) else (X, None)
        if X.ndim > 4:
            raise ValueError(
                "X: expected rows (n, d) or images (n, height, width) or (n, channels, height, "
                f"width), found shape {X.shape}"
            )
        shape = X.shape[1:] if X.ndim > 2 else self.image_shape
        if shape is None and np.ndim(self.patch_size) == 1:
            shape = (isqrt(X.shape[1]),) * 2
        shape = (1, X.shape[1]) if shape is None else shape
        if np.prod(shape) != np.prod(X.shape[1:]):
            raise ValueError(
                f"image_shape: expected {np.prod(X.shape[1:])} pixels, the features of X, found "
                f"{shape}"
            )
        images = X.reshape(len(X), *(1,) * (3 - len(shape)), *shape)
        if y is None and images.shape[1:] != self.image_shape_:
            raise ValueError(
                f"X: expected images of shape {self.image_shape_} as in fit, found "
                f"{images.shape[1:]}"
            )
        self.image_shape_ = images.shape[1:]
        return images if y is None else (images, y)

    def _patches(self, images):
        """Windows (n, K, h): pixels channel by channel, row by row, then 1 for a bias."""
        sides = images.shape[2:]
        rows = sides[0] == 1 and np.ndim(self.patch_size) == 0
        size = sides if self.patch_size is None else _pair(self.patch_size, rows)
        stride = _pair(self.stride, rows)
        if not all(1 <= entry <= side for entry, side in zip(size, sides, strict=True)):
            raise ValueError(
                f"patch_size: expected at most {sides[-1] if rows else sides} and at least 1, "
                f"found {self.patch_size}"
            )
        if min(stride) < 1:
            raise ValueError(f"stride: expected at least 1, found {self.stride}")
        windows = sliding_window_view(images, size, axis=(2, 3))
        windows = windows[:, :, :: stride[0], :: stride[1]].transpose(0, 2, 3, 1, 4, 5)
        n, down, across = windows.shape[:3]
        patches = windows.reshape(n, down * across, -1)
        if not self.bias:
            return patches
        return np.concatenate([patches, np.ones((*patches.shape[:2], 1))], axis=2)

    def _fit(self, images, labels, loss):
        """Train one network for each column of labels, all over the same cells."""
        patches, cells, solutions = self._patches(images), self.cells, []
        rng = int(check_random_state(self.random_state).randint(2**31))
        for column in labels.T:
            solutions.append(
                train_convex(
                    patches,
                    column,
                    self.beta,
                    architecture=self.architecture,
                    cells=cells,
                    loss=loss,
                    tol=self.tol,
                    rng=rng,
                )
            )
            cells = solutions[0].cells
        self.networks_ = [solution.network for solution in solutions]
        objectives = np.array([solution.objective for solution in solutions])
        excess = objectives - [solution.dual_bound for solution in solutions]
        self.objective_ = float(objectives.sum())
        self.restricted_gap_ = float(excess.sum() / max(self.objective_, np.finfo(float).tiny))
        self.exact_ = solutions[0].exact
        self.gap_ = self.restricted_gap_ if self.exact_ else np.nan
        self.converged_ = bool((excess <= self.tol * objectives).all())
        return self

    def _outputs(self, X):
        """Outputs of the networks, shape (n, networks)."""
        check_is_fitted(self)
        patches = self._patches(self._read(X, reset=False))
        return np.column_stack([network.predict(patches) for network in self.networks_])


def _pair(size, rows):
    """A size as (down, across)."""
    if np.ndim(size) == 0:
        return (1, size) if rows else (size, size)
    return tuple(size)


class ConvexCNNRegressor(RegressorMixin, _ConvexCNN):
    """Two-layer convolutional ReLU network, trained by its convex program.

    Parameters
    ----------
    patch_size : int or (int, int), optional
        Of a filter: its length along a row, or its height and width in an image (an integer: both).
        All of it by default, which is the fully connected network.
    stride : int or (int, int), optional
        Distance between neighbouring patches.
    image_shape : tuple of int, optional
        ``(height, width)`` or ``(channels, height, width)`` of images that are rows of X. Without
        it a row is a row; a square image if `patch_size` is a pair.
    beta : float, optional
        Weight decay, relative to the squared loss over 2, summed over samples.
    architecture : {"average", "max", "none"}, optional
        Pooling: ``"average"`` is the plain sum over patches; ``"none"`` gives every patch its own
        output weight and needs ``cells=None`` and small patches.
    bias : bool, optional
        Whether filters have a bias, decayed like their other entries.
    cells : int or None, optional
        Number of sampled gates, or all cells (few samples and short filters only).
    tol : float, optional
        Relative duality gap of the program that is solved.
    random_state : int, RandomState or None, optional
        Source of the gates.

    Attributes
    ----------
    network_ : Network
    objective_ : float
        Training objective.
    gap_ : float
        Certified relative distance to the global optimum; NaN with sampled gates, which give none.
    restricted_gap_ : float
        Relative duality gap of the program that was solved, restricted to the gates.
    exact_, converged_ : bool
        Whether all cells were used, and whether `restricted_gap_` reached `tol`.
    image_shape_ : tuple of int
        Channels, height and width.
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((30, 6))
    >>> model = ConvexCNNRegressor(patch_size=3, cells=20, random_state=0)
    >>> model.fit(X, np.abs(X[:, 0])).converged_, model.exact_
    (True, False)
    """

    def fit(self, X, y):
        """Train on rows (n, d) or images (n, [channels,] height, width), and labels y, (n,)."""
        images, y = self._read(X, y=y, y_numeric=True)
        self._fit(images, np.asarray(y, float)[:, None], "squared")
        self.network_ = self.networks_[0]
        return self

    def predict(self, X):
        """Outputs, shape (n,)."""
        return self._outputs(X)[:, 0]


class ConvexCNNClassifier(ClassifierMixin, _ConvexCNN):
    """Two-layer convolutional ReLU networks, one class against the rest, each a convex program.

    Two classes take one network. More take one each, over the same cells: their sum is the
    objective of one wide network with an output for each class that shares no filter.

    Parameters
    ----------
    patch_size : int or (int, int), optional
        Of a filter: its length along a row, or its height and width in an image (an integer: both).
        All of it by default, which is the fully connected network.
    stride, image_shape, architecture, bias, cells, tol, random_state
        As for `ConvexCNNRegressor`.
    beta : float, optional
        Weight decay, relative to the loss summed over samples.
    loss : {"logistic", "squared"}, optional
        Of labels -1 and 1.

    Attributes
    ----------
    classes_ : ndarray
    networks_ : list of Network
        One for each class, or the one of the second of two classes.
    objective_, gap_, restricted_gap_, exact_, converged_
        As for `ConvexCNNRegressor`, of the sum over the classes.
    image_shape_ : tuple of int
        Channels, height and width.
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((60, 2))
    >>> y = np.abs(X[:, 0]) > 0.7
    >>> model = ConvexCNNClassifier(bias=True, cells=20, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    def __init__(
        self,
        patch_size=None,
        *,
        stride=1,
        image_shape=None,
        beta=0.01,
        architecture="average",
        bias=False,
        cells=100,
        loss="logistic",
        tol=1e-6,
        random_state=None,
    ):
        super().__init__(
            patch_size,
            stride=stride,
            image_shape=image_shape,
            beta=beta,
            architecture=architecture,
            bias=bias,
            cells=cells,
            tol=tol,
            random_state=random_state,
        )
        self.loss = loss

    def fit(self, X, y):
        """Train on rows (n, d) or images (n, [channels,] height, width), and labels y, (n,)."""
        images, y = self._read(X, y=y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y: expected at least 2 classes, found 1 class: {self.classes_[0]}")
        columns = [1] if len(self.classes_) == 2 else np.arange(len(self.classes_))
        return self._fit(images, np.where(codes[:, None] == columns, 1.0, -1.0), self.loss)

    def decision_function(self, X):
        """Outputs, shape (n,) for two classes, else (n, classes)."""
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def predict(self, X):
        """Labels, shape (n,)."""
        outputs = self._outputs(X)
        codes = outputs.argmax(axis=1) if outputs.shape[1] > 1 else outputs[:, 0] > 0
        return self.classes_[codes.astype(int)]

    @available_if(lambda self: self.loss == "logistic")
    def predict_proba(self, X):
        """Probabilities, shape (n, classes): of one against the rest, divided by their sum."""
        chance = expit(self._outputs(X))
        if chance.shape[1] == 1:
            return np.hstack([1 - chance, chance])
        return chance / chance.sum(axis=1, keepdims=True)
