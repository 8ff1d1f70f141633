"""What do four theories say of a network of one's own?

Every hypothesis is measured on the data at hand, with what is known of the number: exact, a bound
on one side, an estimate. A theory that does not apply says why, and what it would need.
"""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ..shallow import read_shallow
from .report import (
    APPLIES,
    AT_MOST,
    CHANGED,
    ESTIMATE,
    EXACT,
    NOT,
    UNKNOWN,
    Hypothesis,
    Report,
    Theory,
)

# Numbers of a Jacobian, rows of a kernel and unknowns of a Hessian that are looked at, at most.
_JACOBIAN, _ROWS, _HESSIAN = 1 << 26, 1000, 2000
# Inputs whose patches are looked at for Theorem 3.1, and pairs for their separation.
_LOOKED_AT = 2000


def examine(
    model, images, labels, *, loss="mse", weight_decay=0.0, before=None, time_limit=60, rng=0
):
    """Say of a network and its data which of four theorems applies, and what it then promises.

    Parameters
    ----------
    model : torch.nn.Module
        Any. A copy in evaluation mode and float64 is examined, the model stays as it is.
    images : array or tensor, shape (n, ...)
        What the model takes.
    labels : array or tensor
        Real, of the shape of the outputs or (n,); or classes, integers of shape (n,), where the
        model has an output for each: they are then read as one-hot for the squared loss.
    loss : {"mse", "cross_entropy"}, optional
        What the model is trained with: the mean of the squared error over all outputs, or the
        cross-entropy of the classes (of -1 and 1 for a single output).
    weight_decay : float, optional
        That of ``torch.optim.SGD``.
    before : torch.nn.Module or dict, optional
        The model before training, or its state: the report then says whether training stayed where
        the tangent kernel describes it.
    time_limit : float, optional
        Seconds for the lower bound on the objective, which gets better with time. The rest is a
        few seconds for networks of some 100 000 parameters.
    rng : numpy.random.Generator or seed, optional
        Source of subsets and search directions.

    Returns
    -------
    Report
        Print it; or ``to_frame()``, ``plot()``, and the numbers of ``report["ergen2021"]``.

    Raises
    ------
    ValueError
        Labels do not fit the outputs, or an argument is meaningless. What a theory cannot treat is
        no error: the report says so.
    """
    start, rng = time.perf_counter(), np.random.default_rng(rng)
    if loss not in _LOSSES:
        raise ValueError(f"loss: expected one of {', '.join(_LOSSES)}, found {loss!r}")
    if not (np.ndim(weight_decay) == 0 and np.isfinite(weight_decay) and weight_decay >= 0):
        raise ValueError(f"weight_decay: expected a number of at least 0, found {weight_decay}")
    task = _Task.read(model, images, labels, loss, float(weight_decay))
    shallow, why = _read(task)
    theories = (
        _one_filter(task, shallow, why, rng),
        _several_filters(task, shallow, why),
        _convex_program(task, time_limit),
        _wide_networks(task, before, rng),
    )
    return Report(
        model=type(model).__name__,
        parameters=sum(p.numel() for p in task.model.parameters()),
        samples=len(task.images),
        outputs=task.outputs.shape[1],
        objective=task.objective,
        loss=loss,
        weight_decay=task.weight_decay,
        theories=theories,
        seconds=time.perf_counter() - start,
    )


_LOSSES = ("mse", "cross_entropy")


@dataclass(frozen=True)
class _Task:
    """A network in float64 and evaluation mode, its data, and where it stands."""

    model: nn.Module
    images: torch.Tensor  # (n, ...)
    targets: torch.Tensor  # (n, d), classes as one-hot, those of one output as -1 and 1
    outputs: torch.Tensor  # (n, d)
    loss: str
    weight_decay: float
    objective: float

    @classmethod
    def read(cls, model, images, labels, loss, weight_decay):
        model = copy.deepcopy(model).cpu().double().eval()
        images = torch.as_tensor(images).detach().cpu().double()
        labels = torch.as_tensor(labels).detach().cpu()
        if not len(images) or len(labels) != len(images):
            raise ValueError(
                f"labels: expected one for each of the {len(images)} images, found {len(labels)}"
            )
        with torch.no_grad():
            outputs = torch.cat([model(part).reshape(len(part), -1) for part in images.split(256)])
        targets = _targets(labels, outputs, loss)
        if loss == "mse":
            fit = F.mse_loss(outputs, targets)
        elif outputs.shape[1] == 1:
            fit = F.soft_margin_loss(outputs, targets)
        else:
            fit = F.cross_entropy(outputs, targets)
        size = sum(float(p.detach().square().sum()) for p in model.parameters())
        objective = float(fit) + weight_decay / 2 * size
        return cls(model, images, targets, outputs, loss, weight_decay, objective)


