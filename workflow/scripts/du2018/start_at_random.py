"""Claim 11, Theorem 3.4: how often a random start lies close enough, against p and its radius."""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.du2018.starts import (
    ball,
    good_probability,
    is_good,
    paper_bound,
    sharper_bound,
    unscaled_bound,
)
from workflow.scripts import step
from workflow.scripts.step import Count


class Options(step.Options):
    """Claim 11, Theorem 3.4: probability of a good random start."""

    draws: Count = Field(description="starts a point")
    dimensions: list[Annotated[int, Field(ge=2)]] = Field(
        min_length=1,
        json_schema_extra={"contains": {"type": "integer", "minimum": 12}},
        description="p, one of at least 12 (control 11x) among them",
    )
    fractions: list[Annotated[float, Field(gt=0, le=1)]] = Field(
        min_length=1, description="radius of the ball in units of sqrt(1 / (2 pi p))"
    )


def measure(options, rng):
    rows = []
    for p in step.progress(options.dimensions, label="dimensions", unit="dimension"):
        for fraction in options.fractions:
            alpha = fraction / np.sqrt(2 * np.pi * p)
            start = ball(rng(f"R^{p}, {fraction}", 0), p, alpha, (options.draws,))
            rows.append(
                dict(
                    dimension=p,
                    fraction=fraction,
                    alpha=alpha,
                    draws=options.draws,
                    successes=int(is_good(start, np.eye(p)[0], alpha).sum()),
                    exact=good_probability(p, alpha),
                    bound=paper_bound(p, alpha),
                    sharper_bound=sharper_bound(p, alpha),
                    unscaled_bound=unscaled_bound(p, alpha),
                )
            )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
