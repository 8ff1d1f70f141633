"""P15: training accuracy on ten classes, true and random labels, cross-entropy and squared loss.

Only the middle layers are trained. The step is ``--step / ((n / b) lambda_max)`` of the kernel of
one mini-batch at the start; it falls by ten at two thirds of the epochs. A run ends early once all
its seeds have been at 100 % for three epochs in a row.
"""

from typing import Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from cnntheory.allenzhu2019.inputs import pool
from cnntheory.allenzhu2019.kernel import TangentKernel
from cnntheory.allenzhu2019.networks import convolutional, fully_connected, residual
from cnntheory.allenzhu2019.training import accuracy, descent
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, independent, numpy
from workflow.scripts.step import Count, Positive, from_rule

CLASSES = 10
SUSTAINED = 3  # epochs in a row at 100 %


class Options(step.Options):
    """P15: training accuracy on true and random labels."""

    case: Literal["fully", "conv", "res"] = Field(
        description="fully connected, convolutional, residual"
    )
    widths: list[Count] = Field(min_length=1, description="m (the narrowest is a control)")
    depth: Count = Field(description="L")
    samples: Count = Field(description="n")
    trials: Count = Field(description="networks, each with images and random labels of its own")
    losses: list[Literal["cross_entropy", "squared"]] = Field(
        min_length=1,
        description="the first one is usual, others are seen at the largest width, random labels",
    )
    batch: Count = Field(description="b")
    epochs: Count = Field(description="at most")
    step: Positive = Field(description="in units of 1 / ((n/b) lambda_max) of a batch's kernel")
    patch: Count = Field(3, description="side of a filter")
    pooled: Count = Field(1, description="pixels on a side that become one, once more")
    device: str = from_rule("cpu", description="where to compute")


def build(options, rngs, inputs, width):
    """Networks of a case, one for each generator."""
    more = dict(outputs=CLASSES, device=options.device, dtype=torch.float32)
    if options.case == "fully":
        return fully_connected(rngs, inputs, width, options.depth, **more)
    if options.case == "res":
        return residual(rngs, inputs, width, options.depth, **more)
    side = round(np.sqrt(inputs))
    return convolutional(rngs, (side, side), width, options.depth, patch=options.patch, **more)


def epochs(net, x, classes, loss, options, rngs):
    """Accuracy and relative loss ``(S,)`` after every epoch."""
    count = x.shape[1]
    kernel = TangentKernel.at(net, x[:, : options.batch])
    # The largest curvature of the cross-entropy in an output is 1/2, of the squared loss 1.
    scale = options.step * (2.0 if loss == "cross_entropy" else 1.0) * options.batch / count
    eta = kernel.step(scale)
    per_epoch = count // options.batch
    drop = 2 * options.epochs // 3 * per_epoch
    target = classes
    if loss == "squared":
        target = torch.nn.functional.one_hot(classes, CLASSES).to(x.dtype)
    first, streak = None, 0
    for state in descent(
        net,
        x,
        target,
        lambda iteration: eta if iteration < drop else eta / 10,
        max_iter=options.epochs * per_epoch,
        loss=loss,
        batch=options.batch,
        rng=rngs,
        every=per_epoch,
    ):
        value = numpy(state.loss)
        first = value if first is None else first
        right = numpy(accuracy(state.outputs, classes))
        yield state.iteration // per_epoch, right, value / first
        streak = streak + 1 if (right == 1).all() else 0
        if streak == SUSTAINED:
            break


def draw_labels(options, rng, digits, trials):
    """Classes ``(S, n)`` of both kinds of labels."""
    true = torch.as_tensor(digits[: options.trials, : options.samples].astype(np.int64))
    random = [
        draws.integers(CLASSES, size=options.samples) for draws in trials.rngs(rng, "random labels")
    ]
    return {"true": true, "random": torch.as_tensor(np.stack(random))}


def measure(options, rng, pixels, digits):
    if options.pooled > 1:
        side = round(pixels.shape[-1] ** 0.5)
        squares = np.asarray(pixels).reshape(*pixels.shape[:2], side, side)
        pixels = pool(squares, side // options.pooled).reshape(*pixels.shape[:2], -1)
    trials = independent(pixels, digits, options.samples, options.trials, options.device)
    x = trials.x.float()
    if options.case == "conv":
        x = x[..., :-1]  # images have no constant coordinate
    labels = draw_labels(options, rng, digits, trials)
    widest, usual = max(options.widths), options.losses[0]
    cells = [
        (width, kind, loss)
        for width in options.widths
        for kind in labels
        for loss in options.losses
        # One of the three is what the theorems say less about, at most.
        if (width < widest) + (kind == "true") + (loss != usual) <= 1
    ]
    frames = []
    for width, kind, loss in step.progress(cells, label=options.case, unit="run"):
        rngs = trials.rngs(rng, f"classify {options.case} {width}")
        net = build(options, rngs, x.shape[-1], width)
        batches = trials.rngs(rng, f"classify {options.case} batches")
        classes = labels[kind].to(options.device)
        for epoch, right, relative in epochs(net, x, classes, loss, options, batches):
            frames.append(
                pd.DataFrame(
                    dict(
                        network=options.case,
                        width=width,
                        depth=options.depth,
                        samples=options.samples,
                        labels=kind,
                        loss_function=loss,
                        seed=trials.seed,
                        epoch=epoch,
                        accuracy=right.astype(np.float64),
                        relative_loss=relative.astype(np.float64),
                    )
                )
            )
    return pd.concat(frames)


if __name__ == "__main__":
    step.main(Options, measure, stream=STREAM)
