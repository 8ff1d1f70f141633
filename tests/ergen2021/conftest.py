"""What several tests of this paper share."""

import cvxpy as cp
import numpy as np
import pytest


@pytest.fixture
def draw():
    """Patches (n, K, h) and labels (n,), Gaussian."""

    def draw(n, K, h, seed=0):
        rng = np.random.default_rng(seed)
        return rng.standard_normal((n, K, h)), rng.standard_normal(n)

    return draw


@pytest.fixture
def clarabel_value():
    """Value of the convex program over given patterns, its cones written out patch by patch."""

    def value(patches, y, beta, patterns, pooling, cones=True):
        h = patches.shape[2]
        variables, constraints, fit = [], [], 0
        for pattern in patterns:
            design = np.einsum("nk,nkh->nh", pattern, patches)
            for weight in (1, -1):
                c = cp.Variable(h)
                variables.append(c)
                fit = fit + weight * design @ c
                if not cones:
                    continue
                if pooling == "average":
                    side = np.where(pattern, 1.0, -1.0)
                    constraints.append((side[:, :, None] * patches).reshape(-1, h) @ c >= 0)
                    continue
                for sample, winners in zip(patches, pattern, strict=True):
                    if not winners.any():
                        constraints.append(sample @ c <= 0)
                        continue
                    winner = sample[winners.argmax()]
                    constraints += [winner @ c >= 0, (winner - sample) @ c >= 0]
        objective = cp.sum_squares(fit - y) / 2 + beta * sum(cp.norm(c) for c in variables)
        problem = cp.Problem(cp.Minimize(objective), constraints)
        return problem.solve(solver=cp.CLARABEL, tol_gap_rel=1e-9, tol_gap_abs=1e-9, tol_feas=1e-9)

    return value
