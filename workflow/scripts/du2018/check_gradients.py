"""Claim 1: the paper's gradient identities against automatic differentiation.

Random filters, teachers and Gaussian samples; both sides use the same sample, so the identities
hold exactly, up to rounding.
"""

from typing import Annotated

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from cnntheory.du2018.neuron import convolution_gradient, empirical_gradient, neuron_gradient
from cnntheory.du2018.smoothness import sample_moments
from workflow.scripts import step
from workflow.scripts.step import Count


def autograd(w, w_star, z):
    """Gradient of the sample's loss by torch."""
    w, w_star, z = torch.tensor(w, requires_grad=True), torch.tensor(w_star), torch.tensor(z)
    outputs = [torch.relu(z @ filter).mean(dim=-1) for filter in (w, w_star)]
    (0.5 * ((outputs[0] - outputs[1]) ** 2).mean()).backward()
    return w.grad.numpy()


def identities(w, w_star, z):
    """Name to gradient of the sample's loss, by every formula of the paper that applies."""
    moments = sample_moments(w, w_star, z)
    found = {
        "empirical gradient": empirical_gradient(w[None], w_star[None], z)[0],
        "convolution identity": convolution_gradient(w, w_star, moments),
    }
    if z.shape[1] == 1:
        a_pp, a_pm = moments["pp,pp"], moments["pm,pm"]
        found["neuron identity"] = neuron_gradient(w, w_star, a_pp, a_pm)
        found["wrong region left out"] = neuron_gradient(w, w_star, a_pp, 0 * a_pm)
    return found


class Options(step.Options):
    """Claim 1: gradient identities."""

    trials: Count = Field(description="filters, teachers and samples drawn for each shape")
    samples: Count = Field(description="inputs of a sample")
    shapes: list[Annotated[list[Count], Field(min_length=2, max_length=2)]] = Field(
        [[1, 2], [1, 25], [5, 2], [9, 25]],
        min_length=1,
        description="pairs (patches k, dimension p)",
    )


def measure(options, rng):
    rows = []
    for patches, dimension in options.shapes:
        for trial in range(options.trials):
            draws = rng(f"{patches}x{dimension}", trial)
            w, w_star = draws.standard_normal((2, dimension))
            z = draws.standard_normal((options.samples, patches, dimension))
            truth = autograd(w, w_star, z)
            rows += [
                dict(
                    identity=name,
                    patches=patches,
                    dimension=dimension,
                    seed=trial,
                    absolute_error=np.abs(gradient - truth).max(),
                )
                for name, gradient in identities(w, w_star, z).items()
            ]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
