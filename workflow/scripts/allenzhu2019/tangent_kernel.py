"""The tangent kernel at initialisation beside its infinite-width limit, both over the width."""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.allenzhu2019.kernel import TangentKernel
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, numpy, on_images
from workflow.scripts.step import Count, from_rule


class Options(step.Options):
    """The tangent kernel at initialisation beside its limit."""

    widths: list[Count] = Field(min_length=1, description="m")
    depth: Count = Field(description="L")
    samples: Count = Field(description="n")
    trials: Count = Field(description="seeds of the weights")
    device: str = from_rule("cpu", description="where to compute")


def measure(options, rng, pixels, digits):
    trials = on_images(pixels, digits, options.samples, options.trials, device=options.device)
    limit = numpy(TangentKernel.limit(trials.x[0], options.depth).matrix)
    ends = np.linalg.eigvalsh(limit)[[0, -1]]
    rows = []
    cells = [(width, s) for width in options.widths for s in range(options.trials)]
    for width, s in step.progress(cells, label="kernel", unit="network"):
        trial = trials.one(s)
        net = trial.networks(rng, f"width {width}", width, options.depth)
        kernel = numpy(TangentKernel.at(net, trial.x).matrix)[0] / width
        values = np.linalg.eigvalsh(kernel)
        rows.append(
            dict(
                width=width,
                depth=options.depth,
                samples=options.samples,
                seed=s,
                lambda_min=values[0],
                lambda_max=values[-1],
                limit_min=ends[0],
                limit_max=ends[1],
                kernel_gap=np.linalg.norm(kernel - limit) / np.linalg.norm(limit),
            )
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure, stream=STREAM)
