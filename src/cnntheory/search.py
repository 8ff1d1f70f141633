"""Search for the worst case: what a statement "for all" has to survive.

A handful of random points says little about a minimum in many dimensions; a local search finds in
seconds what they miss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._extras import extra


class Worst(NamedTuple):
    """The worst case that a search has found.

    Attributes
    ----------
    point : (d,) ndarray
        Where it is, so that it can be checked by other means.
    value : float
        The objective there.
    evaluations : int
        Points tried in all restarts: what "none was found" is worth.
    """

    point: NDArray
    value: float
    evaluations: int


def worst_case(
    value: Callable[[NDArray], ArrayLike],
    start: ArrayLike,
    *,
    rng: np.random.Generator | int,
    evaluations: int = 1000,
    spread: float = 0.3,
    restarts: int = 1,
    population: int | None = None,
) -> Worst:
    """Minimise an objective by evolution (CMA-ES), from several starts.

    No gradient is asked for, kinks do no harm, and a whole generation is evaluated at once. The
    starts are tried too, so the value found is never above theirs. Points are free in R^d: map
    them to what is feasible inside `value` (normalise a direction, exponentiate a scale).

    Parameters
    ----------
    value : callable
        ``value(points) -> (population,)`` for points of shape (population, d); NaN counts as
        infinite, so that it marks what is not feasible.
    start : (d,) or (restarts, d) array
        Where the search begins; a single start is used by every restart. d >= 2.
    rng : numpy.random.Generator or int
    evaluations : int
        Budget of all restarts together; the last generation may exceed it.
    spread : float
        Standard deviation of the first generation in every coordinate.
    restarts : int
        Searches; rows of `start` where it has several.
    population : int, optional
        Points of a generation, 4 + 3 log d unless given.

    Returns
    -------
    Worst
        The best of all points tried.

    Raises
    ------
    ValueError
        `start` is not of that shape, or nothing feasible was met.
    ImportError
        The package ``cma`` is missing (``pip install 'cnntheory[search]'``).

    Notes
    -----
    Hansen & Ostermeier, "Completely derandomized self-adaptation in evolution strategies" (2001),
    in the implementation of the package ``cma``.
    """
    with extra("search"):
        import cma

    rng = np.random.default_rng(rng)
    starts = np.atleast_2d(np.asarray(start, dtype=float))
    if starts.ndim != 2 or starts.shape[1] < 2:
        raise ValueError(
            f"start: expected shape (d,) or (restarts, d), d >= 2, found {starts.shape}"
        )
    if len(starts) == 1:
        starts = np.repeat(starts, restarts, axis=0)
    best, least, spent = None, np.inf, 0

    def tried(points):
        nonlocal best, least, spent
        found = np.asarray(value(points), dtype=float)
        found = np.where(np.isnan(found), np.inf, found)
        spent += len(points)
        if found.min() < least:
            best, least = points[found.argmin()].copy(), float(found.min())
        return found

    tried(starts)
    for number, begin in enumerate(starts, 1):
        options = {
            "verbose": -9,
            "randn": _normals(rng),
            "maxfevals": np.inf,
        }
        if population:
            options["popsize"] = population
        evolution = cma.CMAEvolutionStrategy(begin, spread, options)
        # What an early stop of one search leaves is spent by the next.
        while spent < evaluations * number / len(starts) and not evolution.stop():
            points = np.array(evolution.ask())
            found = tried(points)
            # The strategy ranks; infinities only have to come last.
            evolution.tell(list(points), list(np.where(np.isinf(found), 1e300, found)))
    if best is None:
        raise ValueError(f"none of {spent} points was feasible; widen spread or move start")
    return Worst(best, least, spent)


def _normals(rng):
    """Normal draws as the package asks for them: global state stays untouched."""
    return lambda *shape: rng.standard_normal(shape)