def _targets(labels, outputs, loss):
    """Labels as real targets, (n, d)."""
    n, d = outputs.shape
    whole = not labels.is_floating_point()
    if labels.shape == (n,) and d > 1 and whole:
        if labels.min() < 0 or labels.max() >= d:
            raise ValueError(f"labels: expected classes 0 to {d - 1}, found {int(labels.max())}")
        return F.one_hot(labels.long(), d).double()
    if labels.numel() != n * d:
        raise ValueError(
            f"labels: expected shape ({n},) or that of the outputs ({n}, {d}), found "
            f"{tuple(labels.shape)}; classes are integers"
        )
    targets = labels.double().reshape(n, d)
    if loss == "cross_entropy":
        if d > 1 or not torch.isin(targets, torch.tensor([-1.0, 0.0, 1.0])).all():
            raise ValueError("labels: expected classes for the cross-entropy, found real labels")
        targets = torch.where(targets > 0, 1.0, -1.0)
    return targets


# --------------------------------------------------------------------------------------------
# du2018: one filter


def _one_filter(task, shallow, why, rng):
    """Theorem 3.1: one ReLU filter, averaged over patches, by gradient descent."""
    from cnntheory.du2018 import check_condition
    from cnntheory.du2018.rates import guaranteed_drop, theorem_step

    theorem = "gradient descent learns one convolutional filter (Theorem 3.1)"
    if shallow is None:
        return Theory("du2018", theorem, NOT, (why,), (), ())
    m, left = len(shallow.filters), _share_left(task)
    outside = _outside(
        (m != 1, f"it has {m} filters: what follows holds each of them against the data"),
        (shallow.activation != "relu", f"its activation is {shallow.activation}, not ReLU"),
        (shallow.pooling != "average", f"its filters are not averaged: {shallow.pooling} pooling"),
        (task.loss != "mse", "its loss is not the squared one"),
    )
    changes = _outside(
        (task.weight_decay > 0, "the theorem has no weight decay"),
        (
            shallow.weights is not None and m == 1,
            "its output weight is trained: here it is part of the filter",
        ),
        (shallow.biased, "its bias is one more entry of the filter, of a constant input"),
    )
    longest = np.argsort(-np.linalg.norm(shallow.filters, axis=1))[:8]
    patches = shallow.patches[:_LOOKED_AT]
    teachers = shallow.filters[longest]
    teachers = teachers[np.linalg.norm(teachers, axis=1) > 0]
    if not len(teachers):
        return Theory(
            "du2018", theorem, NOT, _because((*outside, "its filters are zero"), ()), (), ()
        )
    found = check_condition(patches, filters=teachers, rng=rng)
    ratio, refuted = float(found.ratio.max()), bool(found.refuted.all())
    hypotheses = (
        Hypothesis("one filter", f"{m}", EXACT, m == 1, m),
        Hypothesis(
            "ReLU, averaged over patches",
            f"{shallow.activation}, {shallow.pooling} pooling, {shallow.patches.shape[1]} patches",
            EXACT,
            shallow.activation == "relu" and shallow.pooling == "average",
        ),
        Hypothesis(
            "gamma(phi_0) > 6 L_cross, whatever the start",
            f"gamma / (6 L_cross) = {ratio:.3g} around the filters that the network has",
            AT_MOST,
            False if refuted else None,
            ratio,
        ),
        Hypothesis(
            "labels of a filter w* of this form",
            f"the network leaves {left:.3g} of their variance",
            UNKNOWN,
            None,
            left,
        ),
        Hypothesis("start nearer to w* than 0 is", "w* is not known", UNKNOWN, None),
    )
    best = int(found.ratio.argmax())  # the filter that is nearest to the condition
    gamma, cross = float(found.gamma[best].max()), float(found.l_cross[best])
    lipschitz, beta = float(found.lipschitz[best].max()), float(found.beta[best])
    numbers = {"gamma": gamma, "lipschitz": lipschitz, "beta": beta, "l_cross": cross}
    numbers["ratio"] = ratio
    if refuted:
        conclusions = [
            f"the theorem promises nothing on these inputs: gamma is at most {gamma:.3g}, "
            f"6 L_cross at least {6 * cross:.3g}; that descent fails does not follow"
        ]
    else:
        step = float(theorem_step(gamma, lipschitz, beta, cross))
        numbers["step"] = step
        numbers["rate"] = 1 - float(guaranteed_drop(step, gamma, cross))
        conclusions = [
            "the condition is not refuted. If the bounds found were the constants, close to w* a "
            f"step of {step:.3g} would leave at most {numbers['rate']:.6g} of the squared distance"
        ]
    curves = {
        "angles": found.angles,
        "gamma": found.gamma[best],
        "needed": np.full(len(found.angles), 6 * cross),
    }
    status = _status(outside, changes, hypotheses)
    return Theory(
        "du2018",
        theorem,
        status,
        _because(outside, changes),
        hypotheses,
        tuple(conclusions),
        numbers,
        curves,
    )


