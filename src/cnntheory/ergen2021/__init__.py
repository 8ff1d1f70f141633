"""Ergen & Pilanci: two- and three-layer convolutional networks trained by convex programs.

`train_convex` trains every architecture, `beta_max` is where its optimum becomes zero, `path` goes
down from there; `certify` bounds how far any network is from the optimum, `relax` leaves out what
the programs need. `enumerate_cells` and `sample_gates` say which gates there are, and
`train_baseline` is descent on the networks themselves, `train_baselines` on several data sets at
once. `from_torch` reads a PyTorch network, `certify_torch` bounds how far it is from the optimum.

Everything loads when it is used.
"""

from .._lazy import lazy

# Module to names.
_PARTS = {
    "train": (
        "train_convex",
        "Solution",
        "ConvergenceWarning",
        "beta_max",
        "path",
        "certify",
        "Certificate",
        "relax",
        "Relaxation",
    ),
    "network": ("Network",),
    "architectures": ("Circular", "TwoReLU", "enumerate_cells"),
    "arrangements": ("ArrangementTooLarge", "Cells", "cover_count", "paper_bound", "sample_gates"),
    "baselines": ("Baseline", "train_baseline", "train_baselines"),
    "estimator": ("ConvexCNNClassifier", "ConvexCNNRegressor"),
    "torch_models": ("Problem", "TorchCertificate", "certify_torch", "from_torch"),
}
_HOME = {name: part for part, names in _PARTS.items() for name in names}

__getattr__, __dir__, __all__ = lazy(__name__, _HOME)
