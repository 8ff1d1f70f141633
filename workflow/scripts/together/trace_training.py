"""Where training lives: what four theories speak of, along descent, from few filters to many.

Both layers of a network on images are trained by gradient descent on ``|f - y|^2 / 2 + beta / 2
(|W|^2 + |a|^2)``, from the task's start with the lengths of its two layers made equal, filter by
filter. Time is the sum of the steps in units of 1 / beta, in which weight decay shrinks weights. A
step is a share of 1 over the largest eigenvalue of the Hessian at the last time measured, halved
for a trial whenever its objective would rise, and short beside the time since the start, so that
descent stays near the flow, of which the kernel's predictions are exact.
"""

from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.du2018.condition import check_condition, filters_around, region_moments
from cnntheory.du2018.smoothness import extremes
from cnntheory.ergen2021 import beta_max, train_convex
from workflow.scripts import step
from workflow.scripts.step import Count, Positive, Share
from workflow.scripts.together import task

CHATTER = 1e-6  # share by which the objective may rise in a step, across a kink
SHORTEST = 1 / 4  # of the first of them, whatever the objective does: kinks would halve it forever
ACCURACY = 1e-7  # of an eigenvalue of the Hessian, in units of the largest


class Options(task.Task):
    """T10 to T15: optimum, movement, Hessian and patches along training on images."""

    widths: list[Count] = Field(min_length=1, description="m, filters of the students")
    samples: Count = Field(description="n, images trained on")
    decay: Share = Field(description="weight decay, in units of beta_max")
    times: Annotated[int, Field(ge=2)] = Field(description="times at which is measured, 0 first")
    first: Positive = Field(description="the first after 0, in units of 1 / beta; log-spaced")
    last: Positive = Field(description="the last")
    step_size: Annotated[float, Field(gt=0, lt=2)] = Field(
        description="in units of 1 / the Hessian's largest eigenvalue"
    )
    substeps: Count = Field(description="steps between two times, at least")
    condition_images: Count = Field(
        description="images whose patches Theorem 3.1 of du2018 is asked of"
    )
    directions: Count = Field(description="random directions of filters at an angle")


class Linear(NamedTuple):
    """Gradient flow of the model linearised at the start, by the right singular vectors of J.

    Every mode goes ``ways (1 - exp(-rates t))``. The last one is the part of the start that J does
    not see: it decays.
    """

    rates: np.ndarray  # (trials, modes)
    ways: np.ndarray  # (trials, modes)
    starts: np.ndarray  # (trials, modes), the parameters
    responses: np.ndarray  # (trials, n, modes), of the outputs
    residual: np.ndarray  # (trials, n), at the start


def measure(options, rng, images):
    if options.patch_size < 2:
        raise ValueError(f"patch_size: an angle needs 2 entries, found {options.patch_size}")
    pool = task.quadrants(images, options.patch_size)
    data = task.draw_data(options, rng, options.samples, 1, pool)
    pairs = list(zip(data.patches, data.y, strict=True))
    optima = pd.DataFrame(
        [certified(options, *pair) for pair in step.progress(pairs, label="optima")]
    )
    ask = condition_of(options, rng, pool[: options.condition_images], data)
    tables = []
    for width in options.widths:
        start = task.balance(*task.draw_students(options, rng, width))
        path = trace(options, *start, data.patches, data.y, optima.beta.to_numpy())
        for measured, filters, weights in step.progress(
            path, options.times, label=f"m = {width}", unit="time"
        ):
            about = optima.assign(width=width, seed=np.arange(options.trials))
            tables.append(about.assign(**measured, **ask(filters, weights)))
    return pd.concat(tables, ignore_index=True)


def certified(options, patches, y):
    """The certified optimum of one data set."""
    beta = options.decay * beta_max(patches, y)
    found = train_convex(patches, y, beta)
    return dict(beta=beta, program=found.program, dual_bound=found.dual_bound)


# Descent


def times(options):
    """0, then log-spaced, in units of 1 / beta."""
    return np.append(0.0, np.geomspace(options.first, options.last, options.times - 1))


