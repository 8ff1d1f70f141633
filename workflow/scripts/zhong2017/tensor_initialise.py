"""Z9, Z9d, N4, N5: error of the tensor initialisation against the number of samples.

One case a table, each a grid of the options: ``size`` (Z9: error and span against n for several
k), ``patches`` (Z9c: several r on the same teachers and patches), ``activation`` and ``centre``
(reported), ``order`` (N4: moments that vanish), ``law`` (N5: inputs that are not Gaussian),
``published`` (Z9d: the recipe as published, by all patches or by the first alone),
``decomposition`` (Z9dx: another one of the same tensor, on the samples of ``published``). In every
cell the n samples are the first of the largest sample.
"""

import warnings
from itertools import product
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.zhong2017 import (
    as_activation,
    draw_teacher,
    network_output,
    recovery_error,
    tensor_initialise,
)
from workflow.scripts import step
from workflow.scripts.step import Count
from workflow.scripts.zhong2017.activations import Identifiable

CENTRES = {"regression": True, "mean": "mean", "nothing": False}
Orders = Annotated[list[tuple[Literal[2, 3], Literal[3, 4]]], Field(min_length=1)]


class Options(step.Options):
    """Z9, Z9d, N4 and N5, Theorem T4: the error of tensor initialisation."""

    case: Literal[
        "size", "patches", "activation", "centre", "order", "law", "published", "decomposition"
    ] = Field(description="which table")
    trials: Count = Field(description="teachers with their samples")
    activations: list[Identifiable] = Field(min_length=1, description="phi")
    samples: list[Count] = Field(min_length=2, description="grid of n")
    patch_sizes: list[Count] = Field(min_length=1, description="grid of k")
    kernels: Count = Field(description="t")
    patches: list[Count] = Field(min_length=1, description="grid of r")
    laws: list[Literal["gaussian", "uniform", "laplace"]] = Field(
        ["gaussian"], min_length=1, description="of the inputs' entries"
    )
    centres: list[Literal["regression", "mean", "nothing"]] = Field(
        ["regression"], min_length=1, description="what is taken off the labels"
    )
    methods: list[Literal["kcl", "jennrich", "published", "first patch"]] = Field(
        ["kcl"],
        min_length=1,
        description="ours by two decompositions; as published, by all patches or the first alone",
    )
    orders: dict[Literal["relu", "tanh"], Orders] = Field(
        {}, description="of the moments, by activation, where not those that do not vanish"
    )


def draw_inputs(rng, law, shape):
    """Independent entries of mean 0 and variance 1."""
    if law == "gaussian":
        return rng.standard_normal(shape)
    if law == "uniform":
        return rng.uniform(-np.sqrt(3), np.sqrt(3), shape)
    return rng.laplace(0, np.sqrt(1 / 2), shape)


def subspace_error(filters, teacher):
    """Sine of the largest angle between the spans of the filters."""
    V, V_star = np.linalg.qr(filters.T)[0], np.linalg.qr(teacher.T)[0]
    return np.linalg.norm(V_star - V @ (V.T @ V_star), 2)


def estimate(patches, y, teacher, activation, centre, orders, method):
    """The tensor initialisation's errors, and whether the signal is lost in the noise."""
    if method == "first patch":
        patches, method = patches[:, :1], "published"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        start = tensor_initialise(
            patches,
            y,
            len(teacher),
            activation,
            method=method,
            center=CENTRES[centre],
            orders=orders,
        )
    largest, distance = recovery_error(start.filters, teacher)
    return {
        "max_error": largest,
        "distance": distance,
        "subspace_error": subspace_error(start.filters, teacher),
        "lost": bool(start.weak),
    }


def measure(options, rng):
    cells = list(product(options.patch_sizes, options.laws, range(options.trials)))
    rows = []
    for k, law, trial in step.progress(cells, label=options.case, unit="sample"):
        draws = rng(f"k {k}", trial)
        teacher = draw_teacher(options.kernels, k, rng=draws)
        inputs = draw_inputs(draws, law, (max(options.samples), max(options.patches), k))
        for r, activation in product(options.patches, options.activations):
            patches = np.ascontiguousarray(inputs[:, :r])
            y = network_output(teacher, patches, activation)
            usual = as_activation(activation).orders
            choices = options.orders.get(activation, [usual])
            for n, centre, orders, method in product(
                options.samples, options.centres, choices, options.methods
            ):
                setting = {
                    "study": options.case,
                    "activation": activation,
                    "law": law,
                    "centre": centre,
                    "method": method,
                    "orders": "M_{} and M_{}".format(*orders),
                    "usual": orders == usual,
                    "patch_size": k,
                    "kernels": options.kernels,
                    "patches": r,
                    "samples": n,
                    "seed": trial,
                }
                found = estimate(patches[:n], y[:n], teacher, activation, centre, orders, method)
                rows.append(setting | found)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
