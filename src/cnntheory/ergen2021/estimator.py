"""A scikit-learn regressor: one-dimensional convolutional network, trained to a certified gap."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .._extras import extra
from .train import train_convex

with extra("sklearn"):
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data


class ConvexCNNRegressor(RegressorMixin, BaseEstimator):
    """Two-layer convolutional ReLU network, trained by its convex program.

    Parameters
    ----------
    patch_size : int, optional
        Length of a filter; the whole row by default, which is the fully connected network.
    stride : int, optional
        Distance between neighbouring patches of a row.
    beta : float, optional
        Weight decay, relative to the squared loss over 2, summed over samples.
    architecture : str or Architecture, optional
        As for `train_convex`; ``"average"`` is the plain sum over patches.
    cells : int or None, optional
        Number of sampled gates, or all cells (few samples and short filters only).
    tol : float, optional
        Relative duality gap of the program restricted to the gates.
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
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((30, 6))
    >>> model = ConvexCNNRegressor(patch_size=3, cells=20, random_state=0)
    >>> model.fit(X, np.abs(X[:, 0])).converged_, model.exact_
    (True, False)
    """

    def __init__(
        self,
        patch_size=None,
        stride=1,
        beta=0.01,
        architecture="average",
        cells=100,
        tol=1e-6,
        random_state=None,
    ):
        self.patch_size = patch_size
        self.stride = stride
        self.beta = beta
        self.architecture = architecture
        self.cells = cells
        self.tol = tol
        self.random_state = random_state

    def fit(self, X, y):
        """Train on rows X, shape (n, d), and labels y, shape (n,)."""
        X, y = validate_data(self, X, y, dtype=float, y_numeric=True)
        rng = check_random_state(self.random_state).randint(2**31)
        solution = train_convex(
            self._patches(X),
            np.asarray(y, float),
            self.beta,
            architecture=self.architecture,
            cells=self.cells,
            tol=self.tol,
            rng=rng,
        )
        self.network_ = solution.network
        self.objective_ = solution.objective
        self.gap_, self.restricted_gap_ = solution.gap, solution.restricted_gap
        self.exact_, self.converged_ = solution.exact, solution.converged
        return self

    def predict(self, X):
        """Outputs, shape (n,)."""
        check_is_fitted(self)
        return self.network_.predict(
            self._patches(validate_data(self, X, dtype=float, reset=False))
        )

    def _patches(self, X):
        """Windows (n, K, patch_size) of the rows."""
        size = X.shape[1] if self.patch_size is None else self.patch_size
        if not 1 <= size <= X.shape[1]:
            raise ValueError(
                f"patch_size: expected 1 to {X.shape[1]}, the number of features, found {size}"
            )
        if self.stride < 1:
            raise ValueError(f"stride: expected at least 1, found {self.stride}")
        return sliding_window_view(X, size, axis=1)[:, :: self.stride]
