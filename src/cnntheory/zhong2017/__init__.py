"""Zhong, Song & Dhillon: convolutional networks by tensor initialisation and gradient descent."""

from .activations import ACTIVATIONS, moment_orders, phi, rho
from .hermite import series_hessian
from .hessian import empirical_hessian, population_hessian
from .initialise import (
    AssumptionWarning,
    WeakSignalWarning,
    estimate_subspace,
    tensor_initialise,
)
from .network import draw_teacher, match_kernels, network_output, recovery_error
from .tensor_decomposition import decompose
from .train import (
    empirical_objective,
    gradient_descent,
    levenberg_marquardt,
    population_objective,
)

__all__ = [
    "ACTIVATIONS",
    "AssumptionWarning",
    "WeakSignalWarning",
    "decompose",
    "draw_teacher",
    "empirical_hessian",
    "empirical_objective",
    "estimate_subspace",
    "gradient_descent",
    "levenberg_marquardt",
    "match_kernels",
    "moment_orders",
    "network_output",
    "phi",
    "population_hessian",
    "population_objective",
    "recovery_error",
    "rho",
    "series_hessian",
    "tensor_initialise",
]
