"""P9, P11, N3, N4: signals of networks at initialisation.

Studies: ``norms`` (||h_l|| of one image), ``variances`` (the same with weights of variance c / m),
``backward`` (||B D_L W_L .. D_a W_a||, by layer a), ``product`` (||W_b D_{b-1} .. D_a W_a||_2, by
the number of layers), ``residual`` (||h_L|| of residual networks with skip scale tau).
"""

import json

import numpy as np
import pandas as pd
import torch

from cnntheory.allenzhu2019 import (
    backward_products,
    forward,
    initial_signals,
    product_norms,
    residual,
)
from workflow.scripts import step
from workflow.scripts.allenzhu2019 import trials as shared
from workflow.scripts.allenzhu2019.trials import numpy


def norms(args, trials, study, width, depth, variance, seeds):
    """Norms of the layers of one image, a seed at a time: no network is kept."""
    for s in range(seeds):
        trial = trials.one(s)
        rngs = trial.rngs(args.seed, f"initialise {width}")
        layers = initial_signals(rngs, trial.x[:, :1], width, depth, variance=variance)
        yield pd.DataFrame(
            dict(
                study=study,
                width=width,
                depth=depth,
                variance=variance,
                seed=s,
                layer=np.arange(depth + 1),
                value=[float(torch.linalg.vector_norm(h)) for h in layers],
            )
        )


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        **shared.OPTIONS,
        seeds=int,
        backward_seeds=int,
        few_seeds=int,
        samples=int,
        widths=json.loads,
        depth=int,
        variances=json.loads,
        product_width=int,
        product_depths=json.loads,
        residual_width=int,
        residual_depths=json.loads,
    )
    trials = shared.load(args, args.samples, args.seeds, 1)
    every = [trials.one(s) for s in range(args.seeds)]
    few = every[: args.few_seeds]
    many = every[: args.backward_seeds]
    cells = [("norms", width, 2.0, args.seeds) for width in args.widths]
    cells += [("norms", width, 1.0, args.few_seeds) for width in args.widths]
    cells += [("variances", max(args.widths), c, args.few_seeds) for c in args.variances]
    frames = [
        rows
        for study, width, variance, seeds in step.progress(cells, label="norms", unit="cell")
        for rows in norms(args, trials, study, width, args.depth, variance, seeds)
    ]

    for width in step.progress(args.widths, label="backward", unit="width"):
        for variance, trials_of in ((2.0, many), (3.0, few)):
            for s, trial in enumerate(trials_of):
                group = f"initialise {width}"
                net = trial.networks(args.seed, group, width, args.depth, variance=variance)
                found = numpy(backward_products(net, forward(net, trial.x)))[0]
                frames.append(
                    pd.DataFrame(
                        dict(
                            study="backward",
                            width=width,
                            depth=args.depth,
                            variance=variance,
                            seed=s,
                            layer=np.arange(1, args.depth + 1),
                            value=np.median(found, axis=-1) / np.sqrt(width),
                        )
                    )
                )

    deepest = max(args.product_depths)
    for s, trial in enumerate(step.progress(few, label="products", unit="seed")):
        width = args.product_width
        net = trial.networks(args.seed, f"initialise {width}", width, deepest)
        signals = forward(net, trial.x)
        for depth in args.product_depths:
            value = float(product_norms(net, signals, 0, 1, depth)[0])
            frames.append(
                pd.DataFrame(
                    [
                        dict(
                            study="product",
                            width=width,
                            depth=depth,
                            variance=2.0,
                            seed=s,
                            layer=depth,
                            value=value,
                        )
                    ]
                )
            )

    for depth in step.progress(args.residual_depths, label="residual", unit="depth"):
        for scale in ("1 / L", "1"):
            for s, trial in enumerate(few):
                tau = 1.0 if scale == "1" else 1 / depth
                rngs, inputs = trial.rngs(args.seed, f"residual {depth}"), trial.x.shape[-1]
                net = residual(
                    rngs,
                    inputs,
                    args.residual_width,
                    depth,
                    skip_scale=tau,
                    device=args.device,
                )
                hidden = forward(net, trial.x[:, :1]).hidden
                first, last = (float(torch.linalg.vector_norm(h)) for h in (hidden[0], hidden[-1]))
                frames.append(
                    pd.DataFrame(
                        [
                            dict(
                                study="residual",
                                width=args.residual_width,
                                depth=depth,
                                variance=2.0,
                                skip_scale=scale,
                                seed=s,
                                layer=depth,
                                value=last / first,
                            )
                        ]
                    )
                )
    table = pd.concat(frames)
    table["skip_scale"] = table.skip_scale.fillna("none")
    step.write_table(table, args.table, args, trials.data)


if __name__ == "__main__":
    step.main(run)
