"""Train the paper's networks to certified global optimality."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np

from .architectures import get_architecture
from .arrangements import distinct, sample_gates
from .losses import dual_value, make_loss, relative_gap
from .network import Network, objective_of
from .pricing import blocks


class ConvergenceWarning(UserWarning):
    """A program was not solved to the accuracy that was asked for."""


@dataclass(frozen=True)
class Solution:
    """A trained network and its certificate.

    Attributes
    ----------
    network : Network
        Mapped back from the convex program and reduced to at most n filters.
    objective : float
        Problem P1 of `network`: loss plus ``beta / 2`` weight decay. An upper bound on the optimum,
        whatever the solver did.
    program : float
        Value of the convex program at the solver's point, before mapping and reduction.
    dual_bound : float
        Value of a feasible point of the dual. If `exact`, a lower bound on the objective of every
        network of any width; otherwise of every network whose filters lie in `cells`.
    dual : ndarray, shape (n,)
        The dual point, scaled to be feasible.
    restricted_gap : float
        ``(objective - dual_bound) / objective``: how far the program that was solved is from its
        optimum. Over sampled cells it says nothing of networks outside them: trained networks
        may lie far below.
    gap : float
        The same where it bounds the distance to the global optimum, that is over all cells; NaN
        elsewhere.
    converged : bool
        Whether `restricted_gap` reached the tolerance that was asked for.
    exact : bool
        Whether `cells` are all cells, or all filters were priced without them.
    cells : Cells, what `enumerate_cells` returns for the architecture, or None
        The cells of the program; hand them on to `certify` or another `train_convex`. None where
        none were listed.
    n_iter, n_rounds : int
        Newton steps of the interior point methods, and rounds of pricing.
    work : float
        Floating-point operations of the Newton steps and of the pricing of pooled networks, counted
        by formula: the same on every machine. Zero for other architectures, and where no cells were
        listed.
    """

    network: Network
    objective: float
    program: float
    dual_bound: float
    dual: np.ndarray
    restricted_gap: float
    gap: float
    converged: bool
    exact: bool
    cells: object
    n_iter: int
    n_rounds: int
    work: float

    def to_torch(self, layer=None, factor=1.0):
        """The network as a `torch.nn.Module`; see `Network.to_torch`."""
        return self.network.to_torch(layer, factor)


@dataclass(frozen=True)
class Certificate:
    """How far a network is from the global optimum.

    Attributes
    ----------
    objective : float
        Problem P1 of the network.
    dual_bound : float
        Lower bound on the objective of every network of any width, if all cells were given or
        enumerated; otherwise of those whose filters lie in the given cells.
    restricted_gap : float
        ``(objective - dual_bound) / objective``.
    gap : float
        The same where the bound is over all cells, a bound on the relative distance to the
        optimum; NaN elsewhere.
    price : float
        Upper bound on ``|v^T phi|`` over the units ``phi`` of cost one, at ``v = -L'(f)``; at most
        beta at an optimum.
    attained : float
        The largest ``|v^T phi|`` that was found: how loose `price` can be.
    """

    objective: float
    dual_bound: float
    restricted_gap: float
    gap: float
    price: float
    attained: float


@dataclass(frozen=True)
class Relaxation:
    """A program with constraints left out, or with another penalty: a control.

    Attributes
    ----------
    program : float
        Value of the program at the solver's point.
    dual_bound : float
        Value of a dual feasible point, a lower bound of the program's optimum.
    gap : float
        ``(program - dual_bound) / program``.
    variables : ndarray, shape (G, h), (G, h, K) or (G, d)
        Filters of the program that are not zero, matrices without pooling and with two ReLUs.
    network : Network or None
        Of average and max pooling, the network with these variables; it does not attain `program`.
    """

    program: float
    dual_bound: float
    gap: float
    variables: np.ndarray
    network: Network | None = None


def train_convex(
    patches,
    y,
    beta,
    *,
    architecture="average",
    cells=None,
    loss="squared",
    tol=1e-8,
    rng=0,
    max_patterns=200_000,
    time_limit=None,
):
    """Train a network to global optimality by its convex program, with a certified duality gap.

        ``min L(f) + beta/2 (sum of squares of the weights that decay)``

    over networks of any width.

    Parameters
    ----------
    patches : ndarray, shape (n, K, h)
        ``K = 1`` is the fully connected network; append a column of ones for a (decayed) bias.
        Whole signals (n, d) for ``"circular"``.
    y : ndarray, shape (n,)
    beta : float
        Weight decay, above 0. `beta_max` gives the value from which the zero network is optimal.
    architecture : {"average", "max", "none", "linear", "circular", "two-relu"} or Architecture
        ``"average"`` is the plain sum over the patches (divide `patches` by K for the mean; beta
        stays); ``"none"`` gives every patch its own output weight. `Circular` and `TwoReLU` of
        `cnntheory.ergen2021` have options.
    cells : None, int, ndarray of shape (h, T), bool ndarray of shape (P, n, K), or Cells
        All cells; those of so many Gaussian gates drawn from `rng`; of given gates; of given
        patterns; or cells that were enumerated before. Fewer than all cells restrict the program:
        the objective stays an upper bound, the dual bound holds for the restricted program only.
    loss : {"squared", "logistic"}, optional
        ``L(f) = 1/2 |f - y|^2``, or ``sum log(1 + exp(-y f))`` for labels -1 and 1.
    tol : float, optional
        Relative duality gap to reach. What was reached is in the result, and a
        `ConvergenceWarning` says when it is more.
    rng : int or numpy.random.Generator, optional
        Source of sampled gates.
    max_patterns : int, optional
        Budget of exact enumeration.
    time_limit : float, optional
        Seconds in which to train without listing cells: filters that branch and bound prices above
        beta join until none is left. For average pooling, many samples and filters of two to four
        entries; the last proof may take as long again.

    Returns
    -------
    Solution

    Raises
    ------
    ValueError
        For wrong shapes, entries that are not finite, ``beta <= 0``, and unknown options.
    ArrangementTooLarge
        If exact enumeration would exceed its budget (a ValueError).

    Notes
    -----
    Below some thousand samples the products are many and small: one BLAS thread
    (``OMP_NUM_THREADS=1``) is faster than several, on 100 to 500 images up to three times, and more
    where other processes share the cores.

    References
    ----------
    Ergen & Pilanci, arXiv 2006.14798: the two-layer program (Theorem 2.1 as we understand it), the
    circular and the linear one; the others reconstructed.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> patches, y = rng.standard_normal((8, 3, 2)), rng.standard_normal(8)
    >>> train_convex(patches, y, beta=0.1).gap <= 1e-8
    True
    """
    check_tol(tol)
    architecture, patches, y = check_data(architecture, patches, y)
    check_beta(beta)
    fit, beta = make_loss(loss, y), float(beta)
    if time_limit is None:
        cells = _choose_cells(architecture, patches, cells, rng, max_patterns)
        trained = architecture.solve(patches, cells, fit, beta, tol)
    else:
        _check_time(time_limit, cells)
        rng = np.random.default_rng(rng)
        trained = architecture.solve_in_time(patches, fit, beta, tol, float(time_limit), rng)
    return _solution(trained, patches, cells, fit, beta, tol)


def path(
    patches,
    y,
    betas,
    *,
    architecture="average",
    cells=None,
    loss="squared",
    tol=1e-8,
    rng=0,
    max_patterns=200_000,
):
    """Train along a path of betas; with pooling each starts from the cells of its neighbour.

    Parameters
    ----------
    betas : sequence of float
        Solved from the largest to the smallest; results keep the order given.
    patches, y, architecture, cells, loss, tol, rng, max_patterns
        As for `train_convex`.

    Returns
    -------
    list of Solution
    """
    check_tol(tol)
    architecture, patches, y = check_data(architecture, patches, y)
    for beta in betas:
        check_beta(beta)
    fit = make_loss(loss, y)
    cells = _choose_cells(architecture, patches, cells, rng, max_patterns)
    solutions, warm = {}, None
    for position in sorted(range(len(betas)), key=lambda i: -betas[i]):
        beta = float(betas[position])
        trained = architecture.solve(patches, cells, fit, beta, tol, warm)
        solutions[position], warm = _solution(trained, patches, cells, fit, beta, tol), trained.warm
    return [solutions[position] for position in range(len(betas))]


def beta_max(
    patches, y, *, architecture="average", loss="squared", cells=None, rng=0, max_patterns=200_000
):
    """Least beta at which the zero network is optimal: the largest price of ``v = -L'(0)``.

    Here ``v`` are the labels for the squared loss, half of them for the logistic one. Exact but for
    networks of three layers: about ten digits, and for a shared filter beyond ``K = h = 2`` the
    best that a search finds, which may be too small.

    Parameters
    ----------
    patches, y, architecture, loss, cells, rng, max_patterns
        As for `train_convex`.

    Returns
    -------
    float
    """
    architecture, patches, y = check_data(architecture, patches, y)
    cells = _choose_cells(architecture, patches, cells, rng, max_patterns)
    return architecture.price(make_loss(loss, y).dual(np.zeros(len(y))), patches, cells)[0]


def certify(
    network,
    patches,
    y,
    beta,
    *,
    loss="squared",
    dual=None,
    cells=None,
    rng=0,
    max_patterns=200_000,
    time_limit=None,
):
    """Bound the distance of any network to the global optimum.

    Parameters
    ----------
    network : Network
    patches : ndarray, shape (n, K, h)
    y : ndarray, shape (n,)
    beta : float
    loss : {"squared", "logistic"}, optional
    dual : ndarray, shape (n,), optional
        A dual point to try beside the residual, such as `Solution.dual`: the bound is then as tight
        as that point.
    cells, rng, max_patterns
        As for `train_convex`; enumerate once for many networks. Cells that are not all cells give a
        bound for the restricted program only.
    time_limit : float, optional
        Seconds for a bound on the prices by branch and bound, which lists no cells: rigorous
        whenever it stops, exact for filters of up to four entries on thousands of images, loose
        for long ones. Without it cells are listed. For architectures average, max and none.

    Returns
    -------
    Certificate

    Raises
    ------
    ValueError
        For wrong shapes, entries that are not finite, ``beta <= 0``, and filters that exceed their
        bound.
    ArrangementTooLarge
        If the enumeration would exceed its budget.

    Notes
    -----
    The ``v = -L'(f)``, for the squared loss the residual ``y - f``, is scaled to the best feasible
    point on its ray, which needs a bound on its largest price over all cells. With pooling that is
    one product with all gates, then projections on the cones of the cells that ``|A_i^T v|`` does
    not rule out: the enumeration and ``O(P n K h)``.
    """
    architecture, patches, y = check_data(network.architecture, patches, y)
    check_beta(beta)
    _check_network(network, patches)
    fit = make_loss(loss, y)
    objective = objective_of(network, patches, fit, beta)
    points = [fit.dual(network.predict(patches))]
    if dual is not None:
        points.append(_check_dual(dual, y))
    if time_limit is None:
        cells = _choose_cells(architecture, patches, cells, rng, max_patterns)
        exact, prices = cells.exact, [architecture.price(v, patches, cells) for v in points]
    else:
        _check_time(time_limit, cells)
        exact, prices, start = True, [], time.perf_counter()
        for left, v in zip(range(len(points), 0, -1), points, strict=True):
            spent = time.perf_counter() - start
            share = max(time_limit - spent, 0.0) / left  # what the first leaves is for the second
            prices.append(architecture.bound_price(v, patches, share))
    pairs = zip(points, prices, strict=True)
    bound = max(dual_value(v, fit, price, beta)[0] for v, (_, price) in pairs)
    gap, (attained, price) = relative_gap(objective, bound), prices[0]
    return Certificate(objective, bound, gap, gap if exact else np.nan, price, attained)


def relax(
    patches,
    y,
    beta,
    *,
    architecture="average",
    cones=True,
    penalty=None,
    cells=None,
    loss="squared",
    tol=1e-8,
    rng=0,
    max_patterns=200_000,
):
    """Solve a program with constraints left out, or with another penalty: the controls.

    Parameters
    ----------
    cones : bool or "order", optional
        With average or max pooling ``False`` drops all cone constraints (the gated relaxation),
        ``"order"`` only those that make the winner of max pooling the winner.
    penalty : {"group", "frobenius", "nuclear", "spectral"}, optional
        Norm of each group, needed for the other architectures, `beta` times as strong. Frobenius
        and nuclear norm bound ``"none"`` and `TwoReLU` with a shared filter from below;
        ``"group"`` ignores the spectrum of ``"circular"``, ``"spectral"`` its constant kappa.
    patches, y, beta, architecture, cells, loss, tol, rng, max_patterns
        As for `train_convex`.

    Returns
    -------
    Relaxation

    Raises
    ------
    ValueError
        As for `train_convex`, and for what cannot be relaxed.

    Warns
    -----
    ConvergenceWarning
        If the gap is above `tol`.

    References
    ----------
    The nuclear norm of matrices with columns in a cone is eq. 4 of Sahiner et al., "Scaling Convex
    Neural Networks with Burer-Monteiro Factorization".
    """
    check_tol(tol)
    architecture, patches, y = check_data(architecture, patches, y)
    check_beta(beta)
    cells = _choose_cells(architecture, patches, cells, rng, max_patterns)
    fit, beta = make_loss(loss, y), float(beta)
    program, bound, *rest = architecture.relax(patches, cells, fit, beta, tol, cones, penalty)
    gap = relative_gap(program, bound)
    _warn_unless_converged("solved", gap, tol)
    return Relaxation(program, bound, gap, *rest)


def _warn_unless_converged(done, gap, tol, more=""):
    """Say so where a gap is above what was asked for."""
    if not gap <= tol:
        warnings.warn(
            f"{done} to a relative gap of {gap:.2g}, not to tol = {tol:.2g}{more}; raise tol, beta "
            "or time_limit, or use fewer cells",
            ConvergenceWarning,
            stacklevel=4,
        )


def _solution(trained, patches, cells, loss, beta, tol):
    """The solver's result with its certificate; warns where it is not what was asked for."""
    objective = objective_of(trained.network, patches, loss, beta)
    gap = relative_gap(objective, trained.dual_bound)
    exact = cells is None or cells.exact
    _warn_unless_converged("trained", gap, tol, f" ({trained.n_iter} iterations)")
    return Solution(
        network=trained.network,
        objective=objective,
        program=trained.program,
        dual_bound=trained.dual_bound,
        dual=trained.dual,
        restricted_gap=gap,
        gap=gap if exact else np.nan,
        converged=bool(gap <= tol),
        exact=exact,
        cells=cells,
        n_iter=trained.n_iter,
        n_rounds=trained.n_rounds,
        work=trained.work,
    )


