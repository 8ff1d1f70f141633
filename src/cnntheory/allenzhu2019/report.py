"""What the tangent kernel of a user's own torch module says about training it."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch

from .kernel import TangentKernel


@dataclass(frozen=True)
class TangentReport:
    """The tangent kernel ``K = J J^T`` of a model on n inputs with d outputs, as numbers.

    Attributes
    ----------
    samples, outputs, parameters : int
        n, d, and the number of trainable parameters.
    lambda_min, lambda_max : float
        Extreme eigenvalues of K, of size n d.
    condition : float
        Their ratio, ``inf`` where K is singular to rounding.
    rate : float
        Part of the loss that the slowest mode keeps in a step of gradient descent on
        ``sum_i ||f(x_i) - y_i||^2 / 2`` with eta = 1 / lambda_max:
        ``(1 - lambda_min / lambda_max)^2``.
    loss : float
        That loss now.
    movement : float
        Predicted ``||W_inf - W_0||``, ``sqrt(r^T K^{-1} r)``; ``inf`` where K is singular to
        rounding.
    dtype : str
        Precision in which K was computed; in float64 a large condition can be told from a
        singular K.
    evaluated : bool
        Whether the model was given in training mode and has layers, such as dropout or batch
        normalisation, that were put into evaluation mode for the report.
    """

    samples: int
    outputs: int
    parameters: int
    lambda_min: float
    lambda_max: float
    condition: float
    rate: float
    loss: float
    movement: float
    dtype: str
    evaluated: bool

    @property
    def step(self):
        """``1 / lambda_max``, the step for which `rate` holds."""
        return 1 / self.lambda_max

    def __str__(self):
        lines = [
            f"tangent kernel of {self.parameters} parameters on {self.samples} samples "
            f"with {self.outputs} output(s)",
            f"  lambda_min          {self.lambda_min:.4g}",
            f"  lambda_max          {self.lambda_max:.4g}",
            f"  condition           {self.condition:.4g}",
            f"  loss now            {self.loss:.4g}",
            f"  loss a step         x {self.rate:.6g} at eta = {self.step:.4g}",
            f"  predicted movement  {self.movement:.4g}",
        ]
        if self.condition == float("inf") and self.dtype != "float64":
            lines.append(
                f"  singular to {self.dtype}; model.double() resolves conditions up to about 1e15"
            )
        if self.evaluated:
            lines.append("  in evaluation mode: running statistics, no dropout")
        return "\n".join(lines)


# Layers that do something else in training: they tie the inputs of a batch together or draw.
_TRAINING_ONLY = (torch.nn.modules.batchnorm._BatchNorm, torch.nn.modules.dropout._DropoutNd)


def tangent_report(model, X, y, *, chunk_size=None):
    """Tangent kernel of a model, and what gradient descent would do if it stayed as it is.

    Parameters
    ----------
    model : torch.nn.Module
        Maps a batch of inputs to scalars, (n,), or vectors, (n, d), each input on its own. A copy
        in evaluation mode is examined: the model stays as it is, its running statistics included.
        Its parameters that require gradients count as trained; device and dtype are the model's.
    X : array or tensor, shape (n, ...)
        Inputs; moved to the model's device and dtype.
    y : array or tensor, shape (n,) or (n, d)
        Real labels.
    chunk_size : int, optional
        Inputs whose Jacobians are computed at a time; all by default.

    Returns
    -------
    TangentReport
        Printed, it is a table.

    Raises
    ------
    ValueError
        No parameter requires gradients, there are not as many labels as inputs, the outputs do
        not fit the labels, or the Jacobian is not finite or zero.

    Notes
    -----
    The Jacobian of n d times the number of parameters is formed, by ``torch.func``; the networks
    of this package have `TangentKernel.at`, which does without.
    """
    evaluated = any(m.training and isinstance(m, _TRAINING_ONLY) for m in model.modules())
    model = copy.deepcopy(model).eval()
    parameters = {k: p.detach() for k, p in model.named_parameters() if p.requires_grad}
    if not parameters:
        raise ValueError("model: expected trainable parameters, found none that requires gradients")
    first = next(iter(parameters.values()))
    X, y = (torch.as_tensor(a, dtype=first.dtype, device=first.device) for a in (X, y))
    if len(X) != len(y):
        raise ValueError(f"y: expected a label for each of the {len(X)} inputs, found {len(y)}")
    outputs = _outputs(model, X)
    if outputs.shape != y.reshape(len(y), -1).shape:
        raise ValueError(
            f"y: expected the shape of the outputs {tuple(outputs.shape)}, found {tuple(y.shape)}; "
            "classes must be one-hot"
        )

    def one_output(parameters, x):
        value = torch.func.functional_call(model, parameters, (x[None],))
        return value.reshape(-1)

    jacobians = torch.func.vmap(
        torch.func.jacrev(one_output), in_dims=(None, 0), chunk_size=chunk_size
    )(parameters, X)
    flat = torch.cat([J.flatten(2) for J in jacobians.values()], dim=2).flatten(0, 1)
    if not flat.isfinite().all() or not flat.any():
        raise ValueError("model: its Jacobian on X is zero or not finite; scale model or inputs")
    K = flat @ flat.T
    residual = (outputs - y.reshape(outputs.shape)).reshape(-1)
    return _summary(K, residual.to(K.dtype), outputs.shape, flat.shape[1], evaluated)


def _outputs(model, X):
    with torch.no_grad():
        return model(X).reshape(len(X), -1)


def _summary(K, residual, shape, parameters, evaluated):
    # Eigenvalues in double precision, as singular as the precision of the kernel says.
    kernel, residual = TangentKernel(K.double()), residual.double()
    values, _ = kernel.modes
    low, high = values[0].item(), values[-1].item()
    singular = low <= len(K) * torch.finfo(K.dtype).eps * high
    if singular:
        low = max(low, 0.0)
    frozen = kernel.frozen(residual, torch.zeros_like(residual), step=1 / high)
    return TangentReport(
        samples=shape[0],
        outputs=shape[1],
        parameters=parameters,
        lambda_min=low,
        lambda_max=high,
        condition=float("inf") if singular else high / low,
        rate=(1 - low / high) ** 2,
        loss=residual.square().sum().item() / 2,
        movement=float("inf") if singular else frozen.movement().item(),
        dtype=str(K.dtype).removeprefix("torch."),
        evaluated=evaluated,
    )
