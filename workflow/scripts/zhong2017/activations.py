"""Options that name activations: those of the theorems, and those that moments tell apart."""

from typing import Literal

Activation = Literal["relu", "leaky_relu", "squared_relu", "sigmoid", "tanh", "erf"]
Identifiable = Literal["relu", "leaky_relu", "squared_relu", "sigmoid", "tanh", "erf", "softplus"]
