"""Claim 1: the paper's gradient identities against automatic differentiation.

Random filters, teachers and Gaussian samples; both sides use the same sample, so the identities
hold exactly, up to rounding.
"""

import json

import numpy as np
import pandas as pd
import torch

from cnntheory.du2018.neuron import convolution_gradient, empirical_gradient, neuron_gradient
from cnntheory.du2018.smoothness import sample_moments
from workflow.scripts import step


def autograd(w, w_star, z):
    """Gradient of the sample's loss by torch."""
    w, w_star, z = torch.tensor(w, requires_grad=True), torch.tensor(w_star), torch.tensor(z)
    outputs = [torch.relu(z @ filter).mean(dim=-1) for filter in (w, w_star)]
    (0.5 * ((outputs[0] - outputs[1]) ** 2).mean()).backward()
    return w.grad.numpy()


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        seed=int,
        seeds=int,
        samples=int,
        shapes=(json.loads, [[1, 2], [1, 25], [5, 2], [9, 25]]),
    )
    rows = []
    for patches, dimension in args.shapes:
        for seed in range(args.seeds):
            rng = step.generator(args.seed, "check_gradients", f"{patches}x{dimension}", seed)
            w, w_star = rng.standard_normal((2, dimension))
            z = rng.standard_normal((args.samples, patches, dimension))
            truth = autograd(w, w_star, z)
            moments = sample_moments(w, w_star, z)
            found = {
                "empirical gradient": empirical_gradient(w[None], w_star[None], z)[0],
                "convolution identity": convolution_gradient(w, w_star, moments),
            }
            if patches == 1:
                a_pp, a_pm = moments["pp,pp"], moments["pm,pm"]
                found["neuron identity"] = neuron_gradient(w, w_star, a_pp, a_pm)
                found["wrong region left out"] = neuron_gradient(w, w_star, a_pp, 0 * a_pm)
            rows += [
                dict(
                    identity=name,
                    patches=patches,
                    dimension=dimension,
                    seed=seed,
                    absolute_error=np.abs(gradient - truth).max(),
                )
                for name, gradient in found.items()
            ]
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
