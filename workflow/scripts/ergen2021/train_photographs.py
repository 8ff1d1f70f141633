"""Patches of colour photographs: programs over the cells of sampled gates beside SGD.

As train_image_patches, on tiles of the two photographs that scikit-learn ships (a temple, a
flower): the classes. Tiles are at a quarter of the resolution, training tiles from the left half
of each photograph and test tiles from the right, less the mean of the training set.
The clock is kept in a table of its own.
"""

import numpy as np
import pandas as pd
from pydantic import Field
from sklearn.datasets import load_sample_images

from cnntheory.images.patches import extract_patches
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import Length, StochasticDescent
from workflow.scripts.ergen2021.train_image_patches import one_set
from workflow.scripts.step import Count, Share

QUARTER = 4


class Options(StochasticDescent):
    """Figure: patches of colour photographs with sampled gates."""

    trials: Count = Field(description="training sets")
    samples: Count = Field(description="n, tiles")
    tile: Length = Field(description="side of a tile, in pixels at a quarter of the resolution")
    patch_size: Length = Field(description="side of a patch, likewise")
    stride: Count = Field(description="between patches, likewise")
    fraction: Share = Field(description="beta in units of the largest over the gates")
    gates: list[Count] = Field(min_length=1, description="grid of T")
    width: Count = Field(description="filters of SGD")
    evaluate: Count = Field(description="test tiles")


def photographs():
    """Two photographs at a quarter of their resolution, in [0, 1]: ``(2, 106, 160, 3)``."""
    pictures = np.asarray(load_sample_images().images, dtype=float) / 255
    count, height, width, colours = pictures.shape
    rows, columns = height // QUARTER, width // QUARTER
    cut = pictures[:, : rows * QUARTER, : columns * QUARTER]
    shape = (count, rows, QUARTER, columns, QUARTER, colours)
    return cut.reshape(shape).mean(axis=(2, 4))


def draw_tiles(pictures, samples, side, draws):
    """Tiles at random places, as many of each photograph, and their classes -1 and 1."""
    y = np.where(np.arange(samples) % 2, 1.0, -1.0)
    places = [draws.integers(0, size - side + 1, samples) for size in pictures.shape[1:3]]
    tiles = [
        pictures[int(sign > 0), top : top + side, left : left + side]
        for sign, top, left in zip(y, *places, strict=True)
    ]
    return np.array(tiles), y


def colour_patches(tiles, size, stride):
    """Square patches of all colours: ``(n, K, colours * size * size)``."""
    return np.concatenate(
        [extract_patches(tiles[..., c], size, stride) for c in range(tiles.shape[-1])], axis=2
    )


def measure(options, rng):
    pictures = photographs()
    halves = np.split(pictures, [pictures.shape[2] // 2], axis=2)
    rows, timing = [], []
    for seed in step.progress(range(options.trials), label="photographs", unit="instance"):
        draws = rng("tiles", seed)
        (tiles, y), (test_tiles, y_test) = (
            draw_tiles(half, count, options.tile, draws)
            for half, count in zip(halves, (options.samples, options.evaluate), strict=True)
        )
        patches, test = (
            colour_patches(part - tiles.mean(axis=0), options.patch_size, options.stride)
            for part in (tiles, test_tiles)
        )
        found, seconds = one_set(options, seed, patches, y, test, y_test, draws, rng("sgd", seed))
        rows += found
        timing += seconds
    return {"table": pd.DataFrame(rows), "timing": pd.DataFrame(timing)}


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "timing"))
