"""P16: the loss around a small network in training, along gradient and negative curvature.

One network and one kind of labels; the panels are the paper's epochs over four. At each: the
square, the two lines, the ends of the Hessian's spectrum. At one of them Oja's method, with
Hessian-vector products and with differences of gradients, beside Lanczos; and one strict saddle
point far from any trained network, where the gradient has vanished (control P16x).
"""

import itertools
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from cnntheory.allenzhu2019.curvature import (
    difference_operator,
    flat_objective,
    hessian_operator,
    lanczos,
    oja,
    random_direction,
    rayleigh,
    stochastic_operator,
)
from cnntheory.allenzhu2019.inputs import pool
from cnntheory.allenzhu2019.landscapes import (
    DISTANCES,
    decreases,
    flatten_features,
    landscape,
    line_scan,
    noisy_labels,
    plain_network,
    residual_network,
    sgd_epochs,
)
from cnntheory.descent import minibatches
from workflow.scripts import step
from workflow.scripts.step import Count, NonNegative, Positive, from_rule

NETWORKS = {"ResNet": residual_network, "plain": plain_network}
COMPARED = (
    *("network", "labels", "seed", "epoch", "method", "products", "offset", "quotient"),
    *("ritz_residual", "kinked_quotient", "cosine", "fall_curved"),
)


class Options(step.Options):
    """P16: the loss around a small network in training."""

    case: Literal[
        "resnet_true",
        "resnet_noisy",
        "plain_true",
        "plain_noisy",
        "resnet_true_compared_1",
        "resnet_true_compared_2",
        "resnet_noisy_many",
        "plain_true_many",
        "plain_noisy_many",
    ] = Field(description="a network and a kind of labels; many trainings, or one to look at")
    network: Literal["ResNet", "plain"] = Field(
        description="two basic blocks, or four convolutions"
    )
    noise: Annotated[float, Field(ge=0, le=1)] = Field(description="share of labels replaced")
    first_trial: Annotated[int, Field(ge=0)] = Field(description="number of the first trial")
    trials: Count = Field(description="how many")
    samples: Count = Field(description="training images")
    evaluate: Count = Field(description="those on which the loss is drawn")
    panels: list[Count] = Field(min_length=1, description="epochs")
    drops: list[Count] = Field(min_length=1, description="epochs from which the rate is a tenth")
    step: Positive = Field(description="of SGD")
    batch: Count = Field(description="of SGD")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(description="of SGD")
    weight_decay: NonNegative = Field(description="of SGD")
    points: Count = Field(description="side of the square, 4 k + 1")
    lanczos_steps: Count = Field(description="Hessian-vector products")
    compare: list[Count] = Field(description="epochs at which Oja's method is compared")
    oja_steps: Count = Field(description="of Oja's method")
    oja_every: Count = Field(description="steps from one record to the next")
    oja_step: Positive = Field(description="in units of 1 / lambda_max")
    oja_batch: Count = Field(description="of Oja's method")
    sigma: Positive = Field(description="noise on the weights")
    offset: Positive = Field(description="of Neon2's differences")
    offsets: list[Positive] = Field(min_length=1, description="the ladder of them")
    dtype: Literal["float32", "float64"] = Field(description="precision of the scans")
    device: str = from_rule("cpu", description="where to compute")


def draw(options, rng, images, labels, trial):
    """Standardised 14 x 14 images ``(n, 1, 14, 14)``, labels and network of a trial.

    Images, noise and order do not depend on the network, nor the weights on the labels.
    """
    if len(labels) != len(images) or options.samples > len(images):
        raise ValueError(
            f"allenzhu2019.landscape: expected {options.samples} labelled images, found "
            f"{len(images)} images and {len(labels)} labels; ask for fewer samples, or add a file "
            "of labels"
        )
    draws = rng("images", trial)
    picks = np.sort(draws.choice(len(images), options.samples, replace=False))
    x = pool(images[picks])
    x = ((x - x.mean()) / x.std())[:, None].astype(np.float32)
    classes = int(labels.max()) + 1
    y = noisy_labels(draws, labels[picks], options.noise, classes)
    network = NETWORKS[options.network](rng(options.network, trial), classes=classes)
    return x, y, network.to(options.device)


def scan(options, rng, model, x, y, names):
    """A panel: its row of the summary and the points of its square."""
    found = landscape(
        model,
        x,
        y,
        rng(f"panel {names['epoch']}", names["seed"]),
        points=options.points,
        max_iter=options.lanczos_steps,
        device=options.device,
        dtype=getattr(torch, options.dtype),
    )
    fall = decreases(found)
    summary = names | dict(
        loss=found.loss,
        gradient_norm=found.gradient_norm,
        smallest=found.smallest,
        largest=found.largest,
        ritz_residual=found.residual,
        alignment=found.alignment,
        reach=found.radius,
        fall_gradient=fall.gradient,
        fall_curved=fall.curved,
        square_gradient=fall.square_gradient,
        square_curved=fall.square_curved,
        square_best=fall.square,
    )
    across, along = np.meshgrid(found.steps, found.steps, indexing="ij")
    points = dict(along_gradient=across, along_curved=along, loss=found.surface)
    return summary, pd.DataFrame(names | {name: a.ravel() for name, a in points.items()})