# --------------------------------------------------------------------------------------------
# zhong2017: several filters


def _several_filters(task, shallow, why):
    """Local strong convexity around filters on disjoint patches, and what descent needs."""
    from cnntheory import zhong2017
    from cnntheory.zhong2017.initialise import check_inputs

    theorem = "filters on disjoint Gaussian patches: strongly convex around the truth"
    if shallow is None:
        return Theory("zhong2017", theorem, NOT, (why,), (), ())
    name = shallow.activation
    filters, labels_scale, folded = _fold_outputs(shallow)
    outside = _outside(
        (name not in zhong2017.ACTIVATIONS, f"its activation, {name}, is not among those known"),
        (shallow.pooling != "average", f"its filters are not summed: {shallow.pooling} pooling"),
        (filters is None, folded),
        (task.loss != "mse", "its loss is not the squared one"),
        (shallow.overlapping, "its patches overlap, so they are not independent"),
    )
    if name not in zhong2017.ACTIVATIONS or shallow.pooling != "average" or filters is None:
        return Theory("zhong2017", theorem, NOT, _because(outside, ()), (), ())
    changes = _outside(
        (bool(folded) and filters is not None, folded),
        (task.weight_decay > 0, "the theorem has no weight decay"),
    )
    activation = zhong2017.ACTIVATIONS[name]
    _, r, p = shallow.patches.shape
    m = len(filters)
    values = np.linalg.svd(filters, compute_uv=False)
    full = m <= p and values[-1] > 1e-12 * values[0]
    kappa = values[0] / values[-1] if full else math.inf
    spread = float(np.prod(values / values[-1])) if full else math.inf
    rho = float(activation.rho(values[-1])) if full else math.nan
    inputs = check_inputs(shallow.patches)
    far = {k: v for k, (v, allowed) in inputs.items() if v > allowed}
    hypotheses = [
        Hypothesis("no more filters than entries of a patch", f"{m} of {p}", EXACT, m <= p, m),
        Hypothesis(
            "independent filters",
            f"condition kappa = {kappa:.3g}, lambda = {spread:.3g}" if full else "dependent",
            EXACT,
            bool(full),
            kappa,
        ),
        Hypothesis(
            "a non-linearity of rho > 0",
            f"rho = {rho:.3g} at the least singular value {values[-1]:.3g}",
            EXACT,
            bool(rho > 0) if full else None,
            rho,
        ),
        Hypothesis("disjoint patches", "they overlap" if shallow.overlapping else "disjoint",
                   EXACT, not shallow.overlapping),
        Hypothesis(
            "standard normal inputs",
            "; ".join(f"{k} off by {v:.3g}" for k, v in far.items()) or "no departure found",
            ESTIMATE,
            False if far else None,
        ),
        Hypothesis(
            "a smooth activation, for descent",
            name if activation.smooth else f"{name} has a kink: convexity only",
            EXACT,
            True if activation.smooth else None,
        ),
    ]  # fmt: skip
    numbers = {"kappa": kappa, "lambda": spread, "rho": rho}
    conclusions, curves = [], {}
    if m * p <= _HESSIAN:
        y = task.targets[:, 0].numpy() / labels_scale
        here = np.linalg.eigvalsh(
            zhong2017.empirical_hessian(filters, shallow.patches, activation, y)
        )
        unit = r * rho / (kappa**2 * spread) if full else math.nan
        numbers |= {"least_eigenvalue": here[0], "largest_eigenvalue": here[-1], "unit": unit}
        kind = "convex in every direction" if here[0] > 0 else "curved downwards in some direction"
        conclusions.append(
            f"on these data, at these filters, the loss is {kind}: the Hessian's eigenvalues are "
            f"{here[0]:.3g} to {here[-1]:.3g} (exact)"
        )
        if full:
            gauss = np.linalg.eigvalsh(zhong2017.population_hessian(filters, activation, r))[0]
            numbers["least_eigenvalue_gaussian"] = gauss
            conclusions.append(
                f"were the inputs Gaussian and these filters the truth, the least would be "
                f"{gauss:.3g}, {gauss / unit:.3g} times the theorem's r rho / (kappa^2 lambda)"
            )
            curves = {"eigenvalues": here, "unit": unit}
    else:
        conclusions.append(f"its Hessian, {m * p} unknowns, is larger than is looked at")
    if far:
        conclusions.append("tensor initialisation is not to be trusted on these inputs")
    status = _status(outside, changes, hypotheses)
    return Theory(
        "zhong2017",
        theorem,
        status,
        _because(outside, changes),
        tuple(hypotheses),
        tuple(conclusions),
        numbers,
        curves,
    )


