"""The toy figure: SGD with few, medium and many filters beside the convex optimum.

One instance, several starts. The clock is kept in a table of its own: iterations of the runs and
the convex solver's total time.
"""

import time
from typing import Annotated

import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    Signals,
    StochasticDescent,
    draw_patches,
    train_stochastically,
)
from workflow.scripts.step import Count, Positive


class Options(Signals, StochasticDescent):
    """Toy figure: SGD with few, medium and many filters on one instance."""

    trial: Annotated[int, Field(ge=0)] = Field(description="which instance")
    beta: Positive = Field(description="weight decay")
    widths: list[Count] = Field(min_length=1, description="numbers of filters m")


def measure(options, rng):
    patches, y = draw_patches(rng, options.trial, options)
    train_convex(patches, y, options.beta)  # warms the caches up; the second call is timed
    begun = time.perf_counter()
    optimum = train_convex(patches, y, options.beta)
    seconds = time.perf_counter() - begun
    found = {"width": len(optimum.network.weights), "iteration": 0}
    timing = [{"method": "convex", **found, "seconds": seconds}]
    values = {
        "convex": optimum.program,
        "mapped": optimum.network.objective(patches, y, options.beta),
    }
    curves = [
        {
            "method": method,
            "width": found["width"],
            "restart": 0,
            "iteration": 0,
            "objective": objective,
        }
        for method, objective in values.items()
    ]
    for width in step.progress(options.widths, label="toy", unit="width"):
        clock = []
        trained = train_stochastically(
            options,
            patches,
            y,
            options.beta,
            width,
            rng(f"{width}", options.trial),
            record_every=max(1, options.steps // 400),
            callback=lambda *_, clock=clock: clock.append(time.perf_counter()),
        )
        timing += [
            {"method": "sgd", "width": width, "iteration": t, "seconds": now - clock[0]}
            for t, now in zip(trained.iterations, clock, strict=True)
        ]
        curves += [
            {
                "method": "sgd",
                "width": width,
                "restart": restart,
                "iteration": iteration,
                "objective": objective,
            }
            for iteration, values in zip(trained.iterations, trained.trace, strict=True)
            for restart, objective in enumerate(values)
        ]
    table = pd.DataFrame(curves).assign(samples=len(y), beta=options.beta)
    return {"table": table, "timing": pd.DataFrame(timing)}


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "timing"))
