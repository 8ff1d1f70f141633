"""P16: the loss around a small network in training, along gradient and negative curvature.

One network and one kind of labels; the panels are the paper's epochs over four. At each: the
square, the two lines, the ends of the Hessian's spectrum. At one of them Oja's method, with
Hessian-vector products and with differences of gradients, beside Lanczos; and one strict saddle
point far from any trained network, where the gradient has vanished (control P16x).
"""

import itertools
import json

import numpy as np
import pandas as pd
import torch

from cnntheory import mnist
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
from cnntheory.allenzhu2019.landscape import (
    DISTANCES,
    decreases,
    flatten_features,
    landscape,
    line_scan,
    noisy_labels,
    plain_network,
    residual_network,
    train_epochs,
)
from cnntheory.descent import minibatches
from workflow.scripts import step

NETWORKS = {"ResNet": residual_network, "plain": plain_network}
COMPARED = (
    *("network", "labels", "seed", "epoch", "method", "products", "offset", "quotient"),
    *("ritz_residual", "kinked_quotient", "cosine", "fall_curved"),
)


def draw(args, seed):
    """Standardised 14 x 14 images ``(n, 1, 14, 14)``, labels and network of a seed.

    Images, noise and order do not depend on the network, nor the weights on the labels.
    """
    images, labels = mnist.open_images(args.images), np.load(args.labels)
    if len(labels) != len(images) or args.samples > len(images):
        raise ValueError(
            f"allenzhu2019.landscape: expected {args.samples} labelled images, found {len(images)} "
            f"images and {len(labels)} labels; ask for fewer samples, or add a file of labels"
        )
    rng = step.generator(args.seed, "landscape", "images", seed)
    picks = np.sort(rng.choice(len(images), args.samples, replace=False))
    x = pool(images[picks])
    x = ((x - x.mean()) / x.std())[:, None].astype(np.float32)
    classes = int(labels.max()) + 1
    y = noisy_labels(rng, labels[picks], args.noise, classes)
    weights = step.generator(args.seed, "landscape", args.network, seed)
    return x, y, NETWORKS[args.network](weights, classes=classes).to(args.device)


def scan(args, model, x, y, labels):
    """A panel: its row of the summary and the points of its square."""
    rng = step.generator(args.seed, "landscape", f"panel {labels['epoch']}", labels["seed"])
    found = landscape(
        model,
        x,
        y,
        rng,
        points=args.points,
        lanczos_steps=args.lanczos_steps,
        device=args.device,
        dtype=getattr(torch, args.dtype),
    )
    fall = decreases(found)
    summary = labels | dict(
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
    return summary, pd.DataFrame(labels | {name: a.ravel() for name, a in points.items()})


def compare(args, model, x, y, labels):
    """Lanczos, Oja's iterates and differences of gradients, all judged on the whole batch."""
    rng = step.generator(args.seed, "landscape", "oja", labels["seed"])
    precision = dict(device=args.device, dtype=getattr(torch, args.dtype))
    objective, w = flat_objective(model, x, y, **precision)
    hessian = hessian_operator(objective, w)
    kinked = difference_operator(objective, w, args.offset)
    start = random_direction(rng, w)
    ritz = lanczos(hessian, start, args.lanczos_steps)
    rows = []

    def judge(method, v, **more):
        quotient, residual = rayleigh(hessian, v)
        row = labels | dict(
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

    judge("Lanczos", ritz.vectors[0], products=args.lanczos_steps)
    fall(ritz.vectors[0])
    for method, offset in (("Oja", None), ("Neon2", args.offset)):
        losses = batches(rng, x, y, model, args.oja_batch, precision)
        noisy = stochastic_operator(losses, w, args.sigma, rng, offset)
        iterates = oja(noisy, start, args.oja_step / float(ritz.values[-1]))
        for k, v in enumerate(itertools.islice(iterates, args.oja_steps + 1)):
            if k % args.oja_every == 0 or k == args.oja_steps:
                judge(method, v, products=k)
        fall(v)
    # Over short distances gradients cancel: float64.
    objective, w = flat_objective(model, x, y, device=args.device)
    for offset in args.offsets:
        quotient, residual = rayleigh(
            difference_operator(objective, w, offset), ritz.vectors[0].to(w)
        )
        measured = dict(offset=offset, kinked_quotient=quotient, ritz_residual=residual)
        rows.append(labels | dict(method="difference", cosine=1.0) | measured)
    return rows


def batches(rng, x, y, model, size, precision):
    """Losses on mini-batches without end."""
    for picks in minibatches(rng, len(x), size):
        yield flat_objective(model, x[picks], y[picks], **precision)[0]


def run():
    args = step.arguments(
        __doc__,
        ["surface", "summary", "curvature"],
        images=step.Path,
        labels=step.Path,
        source=step.Path,
        seed=int,
        network=str,
        noise=float,
        seeds=json.loads,
        samples=int,
        evaluate=int,
        panels=json.loads,
        drops=json.loads,
        step=float,
        batch=int,
        momentum=float,
        weight_decay=float,
        points=int,
        lanczos_steps=int,
        compare=json.loads,
        oja_steps=int,
        oja_every=int,
        oja_step=float,
        oja_batch=int,
        sigma=float,
        offset=float,
        offsets=json.loads,
        device=(str, "cpu"),
        dtype=(str, "float32"),
    )
    kind = "noisy" if args.noise else "true"
    last = max(args.panels)
    bar = step.progress(total=len(args.seeds) * last, label=f"{args.network}, {kind}", unit="epoch")
    scans, compared = [], []
    for seed in args.seeds:
        x, y, model = draw(args, seed)
        # The paper draws the training objective: a part of it, with the labels trained on.
        look = x[: args.evaluate], y[: args.evaluate]
        labels = dict(network=args.network, labels=kind, seed=seed)
        epochs = train_epochs(
            model,
            x,
            y,
            step.generator(args.seed, "landscape", "order", seed),
            step=args.step,
            drops=args.drops,
            batch=args.batch,
            momentum=args.momentum,
            weight_decay=args.weight_decay,
        )
        for epoch in itertools.islice(epochs, last):
            bar.update()
            if epoch in args.panels:
                scans.append(scan(args, model, *look, labels | dict(epoch=epoch, point="trained")))
            if epoch in args.compare:
                compared += compare(args, model, *look, labels | dict(epoch=epoch))
        if args.compare:
            counts = np.bincount(look[1], minlength=model[-1].out_features)
            flatten_features(model, counts / len(look[1]))
            scans.append(scan(args, model, *look, labels | dict(epoch=0, point="saddle")))
    bar.close()
    data = step.source(args.source)["data"]
    summaries, surfaces = zip(*scans, strict=True)
    step.write_table(pd.concat(surfaces), args.surface, args, data)
    step.write_table(pd.DataFrame(summaries), args.summary, args, data)
    step.write_table(pd.DataFrame(compared, columns=COMPARED), args.curvature, args, data)


if __name__ == "__main__":
    step.main(run)