def _fold_outputs(shallow):
    """Filters of output weight 1, by what the labels are divided, and what was done."""
    weights = np.ones(len(shallow.filters)) if shallow.weights is None else shallow.weights
    if weights.ndim != 1:
        return None, 1.0, "it has an output weight for each patch"
    weights = weights * shallow.factor
    if (weights == 1).all():
        return shallow.filters, 1.0, ""
    if shallow.activation in ("relu", "leaky_relu") and (weights > 0).all():
        text = "its output weights, all positive, are made part of the filters"
        return shallow.filters * weights[:, None], 1.0, text
    if np.ptp(weights) <= 1e-12 * np.abs(weights).max() and weights[0]:
        return shallow.filters, weights[0], "the labels are divided by its common output weight"
    return None, 1.0, "its output weights differ, and the theorem's are all 1"


# --------------------------------------------------------------------------------------------
# ergen2021: the convex program


def _convex_program(task, time_limit):
    """How far the objective is from its least value over networks of any width."""
    theorem = "training is a convex program: a lower bound on the objective of any width"
    if task.weight_decay == 0:
        because = "without weight decay the program has no penalty; give weight_decay"
        return Theory("ergen2021", theorem, NOT, (because,), (), ())
    if task.outputs.shape[1] != 1:
        because = f"it has {task.outputs.shape[1]} outputs; examine one class against the others"
        return Theory("ergen2021", theorem, NOT, (because,), (), ())
    loss = nn.MSELoss() if task.loss == "mse" else nn.SoftMarginLoss()
    try:
        return _bounded(task, loss, theorem, time_limit)
    except ValueError as error:
        return Theory("ergen2021", theorem, NOT, (str(error),), (), ())


def _bounded(task, loss, theorem, time_limit):
    """Certificate of the network in the units of its objective."""
    from cnntheory.ergen2021.torch_models import certify_torch

    found = certify_torch(
        task.model,
        task.images,
        task.targets[:, 0],
        loss=loss,
        weight_decay=task.weight_decay,
        time_limit=time_limit,
    )
    problem, m = found.problem, len(found.problem.network.filters)
    n, K, h = problem.patches.shape
    numbers = {"objective": found.objective, "dual_bound": found.dual_bound, "gap": found.gap}
    hypotheses = (
        Hypothesis(
            "one hidden layer of ReLU filters, one output",
            f"{m} filters of {h} entries, {K} patches, pooling {problem.architecture}",
            EXACT,
            True,
            m,
        ),
        Hypothesis("a convex loss", problem.loss, EXACT, True),
        Hypothesis("weight decay", f"beta = {problem.beta:.3g}", EXACT, True, problem.beta),
    )
    conclusions = [
        f"no network of this architecture, of any width, has an objective below "
        f"{found.dual_bound:.6g}; this one has {found.objective:.6g}, of which at most "
        f"{found.gap:.2%} can be gained",
    ]
    names, values = ["this network"], [found.objective]
    if found.solution is not None:
        better = problem.scale * found.solution.objective
        numbers["solved"] = better
        kept = len(found.solution.network.filters)
        conclusions.append(
            f"the convex program found a network of objective {better:.6g} with {kept} filters"
        )
        names, values = [*names, "convex program"], [*values, better]
    conclusions.append(f"an optimum needs at most n = {n} filters; this network has {m}")
    curves = {"names": (*names, "lower bound"), "values": (*values, found.dual_bound)}
    return Theory(
        "ergen2021", theorem, APPLIES, (), hypotheses, tuple(conclusions), numbers, curves
    )


