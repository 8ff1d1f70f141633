"""Allen-Zhu, Li & Song: wide networks train to zero loss, measured along the path.

A Convergence Theory for Deep Learning via Over-Parameterization (arXiv 1811.03962, ICML 2019). The
parts, in the paper's order:

- `networks`: the networks, fully connected, residual and convolutional; forward and backward.
- `initialisation`: norms, separation and products of layers at random weights (section 7).
- `perturb`: what a change of the weights changes (sections 8 to 11); `conditioned`: in networks too
  wide to be stored.
- `training`: gradient descent and SGD (Theorems 1 and 2).
- `kernel`: the tangent kernel, and descent had it stayed as it is; `report`: of a torch module.
- `landscapes`, `curvature`: the loss around a network in training (Figure 1); `inputs`: the data.

A batch of S trials stands on the first axis of every tensor. Everything loads when it is used.
"""

from .._lazy import lazy

_PARTS = {
    "networks": ("Network", "fully_connected", "residual", "convolutional", "forward", "backward"),
    "initialisation": (),
    "perturb": (),
    "conditioned": (),
    "training": ("descent", "movement"),
    "kernel": ("TangentKernel", "FrozenKernel"),
    "report": ("TangentReport", "tangent_kernel", "tangent_report"),
    "landscapes": ("landscape",),
    "curvature": (),
    "inputs": (),
}
_HOME = {name: part for part, names in _PARTS.items() for name in names}

__getattr__, __dir__, __all__ = lazy(__name__, _HOME, _PARTS, needs="torch")
