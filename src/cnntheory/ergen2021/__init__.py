"""Ergen & Pilanci: two- and three-layer convolutional networks trained by convex programs."""

from .arrangements import (
    ArrangementTooLarge,
    Cells,
    cover_count,
    enumerate_cells,
    gate_patterns,
    paper_bound,
    pattern_cells,
    sample_gates,
    sign_patterns,
    winner_patterns,
)
from .baselines import Baseline, train_baseline
from .circular import CircularNetwork, CircularSolution, beta_max_circular, train_circular
from .linear import LinearSolution, beta_max_linear, train_linear
from .network import Network, balance, reduce_filters
from .train import Certificate, ConvergenceWarning, Solution, beta_max, certify, path, train_convex
from .two_relu import (
    TwoReluNetwork,
    TwoReluSolution,
    beta_max_two_relu,
    relax_two_relu,
    train_two_relu,
)
from .unpooled import (
    UnpooledNetwork,
    UnpooledSolution,
    beta_max_unpooled,
    certify_unpooled,
    relax_unpooled,
    train_unpooled,
)

__all__ = [
    "ArrangementTooLarge",
    "Baseline",
    "Cells",
    "Certificate",
    "CircularNetwork",
    "CircularSolution",
    "ConvergenceWarning",
    "ConvexCNNRegressor",
    "LinearSolution",
    "Network",
    "Solution",
    "TwoReluNetwork",
    "TwoReluSolution",
    "UnpooledNetwork",
    "UnpooledSolution",
    "balance",
    "beta_max",
    "beta_max_circular",
    "beta_max_linear",
    "beta_max_two_relu",
    "beta_max_unpooled",
    "certify",
    "certify_unpooled",
    "cover_count",
    "enumerate_cells",
    "gate_patterns",
    "paper_bound",
    "path",
    "pattern_cells",
    "reduce_filters",
    "relax_two_relu",
    "relax_unpooled",
    "sample_gates",
    "sign_patterns",
    "train_baseline",
    "train_circular",
    "train_convex",
    "train_linear",
    "train_two_relu",
    "train_unpooled",
    "winner_patterns",
]


def __getattr__(name):
    """The estimator when it is asked for: scikit-learn is most of the start-up otherwise."""
    if name == "ConvexCNNRegressor":
        from .estimator import ConvexCNNRegressor

        return ConvexCNNRegressor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
