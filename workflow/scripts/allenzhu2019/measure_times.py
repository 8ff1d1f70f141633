"""P3, P4: iterations until the loss has fallen to 1e-3, beside those of the frozen kernel.

Measured too: the lower edge of ``rho = ||grad F||^2 / (F m)``, least on the path, and for the
worst residual, the bottom eigenvector of the kernel, ``2 lambda_min / m`` at start and end.

Varies the width, the number of images, the depth, or the distance delta of random pairs of inputs
with opposite labels (then the inputs are synthetic and `subset` numbers them).
"""

from typing import Annotated, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from cnntheory.allenzhu2019.inputs import pairs, separation
from cnntheory.allenzhu2019.kernel import FrozenKernel, TangentKernel
from cnntheory.allenzhu2019.networks import forward
from cnntheory.allenzhu2019.training import descent, movement
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, Trials, crossing, independent, numpy
from workflow.scripts.step import Count, Positive, from_rule


class Options(step.Options):
    """P3: iterations until the loss has fallen, measured and predicted."""

    case: Literal["samples", "depth", "pairs", "wide_pairs", "kernel_pairs"] = Field(
        description="what is varied"
    )
    widths: list[Count] = Field(min_length=1, description="m")
    depths: list[Count] = Field(min_length=1, description="L")
    samples: list[Count] = Field(min_length=1, description="n")
    together: Count = Field(12, description="trials that are in memory at a time")
    trials: Count = Field(description="networks, each with images or random pairs of its own")
    distances: list[Annotated[float, Field(gt=0, le=1.4)]] = Field(
        [],
        min_length=2,
        description="delta of random pairs with opposite labels (then no images are used)",
    )
    untrained: list[Annotated[float, Field(gt=0, le=1.4)]] = Field(
        [], description="further delta, for which only the kernel is computed"
    )
    dimension: Count = Field(196, description="of the random pairs")
    steps: Count = Field(description="iterations, at most")
    tolerance: Positive = Field(1e-3, description="of the loss, in units of its start")
    device: str = from_rule("cpu", description="where to compute")


def paired_inputs(options, rng):
    """Trials on random pairs, one batch of them for every distance."""
    distances = options.distances + options.untrained
    seed = np.arange(options.trials)
    drawn = [
        pairs(
            rng("pairs", s, stream="measure_times"),
            options.samples[0] // 2,
            options.dimension,
            distances,
        )
        for s in seed
    ]
    x = np.stack([inputs for inputs, _ in drawn], axis=1)
    y = torch.as_tensor(np.stack([labels for _, labels in drawn]), device=options.device)
    for distance, inputs in zip(distances, x, strict=True):
        on_device = torch.as_tensor(inputs, device=options.device)
        yield distance, Trials(seed, seed, on_device, y, separation(inputs))


def train_trials(options, rng, width, depth, trials):
    """Rows of one setting."""
    net = trials.networks(rng, f"width {width}", width, depth)
    start, frozen = net.copy(), FrozenKernel.at(net, trials.x, trials.y)
    found = from_kernel(frozen, trials, net, options)
    max_iter, tol = options.steps, options.tolerance
    losses, ratios = [], []
    for state in descent(net, trials.x, trials.y, frozen.step, max_iter=max_iter, tol=tol):
        losses.append(numpy(state.loss))
        ratios.append(numpy(state.gradient_squares).sum(axis=-1) / losses[-1] / width)
    return found.assign(
        iterations=crossing(losses, tol),
        spectral_movement=numpy(movement(net, start)[0]).max(axis=-1),
        least_ratio=np.min(ratios, axis=0),
        end_lambda_min=bottom(TangentKernel.at(net, trials.x)) / width,
    )


def from_kernel(frozen, trials, net, options):
    """Rows of what follows from the kernel and the outputs at the start."""
    time, width = frozen.iterations(options.tolerance), net.B.shape[-1]
    found = dict(lambda_min=bottom(frozen.kernel) / width, kernel_iterations=numpy(time))
    names = trials.frame(width=width, depth=net.depth, samples=trials.x.shape[1])
    return pd.DataFrame(names | found)


def bottom(kernel):
    """Least eigenvalue of every trial's kernel, at least rounding."""
    values = numpy(kernel.eigenvalues)
    return np.maximum(values[:, 0], np.finfo(float).eps * values[:, -1])


def only_kernels(options, rng, width, depth, inputs):
    """Rows of several distances without training: one network sees the inputs of all of them."""
    first = inputs[0][1]
    net = first.networks(rng, f"width {width}", width, depth)
    x = torch.cat([trials.x for _, trials in inputs], dim=1)
    whole, outputs, n = TangentKernel.at(net, x).matrix, forward(net, x).outputs, first.x.shape[1]
    for k, (distance, trials) in enumerate(inputs):
        own = slice(k * n, (k + 1) * n)
        frozen = TangentKernel(whole[:, own, own]).frozen(outputs[:, own], trials.y)
        yield from_kernel(frozen, trials, net, options).assign(delta=distance)


def measure(options, rng, pixels, digits):
    if options.distances or options.untrained:
        inputs = list(paired_inputs(options, rng))
    else:
        inputs = [
            (np.nan, independent(pixels, digits, n, options.trials, options.device))
            for n in options.samples
        ]
    networks = [(width, depth) for width in options.widths for depth in options.depths]
    trained = [(x, t) for x, t in inputs if x not in options.untrained]
    cells = [(x, t, *network) for x, t in trained for network in networks]
    frames = [
        train_trials(options, rng, width, depth, some).assign(delta=distance)
        for distance, trials, width, depth in step.progress(cells, label="times", unit="cell")
        for some in trials.chunks(options.together)
    ]
    rest = [(distance, t.chunks(options.together)) for distance, t in inputs[len(trained) :]]
    for chunk in range(len(rest[0][1]) if rest else 0):
        several = [(distance, parts[chunk]) for distance, parts in rest]
        for network in networks:
            frames += only_kernels(options, rng, *network, several)
    table = pd.concat(frames, ignore_index=True)
    synthetic = options.distances or options.untrained
    return table.assign(data="synthetic") if synthetic else table


if __name__ == "__main__":
    step.main(Options, measure, stream=STREAM)
