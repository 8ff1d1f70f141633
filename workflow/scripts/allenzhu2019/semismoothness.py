"""P5: the residual of semi-smoothness and its two terms, at several times of a run.

Five kinds of perturbation W': a step down and up the gradient, a gaussian, a rank-one and an
adversarial one. The radius omega is the larger of ||W - W(0)||_2 and ||W'||_2.
"""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.allenzhu2019 import perturb
from cnntheory.allenzhu2019.kernel import TangentKernel
from cnntheory.allenzhu2019.networks import forward
from cnntheory.allenzhu2019.training import descent, movement
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, independent, numpy
from workflow.scripts.step import Count, Positive, from_rule


class Options(step.Options):
    """P5: semi-smoothness along the path of descent."""

    widths: list[Count] = Field(min_length=1, description="m")
    depth: Count = Field(description="L")
    samples: Count = Field(description="n")
    trials: Count = Field(description="networks with images of their own")
    smallest: Positive = Field(description="spectral norm of W'")
    largest: Positive = Field(description="spectral norm of W'")
    sizes: Count = Field(description="how many spectral norms")
    times: list[Annotated[int, Field(ge=0)]] = Field(
        min_length=1, description="iterations at which it is measured"
    )
    device: str = from_rule("cpu", description="where to compute")


def at_one_time(net, start, trials, sizes, rngs):
    """Rows of one time of the run."""
    signals = forward(net, trials.x)
    residual = signals.outputs - trials.y[..., None]
    radius = movement(net, start)[0].amax(dim=-1)
    directions = {
        "down the gradient": perturb.gradient(net, signals, residual, sign=-1),
        "up the gradient": perturb.gradient(net, signals, residual, sign=1),
        "gaussian": perturb.gaussian(net, rngs),
        "rank one": perturb.rank_one(net, signals, rngs),
        "adversary": perturb.adversarial_direction(net, trials.x, sizes[len(sizes) // 2 :][:1]),
    }
    for kind, direction in directions.items():
        found = perturb.semismoothness(net, trials.x, trials.y, direction, sizes, radius)
        for s, (rest, kink, smooth) in enumerate(zip(*map(numpy, found), strict=True)):
            yield pd.DataFrame(
                dict(
                    perturbation=kind,
                    omega=sizes,
                    seed=trials.seed[s],
                    residual=rest,
                    kink_term=kink,
                    smooth_term=smooth,
                    spectral_movement=numpy(radius)[s],
                )
            )


def measure(options, rng, pixels, digits):
    trials = independent(pixels, digits, options.samples, options.trials, options.device)
    sizes = np.geomspace(options.smallest, options.largest, options.sizes)
    frames = []
    for width in step.progress(options.widths, label="semi-smoothness", unit="width"):
        net = trials.networks(rng, f"width {width}", width, options.depth)
        start, rngs = net.copy(), trials.rngs(rng, "semismoothness")
        eta = TangentKernel.at(net, trials.x).step()
        for state in descent(net, trials.x, trials.y, eta, max_iter=max(options.times)):
            if state.iteration in options.times:
                for rows in at_one_time(state.network, start, trials, sizes, rngs):
                    frames.append(
                        rows.assign(
                            width=width,
                            depth=options.depth,
                            samples=options.samples,
                            iteration=state.iteration,
                        )
                    )
    return pd.concat(frames)


if __name__ == "__main__":
    step.main(Options, measure, stream=STREAM)
