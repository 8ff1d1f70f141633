"""What the steps of allenzhu2019 share: trials, networks on subsets of the images."""

from typing import NamedTuple

import numpy as np
import torch

from cnntheory.allenzhu2019.inputs import prepare, separation
from cnntheory.allenzhu2019.networks import fully_connected

# Stream of the draws that the steps have in common: a trial's network is the same in all of them.
STREAM = "allenzhu2019"


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
    """

    seed: np.ndarray
    subset: np.ndarray
    x: torch.Tensor
    y: torch.Tensor
    separation: np.ndarray

    def one(self, s):
        """The trial `s` alone, still with its leading axis."""
        return self.some(slice(s, s + 1))

    def some(self, part):
        """The trials of a slice."""
        return Trials(*(values[part] for values in self))

    def chunks(self, size):
        """The trials, at most `size` at a time."""
        return [self.some(slice(s, s + size)) for s in range(0, len(self.seed), size)]

    def rngs(self, rng, group):
        """One generator a trial; further seeds or subsets change no draw of the others.

        `group` names what shares its draws.
        """
        return [
            rng(f"{group}, subset {b}", int(a)) for a, b in zip(self.seed, self.subset, strict=True)
        ]

    def networks(self, rng, group, width, depth, **options):
        """A fully-connected network for every trial, on the device of the inputs."""
        rngs, inputs = self.rngs(rng, group), self.x.shape[-1]
        return fully_connected(rngs, inputs, width, depth, device=self.x.device, **options)

    def frame(self, **columns):
        """Columns that name the trials, and more of length S."""
        return dict(seed=self.seed, subset=self.subset, separation=self.separation) | columns


def on_images(pixels, digits, samples, seeds, subsets=1, device="cpu"):
    """All pairs of `seeds` seeds and the first `subsets` subsets, on `samples` images each.

    Parameters
    ----------
    pixels : (subsets, n, p) array
    digits : (subsets, n) array of int
    """
    seed, subset = (a.ravel() for a in np.indices((seeds, subsets)))
    return _trials(pixels, digits, samples, seed, subset, device)


def independent(pixels, digits, samples, count, device="cpu"):
    """`count` trials with a network and a subset each, on `samples` images: independent draws.

    Parameters
    ----------
    pixels, digits
        As for `on_images`.
    """
    return _trials(pixels, digits, samples, np.arange(count), np.arange(count), device)


def _trials(pixels, digits, samples, seed, subset, device):
    subsets = subset.max() + 1
    if samples > pixels.shape[1] or subsets > pixels.shape[0]:
        raise ValueError(
            f"expected {subsets} subsets of {samples} images, found {pixels.shape[0]} of "
            f"{pixels.shape[1]}; raise allenzhu2019.select_subset"
        )
    x = prepare(pixels[:subsets, :samples])
    y = np.where(digits[:subsets, :samples] % 2, -1.0, 1.0)
    return Trials(
        seed,
        subset,
        torch.as_tensor(x[subset], device=device),
        torch.as_tensor(y[subset], device=device),
        separation(x)[subset],
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


def fit_decay(iterations, relative, high=1e-2, low=1e-8):
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
