"""Z9, N4, N5: error of the tensor initialisation against the number of samples.

One study a table, each a grid of the options: ``size`` (Z9: error and span against n for several
k), ``patches`` (Z9c: several r on the same teachers and patches), ``activation`` and ``centre``
(reported), ``order`` (N4: moments that vanish), ``law`` (N5: inputs that are not Gaussian). In
every cell the n samples are the first of the largest sample.
"""

import json
import warnings
from itertools import product

import numpy as np
import pandas as pd

from cnntheory.zhong2017 import (
    draw_teacher,
    moment_orders,
    network_output,
    recovery_error,
    tensor_initialise,
)
from workflow.scripts import step

CENTRES = {"regression": True, "mean": "mean", "nothing": False}


def draw_inputs(rng, law, shape):
    """Independent entries of mean 0 and variance 1."""
    if law == "gaussian":
        return rng.standard_normal(shape)
    if law == "uniform":
        return rng.uniform(-np.sqrt(3), np.sqrt(3), shape)
    if law == "laplace":
        return rng.laplace(0, np.sqrt(1 / 2), shape)
    raise ValueError(f"laws: expected gaussian, uniform or laplace, found {law!r}")


def subspace_error(W, teacher):
    """Sine of the largest angle between the spans of the columns."""
    V, V_star = np.linalg.qr(W)[0], np.linalg.qr(teacher)[0]
    return np.linalg.norm(V_star - V @ (V.T @ V_star), 2)


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        study=str,
        seed=int,
        seeds=int,
        samples=json.loads,
        patch_sizes=json.loads,
        kernels=int,
        patches=json.loads,
        activations=json.loads,
        laws=(json.loads, ["gaussian"]),
        centres=(json.loads, ["regression"]),
        orders=(json.loads, {}),
    )
    cells = list(product(args.patch_sizes, args.laws, range(args.seeds)))
    rows = []
    for k, law, seed in step.progress(cells, label=args.study, unit="sample"):
        rng = step.generator(args.seed, "tensor_initialise", f"k {k}", seed)
        teacher = draw_teacher(rng, k, args.kernels)
        inputs = draw_inputs(rng, law, (max(args.samples), max(args.patches) * k))
        for r, activation in product(args.patches, args.activations):
            x = np.ascontiguousarray(inputs[:, : r * k])
            y = network_output(teacher, x, activation)
            orders = args.orders.get(activation, [moment_orders(activation)])
            for n, centre, order in product(args.samples, args.centres, orders):
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always", RuntimeWarning)
                    W = tensor_initialise(
                        x[:n],
                        y[:n],
                        args.kernels,
                        k,
                        activation,
                        center=CENTRES[centre],
                        orders=tuple(order),
                    )
                largest, distance = recovery_error(W, teacher)
                rows.append(
                    {
                        "study": args.study,
                        "activation": activation,
                        "law": law,
                        "centre": centre,
                        "orders": "M_{} and M_{}".format(*order),
                        "usual": tuple(order) == moment_orders(activation),
                        "patch_size": k,
                        "kernels": args.kernels,
                        "patches": r,
                        "samples": n,
                        "seed": seed,
                        "max_error": largest,
                        "distance": distance,
                        "subspace_error": subspace_error(W, teacher),
                        "lost": bool(caught),
                    }
                )
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
