"""Claim 2: gamma, L and the wrong region's eigenvalue from samples, beside their closed forms.

Rayleigh quotients on the known eigenvectors are unbiased; the extreme eigenvalues of a sample are
not, and are kept to show it.
"""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.du2018.laws import mixture, sample_angles, unit_vectors
from cnntheory.du2018.smoothness import gaussian_constants, sample_moments
from workflow.scripts import step
from workflow.scripts.step import Count

QUANTITIES = ("gamma", "L", "wrong")


def sample(law, dimension, draws, size):
    """One-patch inputs ``(n, 1, p)`` of a named law."""
    if law == "mixture":
        return unit_vectors(sample_angles(mixture(0.2), draws, (size, 1)), dimension, draws)
    z = draws.standard_normal((size, 1, dimension))
    return z / np.linalg.norm(z, axis=-1, keepdims=True) if law == "sphere" else z


def quotients(angle, z):
    """Quantity to (Rayleigh quotient, sample eigenvalue) of a filter at `angle` to w* = e_1.

    In the plane of w and w*: gamma along w - w*, L along w + w*, wrong along w - w*.
    """
    w_star, across = np.eye(z.shape[-1])[:2]
    w = np.cos(angle) * w_star + np.sin(angle) * across
    minus, plus = (v / np.linalg.norm(v) for v in (w - w_star, w + w_star))
    moments = sample_moments(w, w_star, z, ("pp,pp", "pm,pm"))
    both, wrong = moments["pp,pp"], moments["pm,pm"]
    eigenvalues = np.linalg.eigvalsh(both)
    return {
        "gamma": (minus @ both @ minus, eigenvalues[0]),
        "L": (plus @ both @ plus, eigenvalues[-1]),
        "wrong": (minus @ wrong @ minus, np.linalg.eigvalsh(wrong)[-1]),
    }


class Options(step.Options):
    """Claim 2: gamma, L and the wrong region's eigenvalue from samples."""

    trials: Annotated[int, Field(ge=2)] = Field(description="samples drawn per law and p")
    samples: Count = Field(description="inputs of a sample")
    dimensions: list[Annotated[int, Field(ge=2)]] = Field(min_length=1, description="p")
    angles: Count = Field(description="points in (0, pi/2]")


def measure(options, rng):
    phi = np.linspace(0, np.pi / 2, options.angles + 1)[1:]
    closed = dict(zip(QUANTITIES, gaussian_constants(phi), strict=True))
    cells = [(law, p) for law in ("gaussian", "sphere") for p in options.dimensions]
    # The control: closed forms of the rotation-invariant law against a law that is not.
    cells.append(("mixture", 2))
    rows = []
    for law, p in step.progress(cells, label="laws", unit="law"):
        scale = 1 if law == "gaussian" else p
        for trial in range(options.trials):
            z = sample(law, p, rng(f"{law}{p}", trial), options.samples)
            for i, angle in enumerate(phi):
                rows += [
                    dict(
                        law=law,
                        dimension=p,
                        seed=trial,
                        phi=angle,
                        quantity=quantity,
                        rayleigh_quotient=rayleigh,
                        eigenvalue=eigenvalue,
                        closed_form=closed[quantity][i] / scale,
                    )
                    for quantity, (rayleigh, eigenvalue) in quotients(angle, z).items()
                ]
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
