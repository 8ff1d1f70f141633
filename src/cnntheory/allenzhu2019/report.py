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
# Layers whose part of the kernel needs no Jacobian, and entries of one that is formed in parts.
_LAYERS = (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d)
_ENTRIES = 1 << 24


def tangent_report(model, X, y):
    """Tangent kernel of a model, and what gradient descent would do if it stayed as it is.

    Parameters
    ----------
    model, X
        As for `tangent_kernel`.
    y : array or tensor, shape (n,) or (n, d)
        Real labels.

    Returns
    -------
    TangentReport
        Printed, it is a table.

    Raises
    ------
    ValueError
        As `tangent_kernel`; or there are not as many labels as inputs, or the outputs do not fit
        the labels.
    """
    evaluated = any(m.training and isinstance(m, _TRAINING_ONLY) for m in model.modules())
    model, X = _prepared(model, X)
    y = torch.as_tensor(y, dtype=X.dtype, device=X.device)
    if len(X) != len(y):
        raise ValueError(f"y: expected a label for each of the {len(X)} inputs, found {len(y)}")
    with torch.no_grad():
        outputs = model(X).reshape(len(X), -1)
    if outputs.shape != y.reshape(len(y), -1).shape:
        raise ValueError(
            f"y: expected the shape of the outputs {tuple(outputs.shape)}, found {tuple(y.shape)}; "
            "classes must be one-hot"
        )
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    residual = (outputs - y.reshape(outputs.shape)).reshape(-1)
    return _summary(_kernel(model, X), residual, outputs.shape, parameters, evaluated)


def tangent_kernel(model, X):
    """Tangent kernel ``K = J J^T`` of a torch module on inputs.

    Parameters
    ----------
    model : torch.nn.Module
        Maps a batch of inputs to scalars, (n,), or vectors, (n, d), each input on its own. A copy
        in evaluation mode is examined: the model stays as it is, its running statistics included.
        Its parameters that require gradients count as trained; device and dtype are the model's.
    X : array or tensor, shape (n, ...)
        Inputs; moved to the model's device and dtype.

    Returns
    -------
    TangentKernel
        Its matrix has shape (n d, n d), the outputs of an input follow each other.

    Raises
    ------
    ValueError
        No parameter requires gradients, or the Jacobian is not finite or zero.

    Notes
    -----
    Linear and convolutional layers that are used once need no Jacobian: d backward passes give the
    gradient of every output at the layer's own outputs, and the layer's part of K is a product of
    these with its inputs. A Jacobian is formed, by ``torch.func``, of the other parameters only.
    Whether that is K is checked along a random direction, ``r^T K r = |J^T r|^2``, by one more
    backward pass; where it is not, as with a weight that is used outside of its layer too or
    samples that stand on another axis, the whole Jacobian is formed.
    """
    return TangentKernel(_kernel(*_prepared(model, X)))


def _prepared(model, X):
    """A copy in evaluation mode, and inputs of its dtype on its device."""
    model = copy.deepcopy(model).eval()
    first = next((p for p in model.parameters() if p.requires_grad), None)
    if first is None:
        raise ValueError("model: expected trainable parameters, found none that requires gradients")
    return model, torch.as_tensor(X, dtype=first.dtype, device=first.device)


def _kernel(model, X):
    """``J J^T``, layer by layer where that is what it is."""
    parameters = {k: p.detach() for k, p in model.named_parameters() if p.requires_grad}
    try:
        K = _by_layers(model, X)
        good = _is_kernel(K, model, X)
    except (IndexError, RuntimeError):  # samples are not where they are looked for
        good = False
    if not good:
        flat = _jacobian(model, parameters, X)
        K = flat @ flat.T
    if not K.isfinite().all() or not K.any():
        raise ValueError("model: its Jacobian on X is zero or not finite; scale model or inputs")
    return K


