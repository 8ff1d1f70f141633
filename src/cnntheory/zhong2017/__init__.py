"""Zhong, Song & Dhillon: convolutional networks by tensor initialisation and gradient descent."""

from .activations import ACTIVATIONS, Activation, Analytic, Homogeneous, as_activation
from .hermite import series_hessian
from .hessian import empirical_hessian, population_hessian
from .initialise import (
    AssumptionWarning,
    TensorStart,
    WeakSignalWarning,
    split_half_error,
    tensor_initialise,
)
from .network import RecoveryError, draw_teacher, match_filters, network_output, recovery_error
from .tensor_decomposition import Decomposition, decompose
from .train import (
    Solution,
    empirical_objective,
    gradient_descent,
    population_objective,
    train_levenberg_marquardt,
)

# In the paper's order, not the alphabet's.
__all__ = [  # noqa: RUF022
    # the network, and how far filters are from the truth
    "network_output",
    "draw_teacher",
    "match_filters",
    "recovery_error",
    "RecoveryError",
    # activations, their non-linearity rho and moments
    "ACTIVATIONS",
    "Activation",
    "Homogeneous",
    "Analytic",
    "as_activation",
    # local strong convexity
    "population_hessian",
    "series_hessian",
    "empirical_hessian",
    # descent
    "population_objective",
    "empirical_objective",
    "gradient_descent",
    "train_levenberg_marquardt",
    "Solution",
    # tensor initialisation
    "tensor_initialise",
    "TensorStart",
    "split_half_error",
    "decompose",
    "Decomposition",
    "AssumptionWarning",
    "WeakSignalWarning",
]
