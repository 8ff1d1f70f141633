"""Du, Lee & Tian: when is a convolutional filter easy to learn?

One ReLU filter, averaged over patches, learned from a teacher of the same form by (stochastic)
gradient descent (arXiv 1709.06129, ICLR 2018). The parts, in the paper's order:

- `neuron`: the network, its loss and gradients, empirical and over a population.
- `laws`: the inputs; `smoothness`: their constants gamma, L, beta and L_cross (Definition 2.1,
  Assumptions 2.1 and 3.1); `rates`: the steps and factors of Theorems 2.2 and 3.1.
- `condition`: does Theorem 3.1 speak of a data set?
- `starts`: random initialisation (Theorem 3.4); `teachers`: the filters of the experiments.

Everything loads when it is used.
"""

from .._lazy import lazy

_PARTS = {
    "neuron": ("predict", "loss", "empirical_gradient"),
    "laws": ("mixture", "cap", "patch_mixture", "patch_band"),
    "smoothness": (
        "gaussian_constants",
        "angular_constants",
        "angular_beta",
        "patch_constants",
        "patch_growth",
    ),
    "rates": ("theorem_step", "guaranteed_drop"),
    "condition": ("Condition", "check_condition"),
    "starts": ("good_probability",),
    "teachers": (),
}
_HOME = {name: part for part, names in _PARTS.items() for name in names}

__getattr__, __dir__, __all__ = lazy(__name__, _HOME, _PARTS)
