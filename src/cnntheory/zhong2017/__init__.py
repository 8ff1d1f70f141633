"""Zhong, Song & Dhillon: convolutional networks by tensor initialisation and gradient descent.

Names in the paper's order; everything loads when it is used.
"""

from .._lazy import lazy

# Module to names, in the paper's order.
_PARTS = {
    # the network, and how far filters are from the truth
    "network": (
        "network_output",
        "draw_teacher",
        "match_filters",
        "recovery_error",
        "RecoveryError",
    ),
    # activations, their non-linearity rho and moments
    "activations": ("ACTIVATIONS", "Activation", "Homogeneous", "Analytic", "as_activation"),
    # local strong convexity
    "hessian": ("population_hessian", "empirical_hessian"),
    "hermite": ("series_hessian",),
    # descent
    "train": (
        "population_objective",
        "empirical_objective",
        "gradient_descent",
        "train_levenberg_marquardt",
        "Solution",
    ),
    # tensor initialisation
    "initialise": (
        "tensor_initialise",
        "TensorStart",
        "split_half_error",
        "AssumptionWarning",
        "WeakSignalWarning",
    ),
    "tensor_decomposition": ("decompose", "Decomposition"),
}
_HOME = {name: part for part, names in _PARTS.items() for name in names}

__getattr__, __dir__, __all__ = lazy(__name__, _HOME)
