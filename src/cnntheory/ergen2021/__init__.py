"""Ergen & Pilanci: two- and three-layer convolutional networks trained by convex programs.

`train_convex` trains every architecture, `beta_max` is where its optimum becomes zero, `path` goes
down from there; `certify` bounds how far any network is from the optimum, `relax` leaves out what
the programs need. `enumerate_cells` and `sample_gates` say which gates there are, and
`train_baseline` is descent on the networks themselves.
"""

from .architectures import Circular, TwoReLU, enumerate_cells
from .arrangements import ArrangementTooLarge, Cells, cover_count, paper_bound, sample_gates
from .baselines import Baseline, train_baseline
from .network import Network
from .train import (
    Certificate,
    ConvergenceWarning,
    Relaxation,
    Solution,
    beta_max,
    certify,
    path,
    relax,
    train_convex,
)

__all__ = [
    "ArrangementTooLarge",
    "Baseline",
    "Cells",
    "Certificate",
    "Circular",
    "ConvergenceWarning",
    "ConvexCNNRegressor",
    "Network",
    "Relaxation",
    "Solution",
    "TwoReLU",
    "beta_max",
    "certify",
    "cover_count",
    "enumerate_cells",
    "paper_bound",
    "path",
    "relax",
    "sample_gates",
    "train_baseline",
    "train_convex",
]


def __getattr__(name):
    """The estimator when it is asked for: scikit-learn is most of the start-up otherwise."""
    if name == "ConvexCNNRegressor":
        from .estimator import ConvexCNNRegressor

        return ConvexCNNRegressor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
