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

from cnntheory.allenzhu2019 import (
    backward,
    copy,
    forward,
    gradient_change,
    gram_matrix,
    limit_gram,
    linear_outputs,
    movement,
    predicted_losses,
    predicted_movement,
    step_size,
    train,
)
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, crossing, fit_decay, numpy, on_images
from workflow.scripts.step import Count, Positive, from_rule


class Options(step.Options):
    """P1, P4, P12-P14: gradient descent at several widths."""

    case: Literal["narrow", "w512", "w1024", "w2048", "small"] = Field(
        description="widths that are trained in one job"
    )
    widths: list[Count] = Field(min_length=1, description="m")
    trials: Count = Field(description="seeds of the weights")
    subsets: Count = Field(description="of the images, each with every seed")
    samples: Count = Field(description="n")
    depth: Count = Field(description="L")
    steps: Count = Field(description="iterations, at most")
    tolerance: Positive = Field(description="of the loss, in units of its start")
    points: Count = Field(60, description="of a curve that are kept")
    scaling: Literal["usual", "small"] = Field(
        "usual", description="`small` divides B by sqrt(m) (control)"
    )
    device: str = from_rule("cpu", description="where to compute")


def descend(net, trials, eta, options):
    """Losses ``(T, S)``, squared gradients ``(T, S, L)`` and outputs ``(T, S, n)`` of the path."""
    losses, squares, outputs = [], [], []
    for state in train(
        net, trials.x, trials.y, eta, steps=options.steps, tolerance=options.tolerance
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
    start, first = copy(net), forward(net, trials.x)
    p = backward(net, first)
    kernel = gram_matrix(net, trials.x)
    values = numpy(torch.linalg.eigvalsh(kernel))
    limit = np.linalg.eigvalsh(limit_gram(numpy(trials.x), options.depth))[:, 0] * width
    if small:
        limit /= width
    residual = first.outputs[..., 0] - trials.y
    eta = step_size(kernel)
    losses, squares, outputs = descend(net, trials, eta, options)
    last, stop = forward(net, trials.x), len(losses) - 1
    relative, active = losses / losses[0], running(losses, options.tolerance)

    linear = numpy(linear_outputs(kernel, first.outputs[..., 0], residual, eta, stop))
    gap = np.linalg.norm(outputs - linear.transpose(1, 0, 2), axis=-1)
    gap /= np.linalg.norm(numpy(residual), axis=-1)
    with np.errstate(all="ignore"):
        ratio = np.where(active[..., None], squares / (losses * width)[..., None], np.nan)
    total, final = ratio.sum(axis=-1), ratio[..., -1]
    iterations = np.arange(stop + 1)
    fits = [
        fit_decay(iterations[on], curve[on]) for on, curve in zip(active.T, relative.T, strict=True)
    ]
    spectral, frobenius = movement(net, start)
    changed = numpy(gradient_change(first, p, last, backward(net, last)))
    kernel_end = gram_matrix(net, trials.x)

    names = trials.frame(width=width, depth=options.depth, samples=trials.x.shape[1])
    predicted = numpy(predicted_losses(kernel, residual, eta, stop)).T / losses[0]
    eta = numpy(eta)
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
        predicted_movement=numpy(predicted_movement(kernel, residual)),
        gradient_change=np.median(changed, axis=-1),
        kernel_change=numpy(
            torch.linalg.matrix_norm(kernel_end - kernel) / torch.linalg.matrix_norm(kernel)
        ),
        linear_gap=np.where(active, gap, 0).max(axis=0),
    )
    relative = np.where(active, relative, np.nan)
    paths = dict(relative_loss=relative, predicted_loss=predicted, ratio=total, last_ratio=final)
    return pd.DataFrame(names | summary), curves(names, paths, options.points)


def curves(names, paths, points):
    """At most `points` iterations of every trial, as long as it runs.

    Parameters
    ----------
    names : dict
        Columns that name the trials, one value or one a trial.
    paths : dict of (T, S) ndarray
    """
    length, trials = paths["relative_loss"].shape
    at = np.unique(np.round(np.linspace(0, length - 1, points)).astype(int))
    rows = pd.concat(
        pd.DataFrame(
            {name: value if np.ndim(value) == 0 else value[s] for name, value in names.items()}
            | dict(iteration=at)
            | {name: path[at, s] for name, path in paths.items()}
        )
        for s in range(trials)
    )
    return rows.dropna(subset=["relative_loss"])


def measure(options, rng, pixels, digits):
    trials = on_images(
        pixels, digits, options.samples, options.trials, options.subsets, options.device
    )
    widths = step.progress(options.widths, label="gradient descent", unit="width")
    summaries, paths = zip(
        *(train_width(options, rng, width, trials) for width in widths), strict=True
    )
    return dict(table=pd.concat(summaries), curves=pd.concat(paths))


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "curves"), stream=STREAM)
