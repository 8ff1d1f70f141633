"""Intervals and verdicts: what the papers' judges share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import scipy  # its parts load when used
from numpy.typing import NDArray


def wilson(successes: int, runs: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a proportion: ``(low, high)``."""
    interval = scipy.stats.binomtest(int(successes), int(runs)).proportion_ci(level, "wilson")
    return interval.low, interval.high


def bootstrap(
    values: NDArray,
    rng: np.random.Generator,
    statistic: Callable = np.median,
    level: float = 0.95,
    draws: int = 2000,
    *,
    together: bool = False,
) -> tuple[float | NDArray, float | NDArray]:
    """Percentile bootstrap interval of a statistic over seeds.

    Parameters
    ----------
    values : (seeds, ...) array
        One entry a seed on the leading axis; whole seeds are drawn again, so that what was
        measured together stays together.
    rng : numpy.random.Generator
    statistic : callable
        ``statistic(values, axis=0)``.
    together : bool
        Call ``statistic(replicas, axis=1)`` once, on ``(draws, seeds, ...)``, where a call for
        every replica would take the time; `numpy.median` and `numpy.mean` always are.

    Returns
    -------
    low, high : float or ndarray
    """
    values = np.asarray(values)
    picks = rng.integers(len(values), size=(draws, len(values)))
    if together or statistic in (np.median, np.mean):
        replicas = statistic(values[picks], axis=1)
    else:
        replicas = [statistic(values[pick], axis=0) for pick in picks]
    tail = 50 * (1 - level)
    return tuple(np.percentile(replicas, [tail, 100 - tail], axis=0))


def sign_test(differences: NDArray) -> tuple[int, int, float]:
    """Paired sign test of "positive more often than not": ``(wins, pairs, one-sided p-value)``.

    Ties are left out, as is usual.
    """
    differences = np.asarray(differences)
    wins, pairs = int((differences > 0).sum()), int((differences != 0).sum())
    p_value = scipy.stats.binomtest(wins, pairs, alternative="greater").pvalue if pairs else 1.0
    return wins, pairs, p_value


def log_log_slope(x: NDArray, y: NDArray) -> NDArray:
    """Slope of log y against log x along the last axis of `y`, by least squares.

    Parameters
    ----------
    x : (n,) array
    y : (..., n) array

    Returns
    -------
    (...) ndarray
    """
    x = np.log(np.asarray(x, dtype=float))
    x = x - x.mean()
    return np.log(y) @ x / (x @ x)


def clustered_slope(
    x: NDArray,
    y: NDArray,
    clusters: NDArray,
    rng: np.random.Generator,
    trials: NDArray | None = None,
    level: float = 0.95,
    draws: int = 2000,
) -> tuple[float, float, float]:
    """Log-log slope over all measurements, with a bootstrap interval that draws whole clusters.

    Least squares with an intercept of its own for every trial, so that trials measured at fewer x
    do not tilt the slope.

    Parameters
    ----------
    x, y : (n,) array
        Positive.
    clusters : (n,) array
        What is drawn again as a whole, e.g. the seed.
    rng : numpy.random.Generator
    trials : (n,) array, optional
        What has its own intercept, within one cluster each; the clusters unless given.

    Returns
    -------
    slope, low, high : float
    """
    clusters = np.unique(clusters, return_inverse=True)[1]
    trials = clusters if trials is None else np.unique(trials, return_inverse=True)[1]
    sizes = np.bincount(trials)
    x, y = np.log(np.asarray(x, dtype=float)), np.log(np.asarray(y, dtype=float))
    x = x - (np.bincount(trials, x) / sizes)[trials]
    xy, xx = np.bincount(clusters, x * y), np.bincount(clusters, x * x)
    picks = rng.integers(len(xx), size=(draws, len(xx)))
    replicas = xy[picks].sum(axis=1) / xx[picks].sum(axis=1)
    tail = 50 * (1 - level)
    low, high = np.percentile(replicas, [tail, 100 - tail])
    return xy.sum() / xx.sum(), low, high


def verdict(
    low: float, high: float, at_least: float = -math.inf, at_most: float = math.inf
) -> Literal["holds", "fails", "inconclusive"]:
    """Judge an interval against a criterion's band.

    Parameters
    ----------
    low, high : float
        The interval; equal for a deterministic check. NaN (nothing measured) is inconclusive.
    at_least, at_most : float
        The band.

    Returns
    -------
    {"holds", "fails", "inconclusive"}
        *holds* inside the band, *fails* disjoint from it, else *inconclusive*.
    """
    if at_least <= low and high <= at_most:
        return "holds"
    if high < at_least or low > at_most:
        return "fails"
    return "inconclusive"


def seeds_to_decide(
    measured: float,
    low: float,
    high: float,
    seeds: int,
    at_least: float = -math.inf,
    at_most: float = math.inf,
) -> int | None:
    """How many seeds would settle an inconclusive verdict, the interval shrinking as 1/sqrt(seeds).

    Returns
    -------
    int or None
        None where the estimate lies on an edge of the band, which no number of seeds would settle.
    """
    needed = seeds
    for edge in (at_least, at_most):
        if math.isfinite(edge) and low <= edge <= high:
            distance = abs(measured - edge)
            if distance == 0:
                return None
            reach = high - measured if edge > measured else measured - low
            needed = max(needed, math.ceil(seeds * (reach / distance) ** 2))
    return needed


def median_band(values: NDArray, level: float = 0.95) -> tuple[NDArray, NDArray, NDArray]:
    """Median over seeds with a band that is simultaneous over all points of the curves.

    Between two order statistics, whose coverage of the median is binomial whatever the law of the
    values; the level is divided among the points (Bonferroni).

    Parameters
    ----------
    values : (seeds, points) array

    Returns
    -------
    median, low, high : (points,) ndarrays
        With too few seeds for the level, the whole range of the seeds.
    """
    values = np.sort(values, axis=0)
    seeds, points = values.shape
    # The interval from the (j+1)-th smallest to the (j+1)-th largest misses the median with
    # probability 2 P(Binomial(seeds, 1/2) <= j).
    misses = 2 * scipy.special.bdtr(np.arange(seeds), seeds, 0.5)
    j = max(np.searchsorted(misses, (1 - level) / points, side="right") - 1, 0)
    return np.median(values, axis=0), values[j], values[seeds - 1 - j]