# --------------------------------------------------------------------------------------------
# allenzhu2019: wide networks

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_INSIDE = (*_WEIGHTED, nn.ReLU, nn.Flatten, nn.Identity, nn.Unflatten)


def _wide_networks(task, before, rng):
    """The tangent kernel of the network on these data, and what follows if it stays."""
    from cnntheory.allenzhu2019.report import tangent_kernel

    theorem = "wide networks train to zero loss, as their tangent kernel says (Theorems 1, 5 to 8)"
    leaves = [layer for layer in task.model.modules() if not any(layer.children())]
    weighted = [layer for layer in leaves if isinstance(layer, _WEIGHTED)]
    foreign = sorted({type(x).__name__ for x in leaves if not isinstance(x, _INSIDE)})
    widths = [layer.weight.shape[0] for layer in weighted[:-1]]
    outside = _outside(
        (not weighted, "it has no linear or convolutional layer"),
        (len(weighted) == 1, "it has no hidden layer"),
        (bool(foreign), f"layers outside the theorem: {', '.join(foreign)}"),
    )
    changes = _outside(
        (True, "all layers are trained, where the theorem keeps the first and the last"),
        (any(layer.bias is not None for layer in weighted), "biases are trained"),
        (task.weight_decay > 0, "the theorem has no weight decay"),
        (task.loss != "mse", "the kernel's predictions are those of the squared loss"),
    )
    if not any(p.requires_grad for p in task.model.parameters()):
        because = ("no parameter is trained",)
        return Theory("allenzhu2019", theorem, NOT, because, (), ())
    chosen = _subset(task, rng)
    images, targets = task.images[chosen], task.targets[chosen]
    n, d = targets.shape
    parts = " (a random part of them)" if n < len(task.images) else ""
    # Of a principal submatrix the least eigenvalue is larger, the largest smaller.
    side = "at most and at least" if parts else EXACT
    kernel = tangent_kernel(task.model, images)
    values = kernel.eigenvalues
    low, high = float(values[0]), float(values[-1])
    singular = low <= len(values) * torch.finfo(values.dtype).eps * high
    low = max(low, 0.0)
    depth, delta = max(len(weighted) - 2, 1), _separation(task.images)
    asked = _theorem_width(len(task.images), depth, d, delta, max(widths, default=1))
    hypotheses = (
        Hypothesis(
            "ReLU layers, nothing else",
            f"{len(weighted)} layers with weights"
            + (f"; and {', '.join(foreign)}" if foreign else ""),
            EXACT,
            not foreign,
        ),
        Hypothesis(
            "no two inputs alike",
            f"delta = {delta:.3g}, least distance of two, scaled to norm 1",
            EXACT if len(task.images) <= _LOOKED_AT else AT_MOST,
            bool(delta > 0),
            delta,
        ),
        Hypothesis(
            "width at least n^24 L^12 d log^5 m / delta^8, constant left out",
            f"width {min(widths)} where the formula gives 10^{asked:.0f}"
            if widths
            else "no hidden layer",
            EXACT,
            bool(widths and math.log10(min(widths)) >= asked),
            asked,
        ),
        Hypothesis(
            "a tangent kernel that is positive definite",
            f"eigenvalues {low:.3g} to {high:.3g} on {n} inputs{parts}",
            side,
            False if singular else None if parts else True,
            low,
        ),
    )
    numbers = {"delta": delta, "lambda_min": low, "lambda_max": high, "log10_width": asked}
    conclusions, curves = _frozen(task, kernel, chosen, singular, numbers)
    if before is not None:
        conclusions += _stayed(task, before, images, targets, kernel, numbers)
    status = _status(outside, changes, hypotheses)
    return Theory(
        "allenzhu2019", theorem, status, _because(outside, changes), hypotheses, tuple(conclusions),
        numbers, curves,
    )  # fmt: skip