def check_data(architecture, patches, y):
    architecture = get_architecture(architecture)
    shape, y = np.shape(patches), np.asarray(y, float)
    patches = architecture.inputs(patches)
    if patches.ndim != 3 or 0 in patches.shape:
        raise ValueError(
            f"patches: expected a nonempty array of shape (n, K, h), found {shape}; "
            "K = 1 is the fully connected network"
        )
    if architecture.whole_signals and patches.shape[1] != 1:
        raise ValueError(
            f"patches: expected whole signals of shape (n, d) for {architecture.name!r}, found "
            f"{shape}"
        )
    if y.shape != patches.shape[:1]:
        raise ValueError(f"y: expected shape ({len(patches)},), one a sample, found {y.shape}")
    for name, values in (("patches", patches), ("y", y)):
        if not np.isfinite(values).all():
            raise ValueError(f"{name}: expected finite entries, found NaN or infinity; drop them")
    return architecture, patches, y


def check_tol(tol):
    if not (np.ndim(tol) == 0 and tol >= 0):
        raise ValueError(f"tol: expected a number of at least 0, found {tol}")


def check_beta(beta):
    if not (np.ndim(beta) == 0 and np.isfinite(beta) and beta > 0):
        raise ValueError(
            f"beta: expected a number above 0, found {beta}; without weight decay the convex "
            "program has no penalty"
        )


