"""Claim 4: end objectives of many restarts against the number of filters (toy instances)."""

import pandas as pd
from pydantic import Field, field_validator

from cnntheory.ergen2021 import train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    TOLERANCE,
    Descent,
    Signals,
    draw_patches,
    groups,
    train_restarts,
)
from workflow.scripts.step import Count, Positive


class Options(Signals, Descent):
    """Claim 4: end objectives of descent against the number of filters."""

    trials: Count = Field(description="instances")
    betas: list[Positive] = Field(
        description="weight decays, 0.1 among them", json_schema_extra={"contains": {"const": 0.1}}
    )
    widths: list[Count] = Field(
        description="numbers of filters m: 1, 3 and 2n at least",
        json_schema_extra={
            "allOf": [{"contains": {"const": 1}}, {"contains": {"const": 3}}],
            "contains": {"minimum": 4},
        },
    )

    @field_validator("widths")
    @classmethod
    def _reach_two_filters_a_sample(cls, widths, info):
        full = 2 * info.data.get("samples", 0)
        if full and full not in widths:
            raise ValueError(f"expected 2 samples = {full} among them")
        return widths


def measure(options, rng):
    rows = []
    progress = step.progress(range(options.trials), label="widths", unit="instance")
    for seeds in groups(progress):
        problems = [draw_patches(rng, seed, options) for seed in seeds]
        optima = [
            [train_convex(*problem, beta, tol=TOLERANCE) for beta in options.betas]
            for problem in problems
        ]
        betas = [options.betas] * len(seeds)
        for width in options.widths:
            draws = [rng(f"{width}", seed) for seed in seeds]
            found = train_restarts(
                options, "average", *zip(*problems, strict=True), betas, width, draws
            )
            for seed, known, (_, ends) in zip(seeds, optima, found, strict=True):
                rows += [
                    {
                        "seed": seed,
                        "samples": options.samples,
                        "beta": options.betas[which],
                        "width": width,
                        "restart": restart,
                        "objective": objective,
                        "program": known[which].program,
                        "filters": len(known[which].network.weights),
                    }
                    for _, which, restart, objective in ends
                ]
    return pd.DataFrame(rows).sort_values("seed", kind="stable")


if __name__ == "__main__":
    step.main(Options, measure)
