"""Z12, Z11b: from how many samples on are the kernels recovered, by steps that go to the end.

Second-order steps: a gradient descent with a poor ratio of eigenvalues is slow, and what it lacks
in steps would count as lacking samples. In every cell the n samples of a trial are the first of
its largest sample, and all starts see the same ones.
"""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.zhong2017 import draw_teacher, network_output, train_levenberg_marquardt
from workflow.scripts import step
from workflow.scripts.step import Count, Positive
from workflow.scripts.zhong2017.activations import Identifiable
from workflow.scripts.zhong2017.recover import largest_error
from workflow.scripts.zhong2017.starts import start_at_random, start_from_tensor, start_near

AtLeastOne = Annotated[float, Field(ge=1)]
Run = tuple[Literal["tensor", "random", "local"], Identifiable]


class Options(step.Options):
    """Z12 and Z11b, Theorem T5: samples needed, by second-order steps to the end."""

    case: Literal["exponents", "starts"] = Field(description="which table")
    trials: Count = Field(description="teachers with their samples and starts")
    runs: list[Run] = Field(min_length=1, description="pairs of a start and phi")
    cells: list[tuple[Count, Count, Count, AtLeastOne]] = Field(
        min_length=1, description="of k, t, r and kappa"
    )
    samples_per_unknown: list[Positive] = Field(
        min_length=1, description="grid of n / (k t), n is rounded up"
    )
    steps: Count = Field(description="at most")
    scale: Positive = Field(1.5, description="length of a random start's kernels")
    radius: Positive = Field(0.1, description="distance of a local start")


def tensor_start(patches, y, n_filters, activation):
    """The tensor start, or none (NaN) where there are too few samples for it to be defined."""
    n, k, p = patches.shape
    if n * k < n_filters * p:
        return np.full((n_filters, p), np.nan)
    return start_from_tensor(patches, y, n_filters, activation)


def measure(options, rng):
    rows = []
    cells = [(*cell, run) for cell in options.cells for run in options.runs]
    for k, t, r, kappa, (start, activation) in step.progress(
        cells, label=options.case, unit="cell"
    ):
        counts = [int(np.ceil(share * k * t)) for share in options.samples_per_unknown]
        teachers, starts, inputs = [], [], []
        for trial in range(options.trials):
            draws = rng(f"k {k}, t {t}, r {r}, kappa {kappa:g}", trial)
            teachers.append(draw_teacher(t, k, kappa, rng=draws))
            starts.append(
                {
                    "random": start_at_random(draws, (t, k), options.scale),
                    "local": start_near(draws, teachers[-1], options.radius),
                }
            )
            inputs.append(draws.standard_normal((max(counts), r, k)))
        for n in counts:
            patches = np.array([sample[:n] for sample in inputs])
            y = network_output(np.array(teachers), patches, activation)
            if start == "tensor":
                first = np.array(
                    [tensor_start(*pair, t, activation) for pair in zip(patches, y, strict=True)]
                )
            else:
                first = np.array([drawn[start] for drawn in starts])
            end, loss = first.copy(), np.full(len(first), np.inf)
            exists = np.isfinite(first).all(axis=(1, 2))
            if exists.any():
                found = train_levenberg_marquardt(
                    first[exists], patches[exists], y[exists], activation, max_iter=options.steps
                )
                end[exists], loss[exists] = found.filters, found.loss
            for trial, teacher in enumerate(teachers):
                rows.append(
                    {
                        "study": options.case,
                        "activation": activation,
                        "start": start,
                        "patch_size": k,
                        "kernels": t,
                        "patches": r,
                        "kappa": kappa,
                        "samples": n,
                        "seed": trial,
                        "start_error": largest_error(first[trial], teacher),
                        "max_error": largest_error(end[trial], teacher),
                        "end_loss": loss[trial],
                    }
                )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
