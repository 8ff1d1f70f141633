"""Claim 9: frequencies of the circular network's filters under spectral l1 and group l2 norms.

Signals of low rank, so that the number of sign patterns stays small at d = 16 and 32.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import beta_max, enumerate_cells, relax
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import TOLERANCES, low_rank
from workflow.scripts.step import Count, Share

PENALTIES = ("spectral", "group")


class Options(step.Options):
    """Claim 9: frequencies of the circular network's filters."""

    trials: Count = Field(description="instances of every length")
    samples: Count = Field(description="n, signals of an instance")
    dimensions: list[Count] = Field(
        min_length=1,
        description="lengths d of the signals, 16 or 32 among them",
        json_schema_extra={"contains": {"enum": [16, 32]}},
    )
    rank: Count = Field(description="of the signals")
    fraction: Share = Field(description="beta in units of beta_max")


def support(filters, tolerance=1e-4):
    """Frequencies of each filter above `tolerance` times its largest, a count each."""
    size = np.abs(np.fft.fft(filters))
    return (size > tolerance * size.max(axis=-1, keepdims=True)).sum(axis=-1)


def measure(options, rng):
    cells = [(d, seed) for d in options.dimensions for seed in range(options.trials)]
    rows = []
    for d, seed in step.progress(cells, label="spectra", unit="instance"):
        n, rank = options.samples, options.rank
        X, y = low_rank(rng(f"{n} x {d}", seed), n, d, rank)
        circular = dict(architecture="circular", cells=enumerate_cells(X, "circular"))
        beta = options.fraction * beta_max(X, y, **circular)
        strengths = {"spectral": beta / np.sqrt(d), "group": beta}
        for penalty, strength in strengths.items():
            program = relax(X, y, strength, penalty=penalty, tol=TOLERANCES["circular"], **circular)
            rows += [
                {
                    "seed": seed,
                    "samples": n,
                    "dimension": d,
                    "rank": rank,
                    "penalty": penalty,
                    "filter_index": index,
                    "nonzero": count,
                    "gap": program.gap,
                }
                for index, count in enumerate(support(program.variables))
            ]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
