"""Claim 7, Theorem 3.1: where gamma(phi_0) > 6 L_cross, over base sigma and patch sigma_2.

All constants by quadrature; no randomness.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.du2018.laws import patch_mixture
from cnntheory.du2018.rates import distance_angle
from cnntheory.du2018.smoothness import patch_constants, patch_growth
from workflow.scripts import step


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        base_sigmas=json.loads,
        patch_sigmas=json.loads,
        patches=int,
        distance=float,
    )
    phi = np.array([float(distance_angle(args.distance))])
    rows = []
    cells = [(base, patch) for base in args.base_sigmas for patch in args.patch_sigmas]
    for base, patch in step.progress(cells, label="phase diagram", unit="cell"):
        law = patch_mixture(base, patch, args.patches)
        constants = patch_constants(law, np.concatenate([phi, np.linspace(0, phi[0], 20)]))
        beta, l_cross = patch_growth(law)
        rows.append(
            dict(
                base_sigma=base,
                patch_sigma=patch,
                patches=args.patches,
                phi=phi[0],
                gamma=constants.gamma.min(),
                lipschitz=constants.lipschitz.max(),
                beta=beta,
                l_cross=l_cross,
            )
        )
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