def _is_kernel(K, model, X):
    """Whether ``r^T K r`` is the squared gradient of ``r^T f`` along a random r."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    with torch.enable_grad():
        outputs = model(X).reshape(-1)
        r = torch.randn(len(outputs), generator=torch.Generator().manual_seed(0)).to(outputs)
        found = torch.autograd.grad(r @ outputs, parameters, materialize_grads=True)
    squares = sum(g.double().square().sum() for g in found)
    tolerance = 1e-8 if K.dtype == torch.float64 else 1e-3
    return bool(torch.isclose(r.double() @ K.double() @ r.double(), squares, rtol=tolerance))


def _by_layers(model, X):
    """The parts of the layers that need no Jacobian, and that of the other parameters."""
    outputs, inputs, gradients = _signals(model, X)
    n, d = outputs.shape
    K = outputs.new_zeros(n * d, n * d)
    done = set()
    for layer, a in inputs.items():
        g = gradients[layer].flatten(0, 1)  # (n d, outputs of the layer, positions)
        if layer.weight.requires_grad:
            _add_weight(K, a, g, d)
            done.add(id(layer.weight))
        if layer.bias is not None and layer.bias.requires_grad:
            total = g.sum(2)
            K += total @ total.T
            done.add(id(layer.bias))
    rest = {
        k: p.detach() for k, p in model.named_parameters() if p.requires_grad and id(p) not in done
    }
    if rest:
        flat = _jacobian(model, rest, X)
        K += flat @ flat.T
    return K


def _signals(model, X):
    """Outputs (n, d); a layer's inputs (n, fan-in, positions), gradients (n, d, m, positions)."""
    taken, seen, handles = {}, [], []

    def note(layer, arguments, output):
        seen.append(layer)
        taken[layer] = arguments[0].detach(), output
        return output.clone()  # what follows may work in place

    for layer in model.modules():
        if type(layer) in _LAYERS and _own(layer, model):
            handles.append(layer.register_forward_hook(note))
    try:
        with torch.enable_grad():
            outputs = model(X).reshape(len(X), -1)
    finally:
        for handle in handles:
            handle.remove()
    used = {
        layer: signals
        for layer, signals in taken.items()
        if seen.count(layer) == 1 and signals[1].requires_grad
    }
    inputs = {layer: _seen_by(layer, first) for layer, (first, _) in used.items()}
    gradients = {
        layer: output.new_empty(len(X), outputs.shape[1], *_by_position(layer, output).shape[1:])
        for layer, (_, output) in used.items()
    }
    points = [output for _, output in used.values()]
    for k in range(outputs.shape[1] if used else 0):
        total = outputs[:, k].sum()
        found = torch.autograd.grad(total, points, retain_graph=True, materialize_grads=True)
        for layer, gradient in zip(used, found, strict=True):
            gradients[layer][:, k] = _by_position(layer, gradient)
    return outputs.detach(), inputs, gradients


def _own(layer, model):
    """Whether a layer's parameters are its alone, and what it computes is what it seems."""
    plain = not (layer._forward_pre_hooks or layer._forward_hooks)
    plain &= getattr(layer, "groups", 1) == 1
    plain &= getattr(layer, "padding_mode", "zeros") == "zeros"
    counts = sum(
        sum(p is q for q in other._parameters.values())
        for p in layer.parameters()
        for other in model.modules()
    )
    return plain and counts == len(list(layer.parameters()))


def _seen_by(layer, inputs):
    """Inputs of a layer as (n, fan-in, positions)."""
    if isinstance(layer, torch.nn.Linear):
        return _by_position(layer, inputs)
    size = layer.kernel_size
    if isinstance(layer, torch.nn.Conv1d):
        inputs, size = inputs[:, :, None], (1, *size)
    lead = (1,) * (2 - len(layer.kernel_size))
    inputs = torch.nn.functional.pad(inputs, _padding(layer))
    return torch.nn.functional.unfold(
        inputs, size, dilation=lead + layer.dilation, stride=lead + layer.stride
    )


def _padding(layer):
    """Zeros on both sides of the last axes, as ``torch.nn.functional.pad`` takes them."""
    return layer._reversed_padding_repeated_twice


def _by_position(layer, values):
    """Values at a layer's outputs as (n, m, positions)."""
    if isinstance(layer, torch.nn.Linear):
        return values.reshape(len(values), -1, values.shape[-1]).mT
    return values.flatten(2)


def _add_weight(K, a, g, d):
    """Add a layer's part to K: inputs a (n, fan-in, positions), gradients g (n d, m, positions)."""
    if a.shape[2] == 1:
        a, g = a[..., 0], g[..., 0]
        K += (g @ g.T) * (a @ a.T).repeat_interleave(d, 0).repeat_interleave(d, 1)
        return
    a = a.repeat_interleave(d, 0).mT
    step = max(1, _ENTRIES // (len(a) * a.shape[2]))
    for first in range(0, g.shape[1], step):
        part = (g[:, first : first + step] @ a).flatten(1)
        K += part @ part.T


def _jacobian(model, parameters, X):
    """Jacobian of all outputs in some of the parameters, (n d, parameters)."""

    def one_output(parameters, x):
        return torch.func.functional_call(model, parameters, (x[None],)).reshape(-1)

    size = sum(p.numel() for p in parameters.values())
    jacobian = torch.func.vmap(
        torch.func.jacrev(one_output), in_dims=(None, 0), chunk_size=max(1, _ENTRIES // size)
    )
    with torch.no_grad():  # of the parameters that are not asked about
        found = jacobian(parameters, X)
    return torch.cat([J.flatten(2) for J in found.values()], dim=2).flatten(0, 1)


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
