"""Claim 11c, Corollary 3.1: random starts inside phi*, where gamma(phi*) = 6 L_cross.

For laws of patches in the plane phi* comes by quadrature. Starts are uniform in the ball of radius
||w*|| cos(phi*); a success starts at phi_0 <= phi* and is led to w* by population descent.
"""

from itertools import islice

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.descent import gradient_descent
from cnntheory.du2018.laws import patch_mixture
from cnntheory.du2018.smoothness import patch_constants, patch_growth
from cnntheory.du2018.starts import ball, good_probability, is_good, paper_bound
from workflow.scripts import step
from workflow.scripts.du2018.check_convolution_rate import population_gradient
from workflow.scripts.du2018.plane import W_STAR, distance
from workflow.scripts.step import Count, Positive


def condition_angle(law, points=501):
    """phi*, the largest angle up to which ``gamma(phi) >= 6 L_cross``, and L_cross; 0 if none."""
    phi = np.linspace(0, np.pi, points)
    l_cross = patch_growth(law)[1]
    holds = np.minimum.accumulate(patch_constants(law, phi).gamma >= 6 * l_cross)
    return (phi[holds][-1] if holds.any() else 0.0), l_cross


class Options(step.Options):
    """Claim 11c, Corollary 3.1: random starts where Theorem 3.1 applies."""

    draws: Count = Field(description="starts a law")
    base_sigma: Positive = Field(description="spread of the base patch")
    patch_sigmas: list[Positive] = Field(
        min_length=1,
        description="spread of the patches; left out unless 0 < cos(phi*) < 1 / sqrt(16 pi)",
    )
    patches: Count = Field(description="k")
    iterations: Count = Field(description="steps of size 1")
    tolerance: Positive = Field(1e-3, description="distance that counts as recovery")


def measure(options, rng):
    rows = []
    for sigma in step.progress(options.patch_sigmas, label="laws", unit="law"):
        law = patch_mixture(options.base_sigma, sigma, options.patches)
        phi, l_cross = condition_angle(law)
        alpha = np.cos(phi)
        # Otherwise the corollary says nothing (or every small ball will do).
        if not 0 < alpha < 1 / np.sqrt(8 * np.pi * 2):
            continue
        start = ball(rng(f"sigma {sigma}", 0), 2, alpha, (options.draws,))
        iterates = gradient_descent(population_gradient(law), start, 1.0)
        w = next(islice(iterates, options.iterations, None))
        success = is_good(start, W_STAR, alpha) & (distance(w) <= options.tolerance)
        rows.append(
            dict(
                base_sigma=options.base_sigma,
                patch_sigma=sigma,
                dimension=2,
                phi=phi,
                alpha=alpha,
                l_cross=l_cross,
                draws=options.draws,
                successes=int(success.sum()),
                exact=good_probability(2, alpha),
                bound=paper_bound(2, alpha),
            )
        )
    if not rows:
        raise ValueError("no patch sigma has cos(phi*) in the range of Corollary 3.1")
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
