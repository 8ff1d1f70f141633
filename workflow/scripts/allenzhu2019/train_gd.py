"""P1, P4, P12-P14: gradient descent on a few images, at several widths.

The step is 1 / lambda_max of the tangent kernel at the start, of each trial. Measured beside the
loss: the band of ``rho = ||grad F||^2 / (F m)``, the movement of the weights, the change of the
gradient of the output and of the kernel, and the distance to the linearised model. With ``--scaling
small`` B is divided by sqrt(m), which the paper's parametrisation forbids (controls P12x-P14x).
"""

from typing import Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from cnntheory.allenzhu2019.kernel import TangentKernel
from cnntheory.allenzhu2019.networks import backward, forward
from cnntheory.allenzhu2019.perturb import gradient_change
from cnntheory.allenzhu2019.training import descent, movement
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, crossing, fit_decay, independent, numpy
from workflow.scripts.step import Count, Positive, from_rule


class Options(step.Options):
    """P1, P4, P12-P14: gradient descent at several widths."""

    case: Literal["narrow", "w128", "w256", "w512", "w1024", "w2048", "small"] = Field(
        description="widths that are trained in one job"
    )
    widths: list[Count] = Field(min_length=1, description="m")
    trials: Count = Field(description="networks, each with images of its own")
    together: Count = Field(12, description="trials that are in memory at a time")
    samples: Count = Field(description="n")
    depth: Count = Field(description="L")
    steps: Count = Field(description="iterations, at most")
    tolerance: Positive = Field(description="of the loss, in units of its start")
    points: Count = Field(60, description="of a curve that are kept")
    mode_trials: Count = Field(12, description="trials of which the residual's modes are kept")
    scaling: Literal["usual", "small"] = Field(
        "usual", description="`small` divides B by sqrt(m) (control)"
    )
    device: str = from_rule("cpu", description="where to compute")


def path(net, trials, eta, options):
    """Losses ``(T, S)``, squared gradients ``(T, S, L)`` and outputs ``(T, S, n)`` of the path."""
    losses, squares, outputs = [], [], []
    for state in descent(
        net, trials.x, trials.y, eta, max_iter=options.steps, tol=options.tolerance
    ):
        losses.append(numpy(state.loss))
        squares.append(numpy(state.gradient_squares))
        outputs.append(numpy(state.outputs[..., 0]))
    return np.array(losses), np.array(squares), np.array(outputs)


def running(losses, tolerance):
    """Where a trial has converged, its loss is rounding and it has stopped: ``(T, S)`` booleans."""
    relative = losses / losses[0]
    active = np.vstack([np.ones_like(relative[:1]), relative[:-1]]) > tolerance
    return active & np.isfinite(relative) & (losses > 0)


