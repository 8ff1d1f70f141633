"""Subsets of the images, pooled to 14 x 14, and the separation delta of each.

Writes the pixels ``(subsets, n, 196)`` and the digits ``(subsets, n)``. A smaller n takes the first
images of its subset, so that subsets of different sizes are nested.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.allenzhu2019.inputs import pool, prepare, separation
from workflow.scripts import step


def run():
    args = step.arguments(
        __doc__,
        ["pixels", "digits", "table"],
        images=step.Path,
        labels=step.Path,
        source=step.Path,
        seed=int,
        subsets=int,
        samples=json.loads,
    )
    images, labels = np.load(args.images, mmap_mode="r"), np.load(args.labels)
    largest = max(args.samples)
    if len(labels) < largest:
        raise ValueError(
            f"{args.labels}: {len(labels)} labels, {largest} needed; give a data set with labels "
            "or a smaller allenzhu2019.select_subset.samples"
        )
    picks = np.stack(
        [
            step.generator(args.seed, "select_subset", "subsets", s).choice(
                len(labels), largest, replace=False
            )
            for s in range(args.subsets)
        ]
    )
    pixels = pool(images[picks.ravel()]).reshape(args.subsets, largest, -1)
    for array, path in ((pixels, args.pixels), (labels[picks], args.digits)):
        with step.replacing(path) as part, part.open("wb") as file:
            np.save(file, array)
    rows = [
        pd.DataFrame(
            dict(
                samples=n,
                subset=np.arange(args.subsets),
                separation=separation(prepare(pixels[:, :n])),
            )
        )
        for n in args.samples
    ]
    step.write_table(pd.concat(rows), args.table, args, step.source(args.source)["data"])


if __name__ == "__main__":
    step.main(run)
