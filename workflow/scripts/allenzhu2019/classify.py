"""P15: training accuracy on ten classes, true and random labels, cross-entropy and squared loss.

Only the middle layers are trained. The step is ``--step / ((n / b) lambda_max)`` of the kernel of
one mini-batch at the start; it falls by ten at two thirds of the epochs. A run ends early once all
its seeds have been at 100 % for three epochs in a row.
"""

import json

import numpy as np
import pandas as pd
import torch

from cnntheory.allenzhu2019 import (
    accuracy,
    convolutional,
    evaluate_loss,
    forward,
    fully_connected,
    gram_matrix,
    residual,
    step_size,
    train,
)
from workflow.scripts import step
from workflow.scripts.allenzhu2019 import trials as shared
from workflow.scripts.allenzhu2019.trials import numpy

CLASSES = 10
SUSTAINED = 3  # epochs in a row at 100 %


def build(network, rngs, inputs, width, depth, patch, device):
    options = dict(outputs=CLASSES, device=device, dtype=torch.float32)
    if network == "fully":
        return fully_connected(rngs, inputs, width, depth, **options)
    if network == "res":
        return residual(rngs, inputs, width, depth, **options)
    side = round(np.sqrt(inputs))
    return convolutional(rngs, (side, side), width, depth, patch=patch, **options)


def epochs(net, x, classes, loss, args, rngs):
    """Accuracy and relative loss ``(S,)`` after every epoch."""
    count = x.shape[1]
    kernel = gram_matrix(net, x[:, : args.batch])
    # The largest curvature of the cross-entropy in an output is 1/2, of the squared loss 1.
    scale = args.step * (2.0 if loss == "cross_entropy" else 1.0) * args.batch / count
    eta = step_size(kernel, scale)
    per_epoch = count // args.batch
    drop = 2 * args.epochs // 3 * per_epoch
    target = classes
    if loss == "squared":
        target = torch.nn.functional.one_hot(classes, CLASSES).to(x.dtype)
    first, streak = None, 0
    for state in train(
        net,
        x,
        target,
        lambda iteration: eta if iteration < drop else eta / 10,
        steps=args.epochs * per_epoch,
        loss=loss,
        batch=args.batch,
        rngs=rngs,
        every=per_epoch,
    ):
        outputs = forward(net, x).outputs
        value = numpy(evaluate_loss(outputs, target, loss)[0])
        first = value if first is None else first
        right = numpy(accuracy(outputs, classes))
        yield state.iteration // per_epoch, right, value / first
        streak = streak + 1 if (right == 1).all() else 0
        if streak == SUSTAINED:
            break


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        **shared.OPTIONS,
        network=str,
        widths=json.loads,
        depth=int,
        patch=(int, 3),
        samples=int,
        seeds=int,
        losses=json.loads,
        batch=int,
        epochs=int,
        step=float,
    )
    trials = shared.load(args, args.samples, args.seeds, 1)
    x = trials.x.float()
    if args.network == "conv":
        x = x[..., :-1]
    digits = torch.as_tensor(np.load(args.digits)[:1, : args.samples].astype(np.int64))
    labels = {
        "true": digits.repeat(args.seeds, 1),
        "random": torch.as_tensor(
            np.stack(
                [
                    rng.integers(CLASSES, size=args.samples)
                    for rng in trials.rngs(args.seed, "random labels")
                ]
            )
        ),
    }
    cells = [
        (width, kind, loss)
        for width in args.widths
        for kind in labels
        for loss in (args.losses if width == max(args.widths) else args.losses[:1])
    ]
    frames = []
    for width, kind, loss in step.progress(cells, label=args.network, unit="run"):
        rngs = trials.rngs(args.seed, f"classify {args.network} {width}")
        net = build(args.network, rngs, x.shape[-1], width, args.depth, args.patch, args.device)
        batches = trials.rngs(args.seed, f"classify {args.network} batches")
        for epoch, right, relative in epochs(
            net, x, labels[kind].to(args.device), loss, args, batches
        ):
            frames.append(
                pd.DataFrame(
                    dict(
                        network=args.network,
                        width=width,
                        depth=args.depth,
                        samples=args.samples,
                        labels=kind,
                        loss_function=loss,
                        seed=trials.seed,
                        epoch=epoch,
                        accuracy=right.astype(np.float64),
                        relative_loss=relative.astype(np.float64),
                    )
                )
            )
    step.write_table(pd.concat(frames), args.table, args, trials.data)


if __name__ == "__main__":
    step.main(run)