def _frozen(task, kernel, chosen, singular, numbers):
    """What descent would do from here if the kernel stayed as it is."""
    frozen = kernel.frozen(task.outputs[chosen], task.targets[chosen])
    step = float(frozen.step)
    conclusions = [
        f"descent on the sum of squared errors over 2 bears a step of 1 / lambda_max = {step:.3g}"
    ]
    curves = {"losses": frozen.losses(2000).numpy()}
    if singular:
        conclusions.append("its kernel is singular to rounding: some labels cannot be fitted by it")
        return conclusions, curves
    times, moved = float(frozen.iterations(1e-2)), float(frozen.movement())
    size = math.sqrt(sum(float(p.detach().square().sum()) for p in task.model.parameters()))
    numbers |= {"iterations": times, "movement": moved}
    conclusions.append(
        f"if the kernel stays as it is, the loss falls to 1 % in {times:.3g} steps and the "
        f"parameters move by {moved:.3g} until it is zero, {moved / size:.3g} of their length"
    )
    return conclusions, curves


def _stayed(task, before, images, targets, kernel, numbers):
    """Whether training stayed where the kernel at its start describes it."""
    from cnntheory.allenzhu2019.report import tangent_kernel

    start = copy.deepcopy(task.model)
    state = before.state_dict() if isinstance(before, nn.Module) else before
    try:
        start.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"before: not a state of this model: {error}") from error
    first = tangent_kernel(start, images)
    with torch.no_grad():
        outputs = start(images).reshape(len(images), -1)
        pairs = zip(start.parameters(), task.model.parameters(), strict=True)
        moved = math.sqrt(sum(float((p - q).square().sum()) for p, q in pairs))
        fit = [
            float((out - targets).square().sum()) / 2
            for out in (outputs, task.model(images).reshape(outputs.shape))
        ]
    change = float((kernel.matrix - first.matrix).norm() / first.matrix.norm())
    predicted = float(first.frozen(outputs, targets).movement())
    numbers |= {"kernel_change": change, "moved": moved, "movement_before": predicted}
    verdict = "stayed near" if change < 0.1 else "left"
    return [
        f"from the start given, the squared loss went from {fit[0]:.3g} to {fit[1]:.3g}; the "
        f"parameters moved by {moved:.3g}, where the kernel at the start predicts {predicted:.3g} "
        f"for a full fit; the kernel changed by {change:.3g} of its norm: training {verdict} the "
        "kernel regime"
    ]


def _subset(task, rng):
    """Inputs whose Jacobians fit; all, if they do."""
    n, d = task.targets.shape
    count = sum(p.numel() for p in task.model.parameters() if p.requires_grad)
    most = max(2, min(n, _JACOBIAN // (d * count), _ROWS // d))
    return torch.from_numpy(np.sort(rng.choice(n, most, replace=False)))


def _separation(images):
    """Least distance of two inputs, each scaled to norm 1; of those looked at."""
    rows = images[:_LOOKED_AT].flatten(1)
    rows = rows / rows.norm(dim=1, keepdim=True).clamp_min(torch.finfo(rows.dtype).tiny)
    distances = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    distances.fill_diagonal_(torch.inf)
    return float(distances.min())


def _theorem_width(n, depth, outputs, delta, width):
    """Logarithm to base 10 of the width that the theorem asks for, its constant taken as 1."""
    if delta == 0:
        return math.inf
    logs = (24 * math.log10(n), 12 * math.log10(depth), math.log10(outputs), -8 * math.log10(delta))
    return sum(logs) + 5 * math.log10(max(math.log(max(width, 2)), 1))


# --------------------------------------------------------------------------------------------
# reading a network


def _read(task):
    """The network as one of one hidden layer; or why it is not."""
    if task.outputs.shape[1] != 1:
        return None, f"it has {task.outputs.shape[1]} outputs; examine one class against the others"
    try:
        return read_shallow(task.model, task.images), ""
    except ValueError as error:
        return None, str(error)


def _status(outside, changes, hypotheses):
    """Nothing follows from a theorem one of whose hypotheses fails."""
    if outside or any(each.holds is False for each in hypotheses):
        return NOT
    return CHANGED if changes else APPLIES


def _because(outside, changes):
    return (*(f"outside: {text}" for text in outside), *(f"change: {text}" for text in changes))


def _outside(*reasons):
    """The texts whose condition is true."""
    return tuple(text for found, text in reasons if found)


def _share_left(task):
    """Share of the labels' variance that the network leaves."""
    spread = float(task.targets.var(dim=0, unbiased=False).sum())
    left = float((task.outputs - task.targets).square().mean(dim=0).sum())
    return left / spread if spread > 0 else math.nan
