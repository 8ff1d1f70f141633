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

from .._extras import extra
from ..shallow import read_shallow
from .report import (
    APPLIES,
    AT_MOST,
    CHANGED,
    ESTIMATE,
    EXACT,
    NOT,
    UNDECIDED,
    UNKNOWN,
    Hypothesis,
    Report,
    Theory,
)

with extra("torch"):
    import torch
    from torch import nn
    from torch.nn import functional as F

# Numbers of a Jacobian, rows of a kernel and unknowns of a Hessian that are looked at, at most.
_JACOBIAN, _ROWS, _HESSIAN = 1 << 26, 1000, 2000
# Inputs whose patches are looked at for Theorem 3.1, and pairs for their separation.
_LOOKED_AT = 2000
# Entries of filters whose condition is looked at, patches that are trained on beside being bounded,
# and the gap above which a bound is called loose.
_ENTRIES, _TRAINED, _LOOSE = 200, 1 << 20, 0.5
_POOLED = {"average": "summed or averaged", "max": "max pooling", "none": "no pooling"}


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
        The model before training, or its state: the report then says how far parameters and
        tangent kernel went.
    time_limit : float, optional
        Seconds for the lower bound on the objective, which gets better with time. The rest is
        seconds for networks of some 100 000 parameters, on a random part of many inputs.
    rng : numpy.random.Generator or seed, optional
        Source of subsets and search directions.

    Returns
    -------
    Report
        Print it; or ``to_frame()``, ``plot()``, and the numbers of ``report["ergen2021"]``.

    Raises
    ------
    ValueError
        The model cannot be run on the images, labels do not fit its outputs, or an argument is
        meaningless. What a theory cannot treat is no error: the report says so.
    """
    start, rng = time.perf_counter(), np.random.default_rng(rng)
    if loss not in _LOSSES:
        raise ValueError(f"loss: expected one of {', '.join(_LOSSES)}, found {loss!r}")
    if not (np.ndim(weight_decay) == 0 and np.isfinite(weight_decay) and weight_decay >= 0):
        raise ValueError(f"weight_decay: expected a number of at least 0, found {weight_decay}")
    task = _Task.read(model, images, labels, loss, float(weight_decay))
    start_of_training = None if before is None else _at(task.model, before)
    shallow, why = _read(task)
    theories = (
        _told("du2018", ONE_FILTER, _one_filter, task, shallow, why, rng),
        _told("zhong2017", SEVERAL, _several_filters, task, shallow, why),
        _told("ergen2021", CONVEX, _convex_program, task, time_limit),
        _told("allenzhu2019", WIDE, _wide_networks, task, start_of_training, rng),
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
# What of each paper is held against the network.
ONE_FILTER = "gradient descent learns one convolutional filter (Theorem 3.1)"
SEVERAL = "filters on disjoint Gaussian patches: strongly convex around the truth"
CONVEX = "training is a convex program: a lower bound on the objective of any width"
WIDE = "wide networks train to zero loss, as their tangent kernel says (as we understand it)"


def _told(paper, theorem, theory, *arguments):
    """What a theory says; what it cannot treat is said, and destroys no report."""
    try:
        return theory(*arguments)
    except (IndexError, MemoryError, RuntimeError, ValueError) as error:
        because = f"outside: {error or type(error).__name__}"
        return Theory(paper, theorem, NOT, (because,), (), ())


def _at(model, before):
    """The model in its state before training."""
    state = before.state_dict() if isinstance(before, nn.Module) else before
    start = copy.deepcopy(model)
    try:
        start.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise ValueError(f"before: not a state of this model: {error}") from error
    return start


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
        images, labels = (torch.as_tensor(values).detach().cpu() for values in (images, labels))
        if images.is_floating_point() or images.dtype == torch.uint8:
            images = images.double()  # other integers are words
        for name, values in (("images", images), ("labels", labels)):
            if not values.isfinite().all():
                raise ValueError(f"{name}: expected finite entries, found NaN or infinity")
        if not len(images) or len(labels) != len(images):
            raise ValueError(
                f"labels: expected one for each of the {len(images)} images, found {len(labels)}"
            )
        try:
            with torch.no_grad():
                parts = [model(part).reshape(len(part), -1) for part in images.split(256)]
        except (AttributeError, IndexError, RuntimeError, TypeError) as error:
            raise ValueError(
                f"model: cannot be run on images {tuple(images.shape)}: {error}"
            ) from error
        outputs = torch.cat(parts)
        targets = _targets(labels, outputs, loss)
        if loss == "mse":
            fit = F.mse_loss(outputs, targets)
        elif outputs.shape[1] == 1:
            fit = F.soft_margin_loss(outputs, targets)
        else:
            fit = F.cross_entropy(outputs, targets)
        trained = (p.detach() for p in model.parameters() if p.requires_grad)
        size = sum(float(p.square().sum()) for p in trained)
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
            raise ValueError(
                "labels: expected classes for the cross-entropy, -1 and 1 (or 0 and 1) of a single "
                "output, found others"
            )
        targets = torch.where(targets > 0, 1.0, -1.0)
    return targets


# --------------------------------------------------------------------------------------------
# du2018: one filter


def _one_filter(task, shallow, why, rng):
    """Theorem 3.1: one ReLU filter, averaged over patches, by gradient descent."""
    from cnntheory.du2018 import check_condition
    from cnntheory.du2018.rates import guaranteed_drop, theorem_step

    theorem = ONE_FILTER
    if shallow is None:
        return Theory("du2018", theorem, NOT, (f"outside: {why}",), (), ())
    m, left = len(shallow.filters), _share_left(task)
    _, k, p = shallow.patches.shape
    outside = _outside(
        (m != 1, f"it has {m} filters"),
        (shallow.activation != "relu", f"its activation is {shallow.activation}, not ReLU"),
        (shallow.pooling != "average", f"its filters are not averaged: {_POOLED[shallow.pooling]}"),
        (
            shallow.weights is not None and m == 1 and (shallow.weights <= 0).any(),
            "its output weight is not above 0, so that it is no ReLU of any filter",
        ),
        (task.loss != "mse", "its loss is not the squared one"),
    )
    if p > _ENTRIES:
        outside = (*outside, f"its filters have {p} entries, more than the condition is tried on")
        return Theory("du2018", theorem, NOT, _because(outside, ()), (), ())
    changes = _outside(
        (task.weight_decay > 0, "the theorem has no weight decay"),
        (
            shallow.weights is not None and m == 1,
            "its output weight is trained: here it is part of the filter",
        ),
        (shallow.biased, "its bias is one more entry of the filter, of a constant input"),
    )
    longest = np.argsort(-np.linalg.norm(shallow.filters, axis=1))[:8]
    # The theorem's network is the mean over patches.
    chosen = _some(len(shallow.patches), rng)
    patches = shallow.factor * k * shallow.patches[chosen]
    whole = len(chosen) == len(shallow.patches)
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
            f"{shallow.activation}, {_POOLED[shallow.pooling]}, {k} patch(es)",
            EXACT,
            shallow.activation == "relu" and shallow.pooling == "average",
        ),
        Hypothesis(
            "gamma(phi_0) > 6 L_cross, whatever the start",
            f"gamma / (6 L_cross) = {ratio:.3g} if w* is a filter that the network has"
            + ("" if whole else f", on {len(chosen)} of the inputs"),
            AT_MOST if whole else ESTIMATE,
            None,
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
    gamma, cross = max(float(found.gamma[best].max()), 0.0), float(found.l_cross[best])
    lipschitz, beta = float(found.lipschitz[best].max()), float(found.beta[best])
    numbers = {"gamma": gamma, "lipschitz": lipschitz, "beta": beta, "l_cross": cross}
    numbers["ratio"] = ratio
    if refuted:
        conclusions = [
            f"were a filter of this network the truth w*, the theorem would promise nothing: "
            f"gamma is at most {gamma:.3g} and 6 L_cross at least {6 * cross:.3g}; that descent "
            "fails does not follow"
        ]
    else:
        step = float(theorem_step(gamma, lipschitz, beta, cross))
        numbers["step"] = step
        numbers["rate"] = 1 - float(guaranteed_drop(step, gamma, cross))
        conclusions = [
            "the condition is not refuted. If the bounds found were the constants, close to w* a "
            f"step of {step:.3g} on E (f - y)^2 / 2, half as long on torch's mean squared error, "
            f"would leave at most {numbers['rate']:.6g} of the squared distance"
        ]
    curves = {
        "angles": found.angles,
        "gamma": np.where(
            found.gamma[best] > p * np.finfo(float).eps * lipschitz, found.gamma[best], 0
        ),
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

    theorem = SEVERAL
    if shallow is None:
        return Theory("zhong2017", theorem, NOT, (f"outside: {why}",), (), ())
    name = shallow.activation
    filters, labels_scale, folded = _fold_outputs(shallow)
    outside = _outside(
        (name not in zhong2017.ACTIVATIONS, f"its activation, {name}, is not among those known"),
        (shallow.pooling != "average", f"its filters are not summed: {_POOLED[shallow.pooling]}"),
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
    left = _share_left(task)
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
        Hypothesis(
            "labels of such filters, without noise, near to these",
            f"the network leaves {left:.3g} of their variance",
            UNKNOWN,
            None,
            left,
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
        conclusions.append(
            f"on these data, at these filters, the loss E (f - y)^2 / 2 of the network so written "
            f"is {_curvature(here, activation)}: its Hessian has eigenvalues {here[0]:.3g} to "
            f"{here[-1]:.3g}"
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


def _curvature(values, activation):
    """Words for the spectrum of a Hessian."""
    rounding = len(values) * np.finfo(float).eps * np.abs(values).max()
    if values[0] < -rounding:
        return "curved downwards in some direction"
    where = "" if activation.smooth else " (almost everywhere, as always with a kink)"
    return ("flat in some direction" if values[0] <= rounding else "convex") + where


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
    from cnntheory.ergen2021.torch_models import certify_problem, from_torch

    loss = nn.MSELoss() if task.loss == "mse" else nn.SoftMarginLoss()
    labels = task.targets[:, 0]
    problem = from_torch(task.model, task.images, labels, loss=loss, weight_decay=task.weight_decay)
    # Training is not bounded in time.
    tol = 1e-3 if problem.patches.size <= _TRAINED else None
    found = certify_problem(problem, tol=tol, time_limit=time_limit)
    m = len(problem.network.filters)
    n, K, h = problem.patches.shape
    numbers = {"objective": found.objective, "dual_bound": found.dual_bound, "gap": found.gap}
    hypotheses = (
        Hypothesis(
            "one hidden layer of ReLU filters, one output",
            f"{m} filters of {h} entries, {K} patch(es), {_POOLED[problem.architecture]}",
            EXACT,
            True,
            m,
        ),
        Hypothesis("a convex loss", problem.loss, EXACT, True),
        Hypothesis("weight decay", f"{task.weight_decay:.3g}", EXACT, True, task.weight_decay),
    )
    conclusions = [
        f"no network of this architecture, of any width, has an objective below "
        f"{found.dual_bound:.6g}; this one has {found.objective:.6g}, of which at most "
        f"{found.gap:.2%} can be gained (rigorous{', but loose' if found.gap > _LOOSE else ''})",
    ]
    names, values = ["this network"], [found.objective]
    if found.solution is not None:
        better = problem.scale * found.solution.objective
        numbers["solved"] = better
        kept = len(found.solution.network.filters)
        conclusions.append(
            f"the convex program found a network of objective {better:.6g} with {kept} filters: "
            f"{max(1 - better / found.objective, 0):.2%} are gained by it"
        )
        names, values = [*names, "convex program"], [*values, better]
    conclusions.append(f"an optimum needs at most n = {n} filters; this network has {m}")
    curves = {"names": (*names, "lower bound"), "values": (*values, found.dual_bound)}
    return Theory("ergen2021", CONVEX, APPLIES, (), hypotheses, tuple(conclusions), numbers, curves)


# --------------------------------------------------------------------------------------------
# allenzhu2019: wide networks

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_INSIDE = (*_WEIGHTED, nn.ReLU, nn.Flatten, nn.Identity, nn.Unflatten)


def _wide_networks(task, start, rng):
    """The tangent kernel of the network on these data, and what follows if it stays."""
    from cnntheory.allenzhu2019.report import tangent_kernel

    leaves = [layer for layer in task.model.modules() if not any(layer.children())]
    weighted = [layer for layer in leaves if isinstance(layer, _WEIGHTED)]
    foreign = sorted({type(x).__name__ for x in leaves if not isinstance(x, _INSIDE)})
    widths = [layer.weight.shape[0] for layer in weighted[:-1]]
    norms = task.images.double().flatten(1).norm(dim=1)
    outside = _outside(
        (not weighted, "it has no linear or convolutional layer"),
        (
            0 < len(weighted) < 3,
            "it has no layer between the first and the last, which are the ones it trains",
        ),
        (bool(foreign), f"layers outside the theorem: {', '.join(foreign)}"),
    )
    changes = _outside(
        (True, "the first and the last layer are trained, where the theorem keeps them"),
        (
            not torch.allclose(norms, torch.ones_like(norms), rtol=1e-3),
            f"inputs are to be scaled to norm 1 with a constant entry: theirs are "
            f"{float(norms.min()):.3g} to {float(norms.max()):.3g}",
        ),
        (any(layer.bias is not None for layer in weighted), "biases are trained"),
        (task.weight_decay > 0, "the theorem has no weight decay"),
        (task.loss != "mse", "the kernel's predictions are those of the squared loss"),
    )
    if not any(p.requires_grad for p in task.model.parameters()):
        return Theory("allenzhu2019", WIDE, NOT, ("outside: no parameter is trained",), (), ())
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
    depth, (delta, all_pairs) = max(len(weighted) - 2, 1), _separation(task.images)
    # Modules show what a chain of layers computes, not what code does between them.
    chain = isinstance(task.model, nn.Sequential) and any(isinstance(x, nn.ReLU) for x in leaves)
    asked = _theorem_width(len(task.images), depth, d, delta, max(widths, default=1))
    hypotheses = (
        Hypothesis(
            "ReLU layers, nothing else",
            f"{len(weighted)} layers with weights"
            + (f"; and {', '.join(foreign)}" if foreign else ""),
            EXACT if chain or foreign else UNKNOWN,
            False if foreign else True if chain else None,
        ),
        Hypothesis(
            "no two inputs alike",
            f"delta = {delta:.3g}, least distance of two of norm 1 with the constant entry",
            EXACT if all_pairs else AT_MOST,
            bool(delta > 0) if all_pairs or delta == 0 else None,
            delta,
        ),
        Hypothesis(
            "width at least n^24 L^12 d log^5 m / delta^8 (constant left out; powers differ "
            "between versions of the paper)",
            f"width {min(widths)} where the formula gives 10^{asked:.0f}"
            if widths
            else "no hidden layer",
            ESTIMATE,
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
    if start is not None:
        conclusions += _stayed(task, start, images, targets, kernel, numbers)
    status = _status(outside, changes, hypotheses)
    return Theory(
        "allenzhu2019", WIDE, status, _because(outside, changes), hypotheses, tuple(conclusions),
        numbers, curves,
    )  # fmt: skip


def _frozen(task, kernel, chosen, singular, numbers):
    """What descent would do from here if the kernel stayed as it is."""
    frozen = kernel.frozen(task.outputs[chosen], task.targets[chosen])
    step, (n, d) = float(frozen.step), task.outputs[chosen].shape
    on = "" if n == len(task.images) else f", on these {n} inputs alone"
    conclusions = [
        f"descent bears a step of 1 / lambda_max = {step:.3g} on the sum of squared errors over 2, "
        f"which is lr = {step * n * d / 2:.3g} on torch's mean{on}"
    ]
    curves = {"losses": frozen.losses(2000).numpy()}
    if singular:
        conclusions.append("its kernel is singular to rounding: some labels cannot be fitted by it")
    if singular or not frozen.coefficients.abs().max() > 1e-12:
        return conclusions, curves
    times, moved = float(frozen.iterations(1e-2)), float(frozen.movement())
    size = math.sqrt(sum(float(p.detach().square().sum()) for p in task.model.parameters()))
    numbers |= {"iterations": times, "movement": moved}
    conclusions.append(
        f"if the kernel stays as it is, the loss falls to 1 % in {times:.3g} such steps and the "
        f"parameters move by {moved:.3g} until it is zero, {moved / size:.3g} of their length{on}"
    )
    return conclusions, curves


def _stayed(task, start, images, targets, kernel, numbers):
    """Whether training stayed where the kernel at its start describes it."""
    from cnntheory.allenzhu2019.report import tangent_kernel

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
    numbers |= {"kernel_change": change, "moved": moved}
    said = (
        f"from the start given, the sum of squared errors over 2 went from {fit[0]:.3g} to "
        f"{fit[1]:.3g}, the parameters moved by {moved:.3g}, and the kernel changed by "
        f"{change:.3g} of its norm (in the kernel regime: by little)"
    )
    low, high = (float(first.eigenvalues[i]) for i in (0, -1))
    if low > len(first.eigenvalues) * torch.finfo(first.eigenvalues.dtype).eps * high:
        predicted = float(first.frozen(outputs, targets).movement())
        numbers["movement_before"] = predicted
        said += f"; to the end of a fit the kernel of the start predicts {predicted:.3g}"
    return [said]


def _subset(task, rng):
    """Inputs whose Jacobians fit; all, if they do."""
    n, d = task.targets.shape
    # Linear and convolutional layers need no Jacobian.
    plain = {
        id(p) for x in task.model.modules() if isinstance(x, _WEIGHTED) for p in x.parameters()
    }
    count = sum(p.numel() for p in task.model.parameters() if id(p) not in plain)
    most = min(n, max(2, min(_JACOBIAN // (d * max(count, 1)), _ROWS // d)))
    return torch.from_numpy(np.sort(rng.choice(n, most, replace=False)))


def _some(n, rng):
    """Places of all inputs, or of a random part of them."""
    return np.arange(n) if n <= _LOOKED_AT else np.sort(rng.choice(n, _LOOKED_AT, replace=False))


def _separation(images):
    """Least distance of two inputs ``(z / |z|, 1) / sqrt(2)``, and whether all pairs were seen."""
    rows = images.double().flatten(1)
    rows = rows / rows.norm(dim=1, keepdim=True).clamp_min(torch.finfo(rows.dtype).tiny)
    if len(torch.unique(rows, dim=0)) < len(rows):
        return 0.0, True
    if len(rows) == 1:
        return math.inf, True
    looked_at, rows = len(rows) <= _LOOKED_AT, rows[:_LOOKED_AT]
    distances = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    distances.fill_diagonal_(torch.inf)
    return float(distances.min()) / math.sqrt(2), looked_at


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
    """Nothing follows from a theorem one of whose hypotheses fails, or is not known to hold."""
    if outside or any(each.holds is False for each in hypotheses):
        return NOT
    if any(each.holds is None for each in hypotheses):
        return UNDECIDED
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