def train_width(options, rng, width, trials):
    """Summary and curves of one width."""
    net = trials.networks(rng, f"width {width}", width, options.depth)
    small = options.scaling == "small"
    if small:
        net.B /= np.sqrt(width)
    start, first = net.copy(), forward(net, trials.x)
    p = backward(net, first)
    kernel, unit = TangentKernel.at(net, trials.x), TangentKernel.limit(trials.x, options.depth)
    values = numpy(kernel.eigenvalues)
    limit = numpy(unit.eigenvalues)[:, 0] * (1 if small else width)
    frozen = kernel.frozen(first.outputs, trials.y)
    residual = numpy(frozen.start - frozen.y)
    losses, squares, outputs = path(net, trials, frozen.step, options)
    last, stop = forward(net, trials.x), len(losses) - 1
    relative, active = losses / losses[0], running(losses, options.tolerance)

    linear = numpy(frozen.outputs(stop))
    gap = np.linalg.norm(outputs - linear.transpose(1, 0, 2), axis=-1)
    gap /= np.linalg.norm(residual, axis=-1)
    with np.errstate(all="ignore"):
        ratio = np.where(active[..., None], squares / (losses * width)[..., None], np.nan)
    total, final = ratio.sum(axis=-1), ratio[..., -1]
    iterations = np.arange(stop + 1)
    fits = [
        fit_decay(iterations[on], curve[on]) for on, curve in zip(active.T, relative.T, strict=True)
    ]
    spectral, frobenius = movement(net, start)
    changed = numpy(gradient_change(first, p, last, backward(net, last)))
    kernel_end = TangentKernel.at(net, trials.x)

    names = trials.frame(width=width, depth=options.depth, samples=trials.x.shape[1])
    predicted, eta = numpy(frozen.losses(stop)).T / losses[0], numpy(frozen.step)
    summary = dict(
        scaling=options.scaling,
        step=eta,
        lambda_min=values[:, 0] / width,
        lambda_max=values[:, -1] / width,
        iterations=crossing(losses, options.tolerance),
        end_loss=relative[-1],
        measured_rate=[rate for rate, _ in fits],
        straightness=[straight for _, straight in fits],
        predicted_rate=-2 * np.log1p(-eta * values[:, 0]),
        limit_rate=-2 * np.log1p(-np.minimum(eta * limit, 0.999)),
        least_ratio=np.nanmin(total, axis=0),
        greatest_ratio=np.nanmax(total, axis=0),
        least_last_ratio=np.nanmin(final, axis=0),
        spectral_movement=numpy(spectral).max(axis=-1),
        movement=np.sqrt((numpy(frobenius) ** 2).sum(axis=-1)),
        start_residual=np.linalg.norm(residual, axis=-1),
        predicted_movement=numpy(frozen.movement()),
        limit_movement=numpy(unit.frozen(first.outputs, trials.y).movement()),
        gradient_change=np.median(changed, axis=-1),
        kernel_change=numpy(
            torch.linalg.matrix_norm(kernel_end.matrix - kernel.matrix)
            / torch.linalg.matrix_norm(kernel.matrix)
        ),
        linear_gap=np.where(active, gap, 0).max(axis=0),
    )
    relative = np.where(active, relative, np.nan)
    paths = dict(relative_loss=relative, predicted_loss=predicted, ratio=total, last_ratio=final)
    at = grid(options.steps, options.points)
    found = modes(trials, width, kernel, eta, outputs, active, at, options.mode_trials)
    return pd.DataFrame(names | summary), curves(names, paths, at), found


def grid(steps, points):
    """Iterations that are kept, the same for all trials, the first ones closest."""
    return np.unique(np.round(np.geomspace(1, steps + 1, points)).astype(int)) - 1


def curves(names, paths, at):
    """The iterations `at` of every trial, as long as it runs.

    Parameters
    ----------
    names : dict
        Columns that name the trials, one value or one a trial.
    paths : dict of (T, S) ndarray
    """
    length, trials = paths["relative_loss"].shape
    at = at[at < length]
    rows = pd.concat(
        pd.DataFrame(
            {name: value if np.ndim(value) == 0 else value[s] for name, value in names.items()}
            | dict(iteration=at)
            | {name: path[at, s] for name, path in paths.items()}
        )
        for s in range(trials)
    )
    return rows.dropna(subset=["relative_loss"])


def modes(trials, width, kernel, eta, outputs, active, at, count):
    """The residual along every eigenvector of the kernel at the start, over its start.

    `decay_time` is ``-t log(1 - eta lambda_i)``, which a frozen kernel makes decay as exp(-time):
    ``eta lambda_i t`` where the step is short.
    """
    values, vectors = map(numpy, kernel.modes)
    at = at[at < len(outputs)]
    frames = []
    for s in np.flatnonzero(trials.seed < count):
        residual = outputs[at, s] - numpy(trials.y[s])
        size = np.abs(residual @ vectors[s])
        # Directions that the kernel does not see, and the one that is gone after one step.
        regular = (values[s] > 1e-10 * values[s, -1]) & (eta[s] * values[s] < 1 - 1e-9)
        for i in np.flatnonzero(regular):
            rows = dict(
                width=width,
                seed=trials.seed[s],
                subset=trials.subset[s],
                mode=i,
                iteration=at,
                decay_time=-at * np.log1p(-eta[s] * values[s, i]),
                residual_share=size[:, i] / size[0, i],
            )
            frames.append(pd.DataFrame(rows)[active[at, s]])
    return pd.concat(frames) if frames else pd.DataFrame()  # of the later batches none are kept


def measure(options, rng, pixels, digits):
    trials = independent(pixels, digits, options.samples, options.trials, options.device)
    cells = [(width, some) for width in options.widths for some in trials.chunks(options.together)]
    found = [
        train_width(options, rng, width, some)
        for width, some in step.progress(cells, label="gradient descent", unit="batch")
    ]
    tables = map(pd.concat, zip(*found, strict=True))
    return dict(zip(("table", "curves", "modes"), tables, strict=True))


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "curves", "modes"), stream=STREAM)
