"""What gradient descent reaches at every width and sample size, and where each theory begins.

Every data set is learned twice by students of every width. With fixed output weights and no decay,
as three of the theories have it: is the loss zero in the end, is the teacher recovered, and does it
take as long as the tangent kernel of the start says? With both layers trained under weight decay,
as the fourth has it: how far is the end from the certified global optimum?
"""

import itertools
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.du2018.condition import check_condition
from cnntheory.ergen2021 import beta_max, train_convex
from workflow.scripts import step
from workflow.scripts.step import Count, Positive, Share
from workflow.scripts.together.task import (
    Task,
    balance,
    draw_data,
    draw_students,
    kernel,
    outputs,
    residual_and_slope,
    tangent,
)

# A network that is dead on all inputs has no slope for its step to be taken along.
TINY = np.finfo(float).tiny
# Under decay a data set is done when so many steps lower its objective by less than this share.
PATIENCE, SETTLED = 100, 1e-13


class Map(Task):
    """What a map of widths and sample sizes is asked, whatever the inputs are."""

    samples: list[Count] = Field(min_length=2, description="n")
    widths: list[Count] = Field(min_length=2, description="m; that of the teacher and 1 are added")
    tests: Count = Field(description="inputs on which the error to the teacher is measured")
    steps: Count = Field(description="of descent, at most")
    step_size: Share = Field(description="in units of 1 / lambda_max of the kernel at the start")
    stop: Share = Field(description="loss at which descent ends, in units of that of no output")
    reached: Share = Field(description="share of the first loss to which the time is taken")
    certified: Count = Field(description="of the trials, how many have their optimum certified")
    decay: Share = Field(description="weight decay, in units of beta_max")
    tolerance: Positive = Field(description="relative gap of the convex programs")


class Options(Map):
    """Gaussian inputs: what descent reaches, by width and sample size, and where theories begin."""

    case: Literal["one_patch", "one_filter", "two_filters", "noisy"] = Field(
        description="which table"
    )


def measure(options, rng):
    return draw_map(options, rng, options.case)


def draw_map(options, rng, label, pool=None):
    """The tables of a map: of all runs, of certified optima, of where the theories begin."""
    data = draw_data(options, rng, max(options.samples), options.tests, pool)
    widths = sorted({1, options.teacher, *options.widths})
    cells = [(n, m) for n in options.samples for m in widths]
    runs, optima = [], certify_optima(options, data)
    for n, width in step.progress(cells, label=label, unit="cell"):
        start = draw_students(options, rng, width)
        runs.append(train_fixed(options, data, n, *start))
        decayed = train_decayed(options, data, n, *start, optima)
        runs[-1] = runs[-1].merge(decayed, on="seed", how="left").assign(width=width, samples=n)
    found = {
        "runs": pd.concat(runs, ignore_index=True),
        "optima": optima,
        "limits": begin_theories(options, rng, data),
    }
    return {name: table.assign(study=label) for name, table in found.items()}


def train_fixed(options, data, n, filters, weights):
    """Descent on the filters alone, beside the kernel of the start."""
    patches, y = data.patches[:, :n], data.y[:, :n]
    values, vectors = np.linalg.eigh(kernel(filters, weights, patches))
    step_size = options.step_size / np.maximum(values[:, -1], TINY)
    scale = n * (data.test_outputs**2).mean(-1) / 2
    residual = outputs(filters, weights, patches) - y
    first = (residual**2).sum(-1) / 2
    times, loss, end = np.full(len(y), np.inf), first.copy(), filters.copy()
    active, step = np.arange(len(y)), step_size
    for t in range(options.steps + 1):
        left, slope, _ = residual_and_slope(filters, weights, patches, y)
        loss[active] = (left**2).sum(-1) / 2
        times[(loss <= options.reached * first) & np.isinf(times)] = t
        going = (loss[active] > options.stop * scale[active]) & (t < options.steps)
        if not going.all():
            end[active[~going]] = filters[~going]
            active, step, filters, slope, patches, y = (
                values[going] for values in (active, step, filters, slope, patches, y)
            )
        if not active.size:
            break
        filters = filters - step[:, None, None] * slope
    along = (np.swapaxes(vectors, -1, -2) @ residual[..., None])[..., 0] ** 2
    told = outputs(end, np.broadcast_to(weights, end.shape[:2]), data.test_patches)
    errors = ((told - data.test_outputs) ** 2).mean(-1) / data.test_outputs.var(-1)
    return pd.DataFrame(
        {
            "seed": np.arange(len(loss)),
            "end_loss": loss / scale,
            "test_error": errors,
            "iterations": times,
            "kernel_iterations": frozen_times(
                along, 1 - step_size[:, None] * values, options.reached, options.steps
            ),
        }
    )


