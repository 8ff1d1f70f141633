"""What the steps of allenzhu2019 share: trials, seeds of the weights times subsets of images."""

from typing import NamedTuple

import numpy as np
import torch

from cnntheory.allenzhu2019 import fully_connected
from cnntheory.allenzhu2019.inputs import prepare, separation
from workflow.scripts import step

OPTIONS = dict(pixels=step.Path, digits=step.Path, source=step.Path, seed=int, device=(str, "cpu"))


class Trials(NamedTuple):
    """A batch of trials.

    Attributes
    ----------
    seed, subset : (S,) ndarray of int
    x : (S, n, p) tensor
        Prepared inputs.
    y : (S, n) tensor
        Labels +1 and -1: even and odd digits.
    separation : (S,) ndarray
        delta of each subset.
    data : str
        Label of the images.
    """

    seed: np.ndarray
    subset: np.ndarray
    x: torch.Tensor
    y: torch.Tensor
    separation: np.ndarray
    data: str

    def one(self, s):
        """The trial `s` alone, still with its leading axis."""
        only = slice(s, s + 1)
        return Trials(*(part[only] for part in self[:-1]), self.data)

    def rngs(self, seed, group):
        """One generator a trial; further seeds or subsets change no draw of the others.

        `group` names what shares its draws.
        """
        return [
            step.generator(seed, "allenzhu2019", f"{group}, subset {b}", int(a))
            for a, b in zip(self.seed, self.subset, strict=True)
        ]

    def networks(self, seed, group, width, depth, **options):
        """A fully-connected network for every trial, on the device of the inputs."""
        rngs, inputs = self.rngs(seed, group), self.x.shape[-1]
        return fully_connected(rngs, inputs, width, depth, device=self.x.device, **options)

    def frame(self, **columns):
        """Columns that name the trials, and more of length S."""
        return dict(seed=self.seed, subset=self.subset, separation=self.separation) | columns


def load(args, samples, seeds, subsets):
    """All pairs of `seeds` seeds and the first `subsets` subsets, on `samples` images each."""
    pixels = np.load(args.pixels, mmap_mode="r")
    if samples > pixels.shape[1] or subsets > pixels.shape[0]:
        raise ValueError(
            f"{args.pixels}: {pixels.shape[0]} subsets of {pixels.shape[1]} images, {subsets} of "
            f"{samples} asked for; raise allenzhu2019.select_subset"
        )
    x = prepare(pixels[:subsets, :samples])
    y = np.where(np.load(args.digits)[:subsets, :samples] % 2, -1.0, 1.0)
    seed, subset = (a.ravel() for a in np.indices((seeds, subsets)))
    return Trials(
        seed,
        subset,
        torch.as_tensor(x[subset], device=args.device),
        torch.as_tensor(y[subset], device=args.device),
        separation(x)[subset],
        step.source(args.source)["data"],
    )


def numpy(tensor):
    """A tensor of any device as an array."""
    return tensor.detach().cpu().numpy()


def crossing(losses, level):
    """Iterations until the loss has fallen to `level` times its start, between two by log-linear
    interpolation; infinite where it does not.

    Parameters
    ----------
    losses : (T, S) array
    """
    relative = np.asarray(losses) / losses[0]
    times = np.full(relative.shape[1], np.inf)
    for s, curve in enumerate(relative.T):
        below = np.flatnonzero(curve <= level)
        if len(below):
            t = below[0]
            high, low = np.log(curve[t - 1]), np.log(max(curve[t], 1e-300))
            times[s] = t - 1 + (high - np.log(level)) / (high - low)
    return times


def fit_rate(iterations, relative, high=1e-2, low=1e-8):
    """Rate and R^2 of the line through log F against t, F / F_0 between `low` and `high`.

    A run that does not get there is fitted on its second half.
    """
    inside = (relative <= high) & (relative >= low)
    if inside.sum() < 5:
        inside = (np.arange(len(relative)) >= len(relative) // 2) & (relative > 0)
    inside &= np.isfinite(relative)
    if inside.sum() < 3:
        return np.nan, np.nan
    t, log = iterations[inside], np.log(relative[inside])
    slope, intercept = np.polyfit(t, log, 1)
    spread = log.var()
    return -slope, 1 - (log - slope * t - intercept).var() / spread if spread > 0 else np.nan