def trace(options, filters, weights, patches, y, beta):
    """Yield, at every time, what is measured of the networks, their filters and their weights."""
    data, start = (patches, y, beta), (filters, weights)
    linear = linearise(filters, weights, *data)
    first_loss, largest, before = None, np.inf, 0.0
    for time in times(options):
        if length := time - before:
            longest = np.minimum(options.step_size / largest, length / options.substeps / beta)
            filters, weights = descend(filters, weights, *data, length / beta, longest)
        objective, loss, _ = slopes(filters, weights, *data)
        smallest, largest = hessian_extremes(filters, weights, *data)
        first_loss = loss if first_loss is None else first_loss
        predicted_movement, predicted_objective = predict(linear, beta, time / beta)
        moved = squares(filters - start[0], weights - start[1])
        measured = dict(
            time=time,
            objective=objective,
            relative_loss=loss / first_loss,
            movement=np.sqrt(moved),
            predicted_movement=predicted_movement,
            predicted_objective=predicted_objective,
            smallest=smallest,
            largest=largest,
        )
        yield measured, filters, weights
        before = time


def squares(filters, weights):
    """Sum of the squares of all parameters, by trial."""
    return (filters**2).sum((-2, -1)) + (weights**2).sum(-1)


def slopes(filters, weights, patches, y, beta):
    """Objective, squared loss, and the gradients by filters and by weights."""
    residual, by_filters, by_weights = task.residual_and_slope(
        filters, weights, patches, y, both=True
    )
    loss = (residual**2).sum(-1) / 2
    decayed = by_filters + beta[..., None, None] * filters, by_weights + beta[..., None] * weights
    return loss + beta / 2 * squares(filters, weights), loss, decayed


def descend(filters, weights, patches, y, beta, length, longest):
    """Filters and weights of every trial after steps of the sum `length`, each at most `longest`.

    One trial after the other: what a step needs of one stays in the processor's cache.
    """
    trials = zip(filters, weights, patches, y, beta, length, longest, strict=True)
    return tuple(map(np.stack, zip(*(_descend(*trial) for trial in trials), strict=True)))


def _descend(filters, weights, patches, y, beta, left, longest):
    step_size = longest
    objective, _, (by_filters, by_weights) = slopes(filters, weights, patches, y, beta)
    while left > 0:
        taken = min(step_size, left)
        new = filters - taken * by_filters, weights - taken * by_weights
        found, _, gradients = slopes(*new, patches, y, beta)
        if found > objective * (1 + CHATTER) and step_size > SHORTEST * longest:
            step_size /= 2
            continue
        (filters, weights), objective, (by_filters, by_weights) = new, found, gradients
        left -= taken
    return filters, weights


# What the theories speak of


def gated(filters, patches):
    """Sums of the patches that filters see (trials, n, m, p), and the filters' outputs on them."""
    trials, width, p = filters.shape
    seen = task.tangent(filters, np.ones(width), patches).reshape(trials, -1, width, p)
    return seen, (seen * filters[:, None]).sum(-1)


def linearise(filters, weights, patches, y, beta):
    """Descent with weight decay on the model linearised at a network."""
    seen, outputs = gated(filters, patches)
    by_filters = seen * weights[:, None, :, None]
    jacobian = np.concatenate([by_filters.reshape(*outputs.shape[:2], -1), outputs], axis=-1)
    residual = (outputs @ weights[..., None])[..., 0] - y
    left, sizes, right = np.linalg.svd(jacobian, full_matrices=False)
    parameters = np.concatenate([filters.reshape(len(y), -1), weights], axis=-1)
    starts = (right @ parameters[..., None])[..., 0]
    unseen = np.sqrt(np.maximum((parameters**2).sum(-1) - (starts**2).sum(-1), 0))
    responses = left * sizes[:, None]
    slope = (np.swapaxes(responses, -1, -2) @ residual[..., None])[..., 0] + beta[:, None] * starts
    rates = sizes**2 + beta[:, None]

    def all_modes(seen, unseen):
        return np.concatenate([seen, unseen[:, None]], axis=-1)

    return Linear(
        all_modes(rates, beta),
        all_modes(-slope / rates, -unseen),
        all_modes(starts, unseen),
        np.concatenate([responses, np.zeros((*y.shape, 1))], axis=-1),
        residual,
    )


def predict(linear, beta, time):
    """Movement and objective of the linearised model at a time, by trial."""
    moved = -linear.ways * np.expm1(-linear.rates * time[:, None])
    residual = linear.residual + (linear.responses @ moved[..., None])[..., 0]
    decay = ((linear.starts + moved) ** 2).sum(-1)
    objective = (residual**2).sum(-1) / 2 + beta / 2 * decay
    return np.sqrt((moved**2).sum(-1)), objective


