"""N2, P3: which widths fit how many images."""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.allenzhu2019.kernel import TangentKernel
from cnntheory.allenzhu2019.training import descent
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, independent, numpy
from workflow.scripts.step import Count, Positive, from_rule


class Options(step.Options):
    """P3, N2: which widths fit how many images."""

    widths: list[Count] = Field(min_length=1, description="m")
    samples: list[Count] = Field(min_length=1, description="n")
    depth: Count = Field(description="L")
    trials: Count = Field(description="networks, each with images of its own")
    steps: Count = Field(description="iterations, at most")
    tolerance: Positive = Field(1e-3, description="of the loss, in units of its start")
    device: str = from_rule("cpu", description="where to compute")


def end_losses(net, trials, options):
    """Loss at the end over the one at the start ``(S,)``; infinite where it diverges."""
    # A network that is dead on all images has a zero kernel; any step leaves it as it is.
    eta = TangentKernel.at(net, trials.x).step().nan_to_num(0.0, 0.0, 0.0)
    losses = [
        numpy(state.loss)
        for state in descent(
            net, trials.x, trials.y, eta, max_iter=options.steps, tol=options.tolerance
        )
    ]
    return np.where(np.isfinite(losses[-1]), losses[-1], np.inf) / losses[0]


def measure(options, rng, pixels, digits):
    cells = [(width, n) for n in options.samples for width in options.widths]
    frames = []
    for width, n in step.progress(cells, label="success", unit="cell"):
        trials = independent(pixels, digits, n, options.trials, options.device)
        net = trials.networks(rng, f"success, width {width}", width, options.depth)
        relative = end_losses(net, trials, options)
        frames.append(
            pd.DataFrame(
                trials.frame(
                    width=width,
                    samples=n,
                    end_loss=relative,
                    converged=relative <= options.tolerance,
                )
            )
        )
    return pd.concat(frames)


if __name__ == "__main__":
    step.main(Options, measure, stream=STREAM)
