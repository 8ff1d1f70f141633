"""Claim 9, Theorem 3.3: what is lost by averaging patches that lie within rho of each other.

gamma, gamma_avg and the mass near the boundary are those of one sample a seed, on which the
corrected bound is an exact inequality; L_cross and mu are the population's, by quadrature.
"""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.du2018.laws import arc_moment, density, patch_band, sample_patch_angles, unit_vectors
from cnntheory.du2018.smoothness import patch_growth, sample_moments
from workflow.scripts import step
from workflow.scripts.du2018.plane import W_STAR
from workflow.scripts.step import Count, Positive


def near_boundary(z, normal, rho):
    """Whether unit vectors lie within rho <= pi / 2 of the edge of the half-plane of `normal`."""
    return np.abs(z @ normal) <= np.sin(rho)


def on_one_sample(angles, phi):
    """gamma, gamma_avg, rho and the mass near the boundary of a sample, least over both sides."""
    z = unit_vectors(angles)
    average = np.einsum("nkp->np", z) / z.shape[1]  # a mean along few takes five times as long
    length = np.linalg.norm(average, axis=-1)
    cosine = np.einsum("nkp,np->nk", z, average) / length[:, None]
    rho = float(np.arccos(np.clip(cosine.min(), -1, 1)))
    direction = average / length[:, None]
    gammas, averages, masses = [], [], []
    for side in (phi, -phi):
        w = np.array([np.cos(side), np.sin(side)])
        for found, patches in ((gammas, z), (averages, average[:, None])):
            moments = sample_moments(w, W_STAR, patches, ["pp,pp"])
            found.append(np.linalg.eigvalsh(moments["pp,pp"])[0])
        inside = (average @ w >= 0) & (average @ W_STAR >= 0)
        near = near_boundary(direction, w, rho) | near_boundary(direction, W_STAR, rho)
        masses.append((inside & near).mean())
    return min(gammas), min(averages), rho, max(masses)


def boundary_density(law, rho):
    """mu: supremum over d <= rho and u of P(abs(theta(Z_i, u) - pi/2) <= d) / d."""
    return max(
        (mass_near(law, u - np.pi / 2, d) + mass_near(law, u + np.pi / 2, d)) / d
        for d in rho * np.array([0.01, 0.1, 0.3, 1.0])
        for u in np.linspace(0, np.pi / 2, 13)
    )


def mass_near(law, edge, d):
    """P(a patch's angle lies within d of `edge`): quadrature over the base patch, which is split
    where the law jumps and where a patch of the spread's whole width begins to reach the edge."""
    width = law.spread.half_width
    kinks = [edge + side * width + end * d for side in (-1, 1) for end in (-1, 1)]
    cuts = np.mod(np.array(kinks) + np.pi, 2 * np.pi) - np.pi
    cuts = np.unique(np.concatenate([cuts, np.linspace(-np.pi, np.pi, 33)]))
    x, weight = np.polynomial.legendre.leggauss(10)
    half = np.diff(cuts)[:, None] / 2
    base = (cuts[:-1, None] + half + half * x).ravel()
    weight = (half * weight).ravel() * density(law.base, base)
    return weight @ arc_moment(law.spread, edge - d, edge + d, 0, shift=base)


class Options(step.Options):
    """Claim 9, Theorem 3.3: averaging patches that are close."""

    trials: Annotated[int, Field(ge=2)] = Field(description="samples drawn per cell")
    samples: Count = Field(description="inputs of a sample")
    patches: Count = Field(description="k")
    spreads: list[Positive] = Field(min_length=1, description="half-widths of the patches' angles")
    base_sigmas: list[Positive] = Field(min_length=1, description="boundary densities")
    phi: Annotated[float, Field(gt=0, lt=np.pi)] = Field(np.pi / 6, description="angle of w to w*")


def measure(options, rng):
    cells = [(sigma, spread) for sigma in options.base_sigmas for spread in options.spreads]
    rows = []
    for sigma, spread in step.progress(cells, label="closeness", unit="cell"):
        law = patch_band(sigma, spread, options.patches)
        _, l_cross = patch_growth(law)
        mu = boundary_density(law, spread)
        for trial in range(options.trials):
            draws = rng(f"base {sigma}", trial)
            angles = sample_patch_angles(law, draws, (options.samples,))
            gamma, gamma_avg, rho, mass = on_one_sample(angles, options.phi)
            rows.append(
                dict(
                    base_sigma=sigma,
                    spread=spread,
                    seed=trial,
                    rho=rho,
                    gamma=gamma,
                    gamma_avg=gamma_avg,
                    boundary_mass=mass,
                    l_cross=l_cross,
                    mu=mu,
                )
            )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
