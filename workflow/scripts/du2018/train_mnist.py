"""Figures 3c, 3d, 4 and 5: SGD on image patches towards one kind of teacher, all trials at once.

A seed is (teacher, direction of w_0 - w*, order of the mini-batches), shared by all starting
distances. The step is ``--step`` / lambda_max(E[Z_pp Z_pp^T]) of each teacher.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.descent import descend, minibatches
from cnntheory.du2018.neuron import empirical_gradient, predict
from cnntheory.du2018.starts import at_distance
from cnntheory.du2018.teachers import active_covariance
from workflow.scripts import step


def relative_loss(w, w_star, z):
    """``ln(mean squared error / mean label squared)`` of filters ``(seeds, m, p)``."""
    seeds, m, p = w.shape
    outputs = predict(np.concatenate([w.reshape(-1, p), w_star[:, 0]]), z)
    found, label = outputs[:, :-seeds].reshape(-1, seeds, m), outputs[:, -seeds:, None]
    error = ((found - label) ** 2).mean(axis=0, dtype=np.float64)
    return np.log(error / label.mean(axis=0, dtype=np.float64) ** 2)


def run():
    args = step.arguments(
        __doc__,
        ["training", "spectrum", "filters", "interpolation"],
        patches=step.Path,
        teachers=step.Path,
        source=step.Path,
        teacher=str,
        seed=int,
        distances=json.loads,
        step=float,
        batch=int,
        epochs=int,
        evaluate=int,
    )
    images = np.load(args.patches, mmap_mode="r")
    data = step.source(args.source)["data"]
    teachers = step.read_table(args.teachers).query("teacher == @args.teacher")
    w_star = teachers.pivot(index="seed", columns="pixel", values="weight").to_numpy()
    seeds, p = w_star.shape
    m = len(args.distances)

    covariance = active_covariance(w_star, images)
    eigenvalues, eigenvectors = (a[..., ::-1] for a in np.linalg.eigh(covariance))
    eta = (args.step / eigenvalues[:, 0, None, None]).astype(np.float32)
    rngs = [step.generator(args.seed, "train_mnist", "order", s) for s in range(seeds)]
    start = np.stack(
        [at_distance(rng, w, args.distances) for rng, w in zip(rngs, w_star, strict=True)]
    )
    orders = [minibatches(rng, len(images), args.batch) for rng in rngs]
    look = images[: args.evaluate].astype(np.float32) / np.float32(255)
    star = w_star[:, None].astype(np.float32)

    def gradient(w):
        picks = np.stack([next(order) for order in orders])
        return empirical_gradient(w, star, images[picks].astype(np.float32) / np.float32(255))

    labels = dict(
        teacher=args.teacher,
        seed=np.repeat(np.arange(seeds), m),
        start_distance=np.tile(args.distances, seeds),
    )
    training, spectrum = [], []
    per_epoch = len(images) // args.batch
    bar = step.progress(total=args.epochs * per_epoch, label=f"SGD, {args.teacher}", unit="step")
    for t, w in enumerate(descend(gradient, start.astype(np.float32), eta)):
        if t % per_epoch == 0:
            error = w - w_star[:, None]
            training.append(
                pd.DataFrame(
                    labels
                    | dict(
                        epoch=t // per_epoch,
                        relative_loss=relative_loss(w, star, look).ravel(),
                        filter_error=np.linalg.norm(error, axis=-1).ravel(),
                    )
                )
            )
            parts = np.abs(np.einsum("smp,spq->smq", error, eigenvectors))
            spectrum.append(
                pd.DataFrame(
                    {
                        name: np.repeat(value, p) if name != "teacher" else value
                        for name, value in labels.items()
                    }
                    | dict(
                        epoch=t // per_epoch,
                        direction=np.tile(np.arange(1, p + 1), seeds * m),
                        eigenvalue=np.repeat(eigenvalues, m, axis=0).ravel(),
                        component=parts.ravel(),
                    )
                )
            )
        if t == args.epochs * per_epoch:
            break
        bar.update()
    bar.close()

    filters = [
        pd.DataFrame(
            {
                name: np.repeat(value, p) if name != "teacher" else value
                for name, value in labels.items()
            }
            | dict(pixel=np.tile(np.arange(p), seeds * m), filter=kind, weight=weights.ravel())
        )
        for kind, weights in (
            ("true", np.repeat(w_star, m, axis=0)),
            ("start", start),
            ("learned", w),
        )
    ]
    between = [
        pd.DataFrame(
            labels
            | dict(
                mixing=a,
                relative_loss=relative_loss((a * w + (1 - a) * star), star, look).ravel(),
            )
        )
        # At a = 0 the loss is zero and its logarithm is not drawn.
        for a in np.linspace(0.05, 1, 20, dtype=np.float32)
    ]
    for rows, path in (
        (training, args.training),
        (spectrum, args.spectrum),
        (filters, args.filters),
        (between, args.interpolation),
    ):
        step.write_table(pd.concat(rows), path, args, data)


if __name__ == "__main__":
    step.main(run)