def hessian_extremes(filters, weights, patches, y, beta):
    """Least and largest eigenvalue of the Hessian of the objective, almost everywhere.

    It is ``J^T J`` plus a block for each filter, ``beta`` and, between w_j and a_j, the gradient
    g_j of the loss by a_j w_j: eigenvalues ``beta +- |g_j|``, and beta across. By Sylvester's law
    of inertia as many eigenvalues lie below mu as blocks have there and ``I + J (B - mu)^-1 J^T``,
    an n x n matrix, has positive, less n: both extremes are found by bisection.
    """
    (trials, width, p), n = filters.shape, y.shape[1]
    seen, outputs = gated(filters, patches)
    residual = (outputs @ weights[..., None])[..., 0] - y
    pull = (residual[:, None] @ seen.reshape(trials, n, -1)).reshape(filters.shape)
    size = np.linalg.norm(pull, axis=-1)
    axis = np.where(size[..., None] > 0, pull, np.eye(p)[0])
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
    by_filters = seen * weights[:, None, :, None]
    along = (by_filters * axis[:, None]).sum(-1)
    across = (by_filters - along[..., None] * axis[:, None]).reshape(trials, n, -1)
    across = across @ np.swapaxes(across, -1, -2)
    columns = np.concatenate([along + outputs, along - outputs], axis=-1) / np.sqrt(2)
    blocks = beta[:, None] + np.concatenate([size, -size], axis=-1)
    kernel = across + columns @ np.swapaxes(columns, -1, -2)
    top = np.linalg.eigvalsh(kernel)[:, -1]

    def below(mu):
        """How many eigenvalues are less than mu, by trial."""
        scaled = columns / (blocks - mu[:, None])[:, None]
        reduced = scaled @ np.swapaxes(columns, -1, -2)
        reduced += across / (beta - mu)[:, None, None]
        positive = (np.linalg.eigvalsh(reduced) > -1).sum(-1)
        return (blocks < mu[:, None]).sum(-1) + width * (p - 1) * (beta < mu) + positive - n

    def bisect(low, high, rank):
        while (wide := high - low > ACCURACY * top).any():
            # Where it is found already, a point that is no eigenvalue of a block for sure.
            middle = np.where(wide, (low + high) / 2, lowest - top)
            under = below(middle) >= rank
            low, high = (
                np.where(wide & ~under, middle, low),
                np.where(wide & under, middle, high),
            )
        return (low + high) / 2

    lowest, most = beta - size.max(-1), size.max(-1) + beta
    ordered = np.sort(blocks, axis=-1)
    # Between its neighbours: J^T J of rank n lifts the least block at most to the n + 1-th.
    high = np.minimum(ordered[:, n], lowest + top) if n < 2 * width else lowest + top
    return bisect(lowest, high, 1), bisect(top + lowest, top + most, width * (p + 1))


def condition_of(options, rng, pool, data):
    """What Theorem 3.1 of du2018 asks, of the filter of every network that is nearest to a teacher.

    Only filters with the teacher's sign are looked at, and of a network's matches the one that
    looks better. gamma is bounded from above and L_cross from below, by filters in random
    directions. Control: images whose patches are all their mean.
    """
    merged = pool.mean(1, keepdims=True)
    l_cross = [
        check_condition(
            pool, filters=teachers, directions=options.directions, rng=rng("condition", trial)
        ).l_cross
        for trial, teachers in enumerate(data.teachers)
    ]

    def least(filters, w_star, patches):
        moments = region_moments(filters, w_star, patches)
        return extremes(moments["pp,pp"], moments["pm,pm"]).gamma.min()

    def nearest(filters, weights, w_star, sign):
        """Angle of the nearest filter, NaN without any."""
        some = filters[(weights * sign > 0) & (np.linalg.norm(filters, axis=1) > 0)]
        cosines = some @ w_star / np.linalg.norm(some, axis=1)
        return np.arccos(np.clip(cosines.max(initial=-1.0), -1, 1))

    def ask(filters, weights):
        rows = []
        for trial, teachers in enumerate(data.teachers):
            found = []
            for w_star, sign, needed in zip(teachers, data.signs, l_cross[trial], strict=True):
                phi = nearest(filters[trial], weights[trial], w_star, sign)
                turned = filters_around(
                    w_star, np.array([phi]), options.directions, rng("turned", trial)
                )[:, 0]
                gamma, alone = (least(turned, w_star, patches) for patches in (pool, merged))
                found.append(dict(phi=phi, gamma=gamma, l_cross=needed, merged_gamma=alone))
            rows.append(max(found, key=lambda row: row["gamma"] / row["l_cross"]))
        return pd.DataFrame(rows)

    return ask


if __name__ == "__main__":
    step.main(Options, measure)
