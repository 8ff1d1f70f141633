"""Claim 3: the networks mapped back from the convex solutions, evaluated by another route.

The objective is that of the network as a torch module, built from the stored filters and weights
alone. Study ``unbalanced`` (control 3x) moves all scale into the filters: the same function.
"""

import numpy as np
import pandas as pd
import torch

from cnntheory.ergen2021 import Network
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import POOLING, by_instance, draw_patches, network_from


class Options(step.Options):
    """Claim 3: the objective of the networks mapped back from the convex solutions."""


def torch_objective(network, patches, y, beta):
    """``1/2 |f - y|^2 + beta/2 (|u|^2 + |w|^2)`` from the torch module's own parameters."""
    module = network.to_torch()
    with torch.no_grad():
        residual = module(torch.as_tensor(patches)) - torch.as_tensor(y)
        decay = sum((p**2).sum() for p in module.parameters())
        return float((residual @ residual + beta * decay) / 2)


def unbalanced(filters, weights):
    """The same function with output weights +1 and -1."""
    return filters * np.abs(weights)[:, None], np.sign(weights)


def measure(options, rng, networks, convex):
    networks = by_instance(networks)
    rows = []
    for instance in convex.itertuples():
        patches, y = draw_patches(rng, instance.seed, instance)
        balanced = network_from(
            networks[instance.architecture, instance.seed, instance.beta_fraction]
        )
        for study, weights in (("mapped", balanced), ("unbalanced", unbalanced(*balanced))):
            network = Network(*weights, POOLING[instance.architecture])
            rows.append(
                {
                    "architecture": instance.architecture,
                    "study": study,
                    "seed": instance.seed,
                    "beta": instance.beta,
                    "beta_fraction": instance.beta_fraction,
                    "filters": len(weights[1]),
                    "program": instance.program,
                    "objective": torch_objective(network, patches, y, instance.beta),
                }
            )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
