"""Claim 10d, Theorem 3.2: how long SGD on a stream takes, in many runs, so that rare ones are seen.

Clean labels; the steps are counted until ||w - w*|| <= tolerance, and runs stop there.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.descent import hitting_times
from workflow.scripts import step
from workflow.scripts.du2018 import stream
from workflow.scripts.step import Count, Positive


class Options(stream.Setting):
    """Claim 10d, Theorem 3.2: steps to the tolerance, in many runs."""

    trials: Count = Field(description="runs of a step")
    steps: list[Positive] = Field(min_length=1, description="step sizes")


def measure(options, rng):
    tables = []
    for eta in step.progress(options.steps, label="runs", unit="step size"):
        iterates = stream.noisy_stream(options, eta, 0.0, rng(f"eta {eta}", 0))
        times = hitting_times(
            (w[:, 0] for w in iterates),
            lambda w: np.linalg.norm(w - [1.0, 0.0], axis=-1),
            options.tolerance,
            int(options.horizon / eta),
        )
        tables.append(pd.DataFrame(dict(step=eta, run=np.arange(options.trials), iterations=times)))
    return pd.concat(tables)


if __name__ == "__main__":
    step.main(Options, measure)
