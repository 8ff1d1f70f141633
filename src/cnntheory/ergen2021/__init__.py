"""Ergen & Pilanci: two- and three-layer convolutional networks trained by convex programs.

`train_convex` trains every architecture, `beta_max` is where its optimum becomes zero, `path` goes
down from there; `certify` bounds how far any network is from the optimum, `relax` leaves out what
the programs need. `enumerate_cells` and `sample_gates` say which gates there are, and
`train_baseline` is descent on the networks themselves, `train_baselines` on several data sets at
once. `from_torch` reads a PyTorch network and
`certify_torch` bounds how far it is from the optimum.
"""

from importlib import import_module

from .architectures import Circular, TwoReLU, enumerate_cells
from .arrangements import ArrangementTooLarge, Cells, cover_count, paper_bound, sample_gates
from .baselines import Baseline, train_baseline, train_baselines
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
    "ConvexCNNClassifier",
    "ConvexCNNRegressor",
    "Network",
    "Problem",
    "Relaxation",
    "Solution",
    "TorchCertificate",
    "TwoReLU",
    "beta_max",
    "certify",
    "certify_torch",
    "cover_count",
    "enumerate_cells",
    "from_torch",
    "paper_bound",
    "path",
    "relax",
    "sample_gates",
    "train_baseline",
    "train_baselines",
    "train_convex",
]


# Names whose modules need scikit-learn or torch, which are most of the start-up.
_LAZY = {
    "ConvexCNNClassifier": "estimator",
    "ConvexCNNRegressor": "estimator",
    "Problem": "torch_models",
    "TorchCertificate": "torch_models",
    "certify_torch": "torch_models",
    "from_torch": "torch_models",
}


def __getattr__(name):
    """What needs scikit-learn or torch, when it is asked for."""
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