def _check_time(time_limit, cells):
    if not (isinstance(time_limit, int | float) and 0 < time_limit < np.inf):
        raise ValueError(f"time_limit: expected seconds above 0, found {time_limit!r}")
    if cells is not None:
        raise ValueError("cells, time_limit: expected one of them; within time no cells are listed")


def _check_network(network, patches):
    expected = network.architecture.shapes(*patches.shape[1:])
    for name, values in network.parameters.items():
        if values.shape[1:] != expected[name]:
            rest = ", ".join(["m", *map(str, expected[name])])
            raise ValueError(
                f"{name}: expected shape ({rest}) for these patches, found {values.shape}"
            )
    largest = network.architecture.largest_norm(network.parameters)
    if largest > 1 + 1e-9:
        raise ValueError(
            f"filters: expected norms of at most 1, found {largest:.3g}; divide the filters by it "
            "and multiply the inner weights"
        )


def _check_dual(dual, y):
    dual = np.asarray(dual, float)
    if dual.shape != y.shape or not np.isfinite(dual).all():
        raise ValueError(f"dual: expected {len(y)} finite entries, found shape {dual.shape}")
    return dual


def _choose_cells(architecture, patches, cells, rng, max_patterns):
    """Cells as `train_convex` takes them, as an object of the architecture."""
    if cells is None:
        return architecture.enumerate(patches, max_patterns)
    n, K, h = patches.shape
    if hasattr(cells, "architecture"):
        if cells.architecture != architecture.cells_of or not cells.fit(patches):
            raise ValueError(
                f"cells: expected those of these patches for architecture "
                f"{architecture.cells_of!r}, found cells of {cells.architecture!r}"
                f"{' of other patches' * (cells.architecture == architecture.cells_of)}; "
                "enumerate them again"
            )
        return cells
    if isinstance(cells, str):
        raise ValueError(
            f"cells: expected None for all, a number of gates, gates of shape ({h}, T), boolean "
            f"patterns of shape (P, {n}, {K}) or Cells, found {cells!r}"
        )
    if np.ndim(cells) == 0:
        if int(cells) != cells or cells < 1:
            raise ValueError(f"cells: expected at least 1 gate, found {cells}")
        cells = sample_gates(h, int(cells), rng)
    cells = np.asarray(cells)
    if cells.dtype != bool:
        if cells.ndim != 2 or cells.shape[0] != h:
            raise ValueError(
                f"cells: expected gates of shape ({h}, T), found {cells.shape}; gates are columns"
            )
        gates, cells = cells, np.empty((cells.shape[1], n, K), bool)
        for some in blocks(n, K * gates.shape[1]):
            cells[:, some] = architecture.gate(np.moveaxis(patches[some] @ gates, -1, 0))
        cells = distinct(cells)[0]
    if cells.ndim != 3 or cells.shape[1:] != (n, K):
        raise ValueError(f"cells: expected patterns of shape (P, {n}, {K}), found {cells.shape}")
    return architecture.restrict(patches, cells, max_patterns)
