"""Claim 7, Theorem 3.1: where gamma(phi_0) > 6 L_cross, over base sigma and patch sigma_2.

All constants by quadrature; no randomness.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.du2018.laws import patch_mixture
from cnntheory.du2018.rates import distance_angle
from cnntheory.du2018.smoothness import patch_constants, patch_growth
from workflow.scripts import step
from workflow.scripts.step import Count, Positive, Share


class Options(step.Options):
    """Claim 7, Theorem 3.1: the phase diagram of its condition."""

    base_sigmas: list[Positive] = Field(min_length=1, description="rows of the grid")
    patch_sigmas: list[Positive] = Field(
        min_length=1, description="columns of the grid, on both sides of the condition"
    )
    patches: Count = Field(description="k")
    distance: Share = Field(description="of the start")


def measure(options):
    phi = np.array([float(distance_angle(options.distance))])
    rows = []
    cells = [(base, patch) for base in options.base_sigmas for patch in options.patch_sigmas]
    for base, patch in step.progress(cells, label="phase diagram", unit="cell"):
        law = patch_mixture(base, patch, options.patches)
        constants = patch_constants(law, np.concatenate([phi, np.linspace(0, phi[0], 20)]))
        beta, l_cross = patch_growth(law)
        rows.append(
            dict(
                base_sigma=base,
                patch_sigma=patch,
                patches=options.patches,
                phi=phi[0],
                gamma=constants.gamma.min(),
                lipschitz=constants.lipschitz.max(),
                beta=beta,
                l_cross=l_cross,
            )
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
