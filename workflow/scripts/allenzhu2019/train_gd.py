"""P1, P4, P12-P14: gradient descent on a few images, at several widths.

The step is 1 / lambda_max of the tangent kernel at the start, of each trial. Measured beside the
loss: the band of ``rho = ||grad F||^2 / (F m)``, the movement of the weights, the change of the
gradient of the output and of the kernel, and the distance to the linearised model. With ``--scaling
small`` B is divided by sqrt(m), which the paper's parametrisation forbids (controls P12x-P14x).
"""

import json

import numpy as np
import pandas as pd
import torch

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
from workflow.scripts.allenzhu2019 import trials as shared
from workflow.scripts.allenzhu2019.trials import numpy


def descend(net, trials, eta, steps, tolerance):
    """Losses ``(T, S)``, squared gradients ``(T, S, L)`` and outputs ``(T, S, n)`` of the path."""
    losses, squares, outputs = [], [], []
    for state in train(net, trials.x, trials.y, eta, steps=steps, tolerance=tolerance):
        losses.append(numpy(state.loss))
        squares.append(numpy(state.gradient_squares))
        outputs.append(numpy(state.outputs[..., 0]))
    return np.array(losses), np.array(squares), np.array(outputs)


def measure(args, width, trials, bar):
    """Summary and curves of one width."""
    net = trials.networks(args.seed, f"width {width}", width, args.depth)
    if args.scaling == "small":
        net.B /= np.sqrt(width)
    start, first = copy(net), forward(net, trials.x)
    p = backward(net, first)
    kernel = gram_matrix(net, trials.x)
    values = numpy(torch.linalg.eigvalsh(kernel))
    limit = np.linalg.eigvalsh(limit_gram(numpy(trials.x), args.depth))[:, 0] * width
    if args.scaling == "small":
        limit /= width
    residual = first.outputs[..., 0] - trials.y
    eta = step_size(kernel)
    losses, squares, outputs = descend(net, trials, eta, args.steps, args.tolerance)
    last, stop = forward(net, trials.x), len(losses) - 1
    predicted = numpy(predicted_losses(kernel, residual, eta, stop)).T
    linear = numpy(linear_outputs(kernel, first.outputs[..., 0], residual, eta, stop))
    gap = np.linalg.norm(outputs - linear.transpose(1, 0, 2), axis=-1)
    gap /= np.linalg.norm(numpy(residual), axis=-1)
    relative = losses / losses[0]
    # Where a trial has converged, its loss is rounding and it has stopped.
    active = np.vstack([np.ones_like(relative[:1]), relative[:-1]]) > args.tolerance
    active &= np.isfinite(relative) & (losses > 0)
    with np.errstate(all="ignore"):
        ratio = np.where(active[..., None], squares / (losses * width)[..., None], np.nan)
    total, final = ratio.sum(axis=-1), ratio[..., -1]
    iterations = np.arange(stop + 1)
    fits = [
        shared.fit_rate(iterations[on], curve[on])
        for on, curve in zip(active.T, relative.T, strict=True)
    ]
    spectral, frobenius = movement(net, start)
    changed = numpy(gradient_change(first, p, last, backward(net, last)))
    kernel_end = gram_matrix(net, trials.x)
    names = trials.frame(width=width, depth=args.depth, samples=trials.x.shape[1])
    eta = numpy(eta)
    summary = pd.DataFrame(
        names
        | dict(
            scaling=args.scaling,
            step=eta,
            lambda_min=values[:, 0] / width,
            lambda_max=values[:, -1] / width,
            iterations=shared.crossing(losses, args.tolerance),
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
    )
    at = np.unique(np.round(np.linspace(0, stop, args.points)).astype(int))
    curves = pd.concat(
        pd.DataFrame(
            {name: value if np.ndim(value) == 0 else value[s] for name, value in names.items()}
            | dict(
                iteration=at,
                relative_loss=np.where(active[at, s], relative[at, s], np.nan),
                predicted_loss=predicted[at, s] / losses[0, s],
                ratio=total[at, s],
                last_ratio=final[at, s],
            )
        )
        for s in range(len(trials.seed))
    )
    bar.update()
    return summary, curves.dropna(subset=["relative_loss"])


def run():
    args = step.arguments(
        __doc__,
        ["table", "curves"],
        **shared.OPTIONS,
        widths=json.loads,
        seeds=int,
        subsets=int,
        samples=int,
        depth=int,
        steps=int,
        tolerance=float,
        points=(int, 60),
        scaling=(str, "usual"),
    )
    trials = shared.load(args, args.samples, args.seeds, args.subsets)
    bar = step.progress(total=len(args.widths), label="gradient descent", unit="width")
    summaries, curves = zip(
        *(measure(args, width, trials, bar) for width in args.widths), strict=True
    )
    bar.close()
    step.write_table(pd.concat(summaries), args.table, args, trials.data)
    step.write_table(pd.concat(curves), args.curves, args, trials.data)


if __name__ == "__main__":
    step.main(run)
