"""P9, P11, N3, N4: signals of networks at initialisation.

Studies: ``direct`` (rms of log ||h_l||^2 over a block of draws of W_l h_{l-1} given h_{l-1}, which
have the law of networks), ``norms`` (||h_l|| of one image in whole networks), ``variances``
(the same with weights of variance c / m),
``backward`` (||B D_L W_L .. D_a W_a||, by layer a, of networks drawn as far as the images see them:
the same law), ``product`` (||W_b D_{b-1} .. D_a W_a||_2, by the number of layers), ``residual``
(||h_L|| of residual networks with skip scale tau).
"""

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from cnntheory.allenzhu2019 import conditioned
from cnntheory.allenzhu2019.initialisation import (
    drawn_norms,
    drawn_signals,
    log_growth,
    product_norms,
)
from cnntheory.allenzhu2019.networks import forward, residual
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, independent, numpy
from workflow.scripts.step import Count, Positive, from_rule


class Options(step.Options):
    """P9, P11, N3, N4: signals of networks at initialisation."""

    blocks: Count = Field(description="of direct draws, what is resampled")
    block: Count = Field(description="direct draws in each")
    trials: Count = Field(description="whole networks that the direct draws are checked against")
    backward_trials: Count = Field(description="trials of the backward vectors")
    backward_networks: Count = Field(description="networks of such a trial, averaged")
    few_trials: Count = Field(description="networks of the controls and products")
    samples: Count = Field(description="images of the backward vectors")
    widths: list[Count] = Field(min_length=1, description="m")
    depth: Count = Field(description="L")
    variances: list[Positive] = Field(
        min_length=1, description="c of weights drawn with variance c / m"
    )
    product_width: Count = Field(description="m of the products of layers")
    product_depths: list[Count] = Field(min_length=1, description="their numbers of layers")
    residual_width: Count = Field(description="m of the residual networks")
    residual_depths: list[Count] = Field(min_length=1, description="their L")
    device: str = from_rule("cpu", description="where to compute")


def direct(options, rng, trials):
    """Root mean squares of log ||h_l||^2, a block of draws at a time: no network is drawn."""
    for width in step.progress(options.widths, label="direct", unit="width"):
        for block in range(options.blocks):
            found = drawn_norms(rng(f"direct {width}", block), options.block, width, options.depth)
            yield dict(
                study="direct",
                width=width,
                depth=options.depth,
                variance=2.0,
                seed=block,
                layer=np.arange(options.depth + 1),
                value=2 * np.sqrt((np.log(found) ** 2).mean(axis=0)),
                draws=options.block,
            )


def norms(options, rng, trials):
    """Norms of the layers of one image, a trial at a time: no network is kept."""
    depth = options.depth
    for width in step.progress(options.widths, label="norms", unit="width"):
        for s, trial in enumerate(trials):
            cells = [("norms", 2.0)] if s < options.trials else []
            if s < options.few_trials:
                cells.append(("norms", 1.0))
                if width == max(options.widths):
                    cells += [("variances", c) for c in options.variances]
            if not cells:
                continue
            # The variances share the draws, of which a network costs most.
            layers = drawn_signals(
                trial.rngs(rng, f"initialise {width}"),
                trial.x[:, :1].expand(-1, len(cells), -1),
                width,
                depth,
                variance=[variance for _, variance in cells],
            )
            found = np.array([numpy(torch.linalg.vector_norm(h[0], dim=1)) for h in layers])
            for (study, variance), value in zip(cells, found.T, strict=True):
                yield dict(
                    study=study,
                    width=width,
                    depth=depth,
                    variance=variance,
                    seed=s,
                    layer=np.arange(depth + 1),
                    value=value,
                )


def backward(options, rng, trials):
    """Norms of the backward vectors, a median over the images and a mean over some networks."""
    counts = {2.0: options.backward_trials, 3.0: options.few_trials}
    cells = [(width, variance) for width in options.widths for variance in counts]
    for width, variance in step.progress(cells, label="backward", unit="cell"):
        for s, trial in enumerate(trials[: counts[variance]]):
            x, found = numpy(trial.x[0]), []
            for k in range(options.backward_networks):
                # Both variances share the draws: a matrix is drawn and then scaled.
                (own,) = trial.rngs(rng, f"backward {width} {k}")
                norms = conditioned.backward_norms(own, x, width, options.depth, variance)
                found.append(np.median(norms, axis=-1))
            yield dict(
                study="backward",
                width=width,
                depth=options.depth,
                variance=variance,
                seed=s,
                layer=np.arange(1, options.depth + 1),
                value=np.mean(found, axis=0) / np.sqrt(width),
            )


def products(options, rng, trials):
    """Spectral norms of products of layers."""
    width, depths = options.product_width, options.product_depths
    few = trials[: options.few_trials]
    for s, trial in enumerate(step.progress(few, label="products", unit="seed")):
        net = trial.networks(rng, f"initialise {width}", width, max(depths))
        signals = forward(net, trial.x)
        yield dict(
            study="product",
            width=width,
            depth=depths,
            variance=2.0,
            seed=s,
            layer=depths,
            value=[float(product_norms(net, signals, 0, 1, depth)[0]) for depth in depths],
        )


def residuals(options, rng, trials):
    """Norms of the last layer of residual networks, over those of the first."""
    width, few = options.residual_width, trials[: options.few_trials]
    for depth in step.progress(options.residual_depths, label="residual", unit="depth"):
        for scale, tau in (("1 / L", 1 / depth), ("1", 1.0)):
            for s, trial in enumerate(few):
                rngs, inputs = trial.rngs(rng, f"residual {depth}"), trial.x.shape[-1]
                net = residual(rngs, inputs, width, depth, skip_scale=tau, device=options.device)
                hidden = forward(net, trial.x[:, :1]).hidden
                first, last = (float(torch.linalg.vector_norm(h)) for h in (hidden[0], hidden[-1]))
                yield dict(
                    study="residual",
                    width=width,
                    depth=[depth],
                    variance=2.0,
                    seed=s,
                    layer=depth,
                    value=last / first,
                    skip_scale=scale,
                )


def measure(options, rng, pixels, digits):
    count = max(options.trials, options.backward_trials, options.few_trials)
    batch = independent(pixels, digits, options.samples, count, options.device)
    trials = [batch.one(s) for s in range(count)]
    parts = (direct, norms, backward, products, residuals)
    frames = [pd.DataFrame(rows) for part in parts for rows in part(options, rng, trials)]
    table = pd.concat(frames, ignore_index=True)
    norms_of = table.study.isin(["direct", "norms"])
    return table.assign(
        skip_scale=table.skip_scale.fillna("none"),
        predicted=law(table.width, table.layer).where(norms_of & (table.variance == 2)),
    )


def law(width, layer):
    """rms of log ||h_l||^2 by its exact law, with weights of variance 2 / m."""
    mean, variance = (width.map({m: log_growth(int(m))[i] for m in set(width)}) for i in (0, 1))
    return np.sqrt((layer + 1) * variance + ((layer + 1) * mean) ** 2)


if __name__ == "__main__":
    step.main(Options, measure, stream=STREAM)