def compare(options, rng, model, x, y, names):
    """Lanczos, Oja's iterates and differences of gradients, all judged on the whole batch."""
    draws = rng("oja", names["seed"])
    precision = dict(device=options.device, dtype=getattr(torch, options.dtype))
    objective, w = flat_objective(model, x, y, **precision)
    hessian = hessian_operator(objective, w)
    kinked = difference_operator(objective, w, options.offset)
    start = random_direction(draws, w)
    ritz = lanczos(hessian, start, options.lanczos_steps)
    rows = []

    def judge(method, v, **more):
        quotient, residual = rayleigh(hessian, v)
        row = names | dict(
            method=method,
            quotient=quotient,
            ritz_residual=residual,
            kinked_quotient=rayleigh(kinked, v)[0],
            cosine=float(abs(v @ ritz.vectors[0])),
        )
        rows.append(row | more)

    def fall(v):
        lines = [line_scan(objective, w, side * v, DISTANCES).min() for side in (-1, 1)]
        rows[-1]["fall_curved"] = max(0.0, float(objective(w)) - min(lines))

    judge("Lanczos", ritz.vectors[0], products=options.lanczos_steps)
    fall(ritz.vectors[0])
    for method, offset in (("Oja", None), ("Neon2", options.offset)):
        losses = batches(draws, x, y, model, options.oja_batch, precision)
        noisy = stochastic_operator(losses, w, options.sigma, draws, offset)
        iterates = oja(noisy, start, options.oja_step / float(ritz.values[-1]))
        for k, v in enumerate(itertools.islice(iterates, options.oja_steps + 1)):
            if k % options.oja_every == 0 or k == options.oja_steps:
                judge(method, v, products=k)
        fall(v)
    # Over short distances gradients cancel: float64.
    objective, w = flat_objective(model, x, y, device=options.device)
    for offset in options.offsets:
        quotient, residual = rayleigh(
            difference_operator(objective, w, offset), ritz.vectors[0].to(w)
        )
        measured = dict(offset=offset, kinked_quotient=quotient, ritz_residual=residual)
        rows.append(names | dict(method="difference", cosine=1.0) | measured)
    return rows


def batches(rng, x, y, model, size, precision):
    """Losses on mini-batches without end."""
    for picks in minibatches(rng, len(x), size):
        yield flat_objective(model, x[picks], y[picks], **precision)[0]


def trained(options, rng, images, labels, trial):
    """Scans of a training and of its saddle, and what Oja's method is compared with."""
    x, y, model = draw(options, rng, images, labels, trial)
    # The paper draws the training objective: a part of it, with the labels trained on.
    look = x[: options.evaluate], y[: options.evaluate]
    kind = "noisy" if options.noise else "true"
    names = dict(network=options.network, labels=kind, seed=trial)
    epochs = sgd_epochs(
        model,
        x,
        y,
        rng("order", trial),
        step=options.step,
        drops=options.drops,
        batch=options.batch,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
    )
    last = max(options.panels)
    epochs = itertools.islice(epochs, last)
    label = f"{options.network}, {kind}, trial {trial}"
    scans, compared = [], []
    for epoch in step.progress(epochs, total=last, label=label, unit="epoch"):
        if epoch in options.panels:
            panel = names | dict(epoch=epoch, point="trained")
            scans.append(scan(options, rng, model, *look, panel))
        if epoch in options.compare:
            compared += compare(options, rng, model, *look, names | dict(epoch=epoch))
    if options.compare:
        counts = np.bincount(look[1], minlength=model[-1].out_features)
        flatten_features(model, counts / len(look[1]))
        panel = names | dict(epoch=0, point="saddle")
        scans.append(scan(options, rng, model, *look, panel))
    return scans, compared


def measure(options, rng, images, labels):
    trials = range(options.first_trial, options.first_trial + options.trials)
    scans, compared = [], []
    for trial in trials:
        panels, iterates = trained(options, rng, images, labels, trial)
        scans += panels
        compared += iterates
    summaries, surfaces = zip(*scans, strict=True)
    return dict(
        surface=pd.concat(surfaces),
        summary=pd.DataFrame(summaries),
        curvature=pd.DataFrame(compared, columns=COMPARED),
    )


if __name__ == "__main__":
    step.main(Options, measure, tables=("surface", "summary", "curvature"))