def frozen_times(along, decay, reached, steps):
    """Steps until ``sum_i along_i decay_i^(2 t)`` is `reached` of its start; inf above `steps`."""
    found = np.full(len(along), np.inf)
    goal = reached * along.sum(-1)
    for t in range(steps + 1):
        found[(along.sum(-1) <= goal) & np.isinf(found)] = t
        if np.isfinite(found).all():
            break
        along = along * decay**2
    return found


def certify_optima(options, data):
    """Certified global optima of the first trials."""
    rows = []
    seeds = range(min(options.certified, options.trials))
    for n, seed in itertools.product(options.samples, seeds):
        patches, y = data.patches[seed, :n], data.y[seed, :n]
        beta = options.decay * beta_max(patches, y)
        if beta == 0:  # no input of so few reaches the teacher: nothing is to be learned
            continue
        found = train_convex(patches, y, beta, tol=options.tolerance)
        rows.append(
            {
                "seed": seed,
                "samples": n,
                "beta": beta,
                "objective": found.objective,
                "dual_bound": found.dual_bound,
                "filters": len(found.network.weights),
            }
        )
    kinds = dict.fromkeys(["seed", "samples", "filters"], int)
    kinds |= dict.fromkeys(["beta", "objective", "dual_bound"], float)
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)


def train_decayed(options, data, n, filters, weights, optima):
    """Descent on both layers under weight decay; a step that would go up is halved."""
    known = optima[optima.samples == n].reset_index(drop=True)
    if known.empty:
        return known[["seed", "dual_bound", "objective"]]
    beta, seeds = known.beta.to_numpy(), known.seed.to_numpy()
    patches, y = data.patches[seeds, :n], data.y[seeds, :n]
    filters, weights = balance(filters[seeds], weights)

    def at(filters, weights):
        residual, *slopes = residual_and_slope(filters, weights, patches, y, both=True)
        decay = (filters**2).sum((-1, -2)) + (weights**2).sum(-1)
        return (residual**2).sum(-1) / 2 + beta / 2 * decay, *slopes

    # A dead network has no other curvature than that of its decay.
    steepest = np.maximum(largest_curvature(filters, weights, patches), beta)
    step_size = options.step_size / steepest
    objective, by_filters, by_weights = at(filters, weights)
    active, end, before = np.arange(len(seeds)), objective.copy(), objective
    for t in range(options.steps):
        move = step_size[:, None, None] * (by_filters + beta[:, None, None] * filters)
        shift = step_size[:, None] * (by_weights + beta[:, None] * weights)
        found = at(filters - move, weights - shift)
        down = found[0] <= objective
        filters = np.where(down[:, None, None], filters - move, filters)
        weights = np.where(down[:, None], weights - shift, weights)
        by_filters = np.where(down[:, None, None], found[1], by_filters)
        by_weights = np.where(down[:, None], found[2], by_weights)
        objective = np.where(down, found[0], objective)
        step_size = step_size * np.where(down, 1.05, 0.5)
        end[active] = objective
        if t % PATIENCE == PATIENCE - 1:
            going = before - objective > SETTLED * objective
            active, objective, filters, weights, by_filters, by_weights = (
                values[going]
                for values in (active, objective, filters, weights, by_filters, by_weights)
            )
            step_size, beta, patches, y = (
                values[going] for values in (step_size, beta, patches, y)
            )
            before = objective
        if not active.size:
            break
    return known[["seed", "dual_bound"]].assign(objective=end)


def largest_curvature(filters, weights, patches):
    """Largest eigenvalue of the tangent kernel of both layers."""
    hidden = np.maximum(patches @ np.swapaxes(filters, -1, -2)[:, None], 0).sum(-2)
    found = kernel(filters, weights, patches) + hidden @ np.swapaxes(hidden, -1, -2)
    return np.linalg.eigvalsh(found)[..., -1]


def begin_theories(options, rng, data):
    """By data set: curvature at the teacher for every n, and Du, Lee & Tian's condition."""
    teachers, signs = data.teachers, np.broadcast_to(data.signs, data.teachers.shape[:2])
    least = {}
    for n, patches in [(np.inf, data.test_patches)] + [
        (n, data.patches[:, :n]) for n in options.samples
    ]:
        found = tangent(teachers, signs, patches)
        hessian = np.swapaxes(found, -1, -2) @ found / patches.shape[1]
        least[n] = np.linalg.eigvalsh(hessian)[:, 0]
    conditions = [
        check_condition(patches, filters=teacher[:1], rng=rng("condition", trial))
        for trial, (patches, teacher) in enumerate(zip(data.test_patches, teachers, strict=True))
    ]
    return pd.DataFrame(
        [
            {
                "seed": seed,
                "samples": n,
                "smallest": least[n][seed],
                "population_smallest": least[np.inf][seed],
                "condition_ratio": condition.ratio.max(),
            }
            for seed, condition in enumerate(conditions)
            for n in options.samples
        ]
    )


if __name__ == "__main__":
    step.main(Options, measure, tables=("runs", "optima", "limits"))
