"""Figures 3c, 3d, 4 and 5: SGD on image patches towards one kind of teacher, all trials at once.

A trial is (teacher, direction of w_0 - w*), drawn independently and shared by all starting
distances; ``--together`` trials see the same order of mini-batches, so that a mini-batch is read
once for all of them. The step is ``--step`` / lambda_max(E[Z_pp Z_pp^T]) of each teacher.
"""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.descent import gradient_descent, minibatches
from cnntheory.du2018.neuron import empirical_gradient, predict
from cnntheory.du2018.starts import at_distance
from cnntheory.du2018.teachers import active_covariance
from workflow.scripts import step
from workflow.scripts.du2018.draw_teacher import weights_of
from workflow.scripts.step import Count, Positive, from_rule

WHITE = np.float32(1 / 255)  # pixels in [0, 1]


def relative_loss(w, w_star, z):
    """``ln(mean squared error / mean label squared)`` of filters ``(trials, m, p)``."""
    trials, m, p = w.shape
    outputs = predict(np.concatenate([w.reshape(-1, p), w_star[:, 0]]), z)
    found, label = outputs[:, :-trials].reshape(-1, trials, m), outputs[:, -trials:, None]
    error = ((found - label) ** 2).mean(axis=0, dtype=np.float64)
    return np.log(error / label.mean(axis=0, dtype=np.float64) ** 2)


def scaled(images):
    """Pixels in [0, 1], float32."""
    return np.multiply(images, WHITE, dtype=np.float32)


def moments_of(total, points):
    """Numbers of the steps at which the components are recorded: 0, then log-spaced to the last."""
    return {0, *np.unique(np.geomspace(1, total, points).round().astype(int)).tolist()}


def stochastic_gradient(star, patches, orders, together):
    """Gradients of filters ``(trials, m, p)``, a mini-batch for every group of trials."""
    first = range(0, len(star), together)

    def gradient(w):
        parts = []
        for at, order in zip(first, orders, strict=True):
            z = patches[next(order)].astype(np.float32)
            filters, teachers = w[at : at + together], star[at : at + together, 0]
            # The few filters are scaled in place of the many pixels.
            found = empirical_gradient(
                WHITE * filters.reshape(-1, z.shape[-1]), WHITE * teachers, z
            )
            parts.append(WHITE * found.reshape(filters.shape))
        return np.concatenate(parts)

    return gradient


class Options(step.Options):
    """Claim 12, Figures 3c, 3d, 4, 5: SGD on image patches."""

    teacher: Literal["random", "gabor"] = from_rule(description="kind of teacher")
    distances: list[Positive] = Field(min_length=2, description="r_0 of the starts")
    step: Positive = Field(description="in units of 1/lambda_max")
    batch: Count = Field(description="images of a mini-batch")
    epochs: Count = Field(description="passes over the images")
    together: Count = Field(description="trials that share the order of the mini-batches")
    points: Annotated[int, Field(ge=2)] = Field(
        description="log-spaced steps at which the components of the error are recorded"
    )
    evaluate: Count = Field(description="images that the loss is measured on")


def measure(options, rng, patches, teachers):
    w_star = weights_of(teachers, options.teacher)
    trials, p = w_star.shape
    covariance = active_covariance(w_star, patches)
    eigenvalues, eigenvectors = (a[..., ::-1] for a in np.linalg.eigh(covariance))
    eta = (options.step / eigenvalues[:, 0, None, None]).astype(np.float32)
    start = np.stack(
        [at_distance(rng("start", trial), w, options.distances) for trial, w in enumerate(w_star)]
    )
    orders = [
        minibatches(rng("order", first), len(patches), options.batch)
        for first in range(0, trials, options.together)
    ]
    look = scaled(patches[: options.evaluate])
    star = w_star[:, None].astype(np.float32)
    gradient = stochastic_gradient(star, patches, orders, options.together)
    m = len(options.distances)
    runs = dict(
        teacher=options.teacher,
        seed=np.repeat(np.arange(trials), m),
        start_distance=np.tile(options.distances, trials),
    )
    # A row for every run and component of its filter.
    entries = {k: v if k == "teacher" else np.repeat(v, p) for k, v in runs.items()}
    training, spectrum = [], []
    per_epoch = len(patches) // options.batch
    total = options.epochs * per_epoch
    recorded = moments_of(total, options.points)
    with step.progress(total=total, label=f"SGD, {options.teacher}", unit="step") as bar:
        for t, w in enumerate(gradient_descent(gradient, start.astype(np.float32), eta)):
            error = w - w_star[:, None]
            if t % per_epoch == 0:
                reached = dict(
                    epoch=t // per_epoch,
                    relative_loss=relative_loss(w, star, look).ravel(),
                    filter_error=np.linalg.norm(error, axis=-1).ravel(),
                )
                training.append(pd.DataFrame(runs | reached))
            if t in recorded:
                components = np.abs(np.einsum("smp,spq->smq", error, eigenvectors))
                along = dict(
                    iteration=t,
                    direction=np.tile(np.arange(1, p + 1), trials * m),
                    eigenvalue=np.repeat(eigenvalues, m, axis=0).ravel(),
                    step=np.repeat(eta.ravel(), m * p),
                    component=components.ravel(),
                )
                spectrum.append(pd.DataFrame(entries | along))
            if t == total:
                break
            bar.update()

    kinds = {"true": np.repeat(w_star, m, axis=0), "start": start, "learned": w}
    pixel = np.tile(np.arange(p), trials * m)
    filters = [
        pd.DataFrame(entries | dict(pixel=pixel, filter=kind, weight=weights.ravel()))
        for kind, weights in kinds.items()
    ]
    interpolation = [
        pd.DataFrame(
            runs
            | dict(
                mixing=a,
                relative_loss=relative_loss((a * w + (1 - a) * star), star, look).ravel(),
            )
        )
        # At a = 0 the loss is zero and its logarithm is not drawn.
        for a in np.linspace(0.05, 1, 20, dtype=np.float32)
    ]
    return {
        "training": pd.concat(training),
        "spectrum": pd.concat(spectrum),
        "filters": pd.concat(filters),
        "interpolation": pd.concat(interpolation),
    }


if __name__ == "__main__":
    step.main(Options, measure, tables=("training", "spectrum", "filters", "interpolation"))
