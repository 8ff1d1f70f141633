"""Ergen & Pilanci: two- and three-layer convolutional networks trained by convex programs."""

from .arrangements import (
    ArrangementTooLarge,
    Cells,
    cover_count,
    enumerate_cells,
    gate_patterns,
    paper_bound,
    pattern_cells,
    predicted_patterns,
    sample_gates,
    sign_patterns,
    winner_patterns,
)
from .estimator import ConvexCNNRegressor
from .network import Network, balance, reduce_filters
from .train import Certificate, Solution, beta_max, certify, path, train_convex

__all__ = [
    "ArrangementTooLarge",
    "Cells",
    "Certificate",
    "ConvexCNNRegressor",
    "Network",
    "Solution",
    "balance",
    "beta_max",
    "certify",
    "cover_count",
    "enumerate_cells",
    "gate_patterns",
    "paper_bound",
    "path",
    "pattern_cells",
    "predicted_patterns",
    "reduce_filters",
    "sample_gates",
    "sign_patterns",
    "train_convex",
    "winner_patterns",
]
