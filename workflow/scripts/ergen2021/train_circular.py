"""Claims 9b, 9x-9z: restarts of descent on circular networks beside the spectral l1 program.

Cases: ``three`` (L = 3, one filter of full length), ``product`` (L = 4, the product of the filters
bounded), ``short`` (control 9y: filters shorter than the signal), ``layers`` (control 9z: L = 4,
each filter bounded by itself). The decay beta is set so that beta / kappa, and with it the program,
is the same in all cases; column wrong_program is its value with kappa = 1 (control 9x).
"""

import math
from typing import Literal

import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import Circular, beta_max, relax, train_baselines, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    TOLERANCES,
    Descent,
    Length,
    draw_signals,
    groups,
)
from workflow.scripts.step import Count, Share

# Number of layers and what is bounded.
CASES = {
    "three": (3, "filter"),
    "product": (4, "product"),
    "short": (3, "filter"),
    "layers": (4, "filter"),
}


class Options(Descent):
    """Claims 9b, 9x-9z: descent on circular networks, L = 3 and L = 4, beside their program."""

    case: Literal["three", "product", "short", "layers"]
    trials: Count = Field(description="instances")
    samples: Count = Field(description="n, signals of an instance")
    dimension: Length = Field(description="d, length of a signal")
    filter_length: Count | None = Field(None, description="of `short`; d unless given")
    fraction: Share = Field(description="beta in units of beta_max")


def measure(options, rng):
    d, circular = options.dimension, Circular(*CASES[options.case])
    kappa, known = circular.kappa(d), dict(architecture=circular, tol=TOLERANCES["circular"])
    rows = []
    progress = step.progress(range(options.trials), label=options.case, unit="instance")
    for seeds in groups(progress):
        problems = []
        for seed in seeds:
            X, y = draw_signals(rng, seed, options.samples, d)
            unit = options.fraction * beta_max(X, y, architecture="circular") / math.sqrt(d)
            problems.append((X, y, unit * kappa))
        found = train_baselines(
            *zip(*problems, strict=True),
            architecture=circular,
            width=2 * options.samples,
            restarts=options.restarts,
            max_iter=options.steps,
            step=options.step_size,
            rng=[rng(options.case, seed) for seed in seeds],
            filter_length=options.filter_length,
        )
        for seed, problem, trained in zip(seeds, problems, found, strict=True):
            program = train_convex(*problem, **known)
            wrong = program if kappa == 1 else relax(*problem, penalty="spectral", **known)
            rows += [
                {
                    "study": options.case,
                    "seed": seed,
                    "samples": options.samples,
                    "dimension": d,
                    "beta": problem[-1],
                    "restart": restart,
                    "objective": objective,
                    "program": program.program,
                    "wrong_program": wrong.program,
                    "gap": program.gap,
                }
                for restart, objective in enumerate(trained.objective)
            ]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
