"""Claim 2: gamma, L and the wrong region's eigenvalue from samples, beside their closed forms.

Rayleigh quotients on the known eigenvectors are unbiased; the extreme eigenvalues of a sample are
not, and are kept to show it.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.du2018.laws import mixture, sample_angles, unit_vectors
from cnntheory.du2018.smoothness import gaussian_constants, sample_moments
from workflow.scripts import step

QUANTITIES = ("gamma", "L", "wrong")


def sample(law, dimension, rng, size):
    """One-patch inputs ``(n, 1, p)`` of a named law."""
    if law == "mixture":
        return unit_vectors(sample_angles(mixture(0.2), rng, (size, 1)), dimension, rng)
    z = rng.standard_normal((size, 1, dimension))
    return z / np.linalg.norm(z, axis=-1, keepdims=True) if law == "sphere" else z


def run():
    args = step.arguments(
        __doc__, ["table"], seed=int, seeds=int, samples=int, dimensions=json.loads, angles=int
    )
    phi = np.linspace(0, np.pi / 2, args.angles + 1)[1:]
    cells = [(law, p) for law in ("gaussian", "sphere") for p in args.dimensions]
    # The control: closed forms of the rotation-invariant law against a law that is not.
    cells.append(("mixture", 2))
    rows = []
    for law, p in step.progress(cells, label="laws", unit="law"):
        closed = gaussian_constants(phi)
        scale = 1 if law == "gaussian" else p
        for seed in range(args.seeds):
            rng = step.generator(args.seed, "estimate_smoothness", f"{law}{p}", seed)
            z = sample(law, p, rng, args.samples)
            w_star = np.eye(p)[0]
            for i, angle in enumerate(phi):
                w = np.cos(angle) * np.eye(p)[0] + np.sin(angle) * np.eye(p)[1]
                moments = sample_moments(w, w_star, z)
                # In the plane of w and w*: gamma along w - w*, L along w + w*, wrong along w - w*.
                minus, plus = (w - w_star) / np.linalg.norm(w - w_star), w + w_star
                plus = plus / np.linalg.norm(plus)
                both, wrong = moments["pp,pp"], moments["pm,pm"]
                eigenvalues = np.linalg.eigvalsh(both)
                found = {
                    "gamma": (minus @ both @ minus, eigenvalues[0]),
                    "L": (plus @ both @ plus, eigenvalues[-1]),
                    "wrong": (minus @ wrong @ minus, np.linalg.eigvalsh(wrong)[-1]),
                }
                for quantity, exact in zip(QUANTITIES, closed, strict=True):
                    rayleigh, eigenvalue = found[quantity]
                    rows.append(
                        dict(
                            law=law,
                            dimension=p,
                            seed=seed,
                            phi=angle,
                            quantity=quantity,
                            rayleigh_quotient=rayleigh,
                            eigenvalue=eigenvalue,
                            closed_form=exact[i] / scale,
                        )
                    )
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
