"""Subsets of the images, pooled to 14 x 14, and the separation delta of each.

Pixels ``(subsets, n, 196)`` and digits ``(subsets, n)``. A smaller n takes the first images of its
subset, so that subsets of different sizes are nested.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.allenzhu2019.inputs import pool, prepare, separation
from workflow.scripts import step
from workflow.scripts.step import Count


class Options(step.Options):
    """Subsets of the images that the trials are trained on."""

    subsets: Count = Field(description="how many")
    samples: list[Count] = Field(
        min_length=1, description="sizes for which delta is recorded, the largest is what is drawn"
    )


def measure(options, rng, images, labels):
    largest = max(options.samples)
    if len(labels) < largest:
        raise ValueError(
            f"expected at least {largest} labels, found {len(labels)}; give a data set with labels "
            "or a smaller allenzhu2019.select_subset.samples"
        )
    picks = np.stack(
        [
            rng("subsets", s).choice(len(labels), largest, replace=False)
            for s in range(options.subsets)
        ]
    )
    pixels = pool(images[picks.ravel()]).reshape(options.subsets, largest, -1)
    table = [
        pd.DataFrame(
            dict(
                samples=n,
                subset=np.arange(options.subsets),
                separation=separation(prepare(pixels[:, :n])),
            )
        )
        for n in options.samples
    ]
    return dict(pixels=pixels, digits=np.asarray(labels[picks]), table=pd.concat(table))


if __name__ == "__main__":
    step.main(Options, measure, tables=("pixels", "digits", "table"))
