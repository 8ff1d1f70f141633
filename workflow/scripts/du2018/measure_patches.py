"""Figures 1 and 2 from data: how close patches lie, where their mass is, the region curves.

Figure 1 (b): angle of a patch to the average patch of its image, beside patches gathered from
different images and independent Gaussian ones. Figure 1 (c): angle of a patch to the teacher.
Figure 2 (b): gamma, L and the wrong region's eigenvalue. Patches without ink have no angle and are
left out of the angles; they count in the second moments, to which they add nothing.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.du2018.condition import check_condition
from cnntheory.du2018.laws import density, mixture
from cnntheory.du2018.smoothness import angular_constants, gaussian_constants
from workflow.scripts import step
from workflow.scripts.du2018.draw_teacher import weights_of
from workflow.scripts.step import Count

BINS = np.linspace(0, np.pi, 45)  # 90 degrees, where laws may jump, is an edge
MIDDLES = (BINS[1:] + BINS[:-1]) / 2


def angles_to_average(z):
    """Angles of the non-zero patches ``(n, k, p)`` to the average patch of their image."""
    average = z.mean(axis=1)
    lengths = np.linalg.norm(z, axis=-1) * np.linalg.norm(average, axis=-1)[:, None]
    dots = np.einsum("nkp,np->nk", z, average)
    keep = lengths > 0
    return np.arccos(np.clip(dots[keep] / lengths[keep], -1, 1))


def angles_to(w, z):
    """Angles of the non-zero patches to the filter."""
    rows = z.reshape(-1, z.shape[-1])
    lengths = np.linalg.norm(rows, axis=-1) * np.linalg.norm(w)
    keep = lengths > 0
    return np.arccos(np.clip(rows[keep] @ w / lengths[keep], -1, 1))


def histogram(quantity, law, angles, trial):
    counts, _ = np.histogram(angles, BINS, density=True)
    return angle_table(quantity, law, trial, counts)


def angle_table(quantity, law, trial, values):
    return pd.DataFrame(dict(quantity=quantity, law=law, seed=trial, phi=MIDDLES, density=values))


def region_tables(law, trial, phi, constants):
    """gamma, L and the wrong region's eigenvalue, a table each."""
    return [
        pd.DataFrame(dict(law=law, seed=trial, phi=phi, quantity=quantity, value=values))
        for quantity, values in zip(("gamma", "L", "wrong"), constants, strict=True)
    ]


class Options(step.Options):
    """Figures 1, 2: angles and region curves of the image patches."""

    trials: Count = Field(description="random teachers looked at, at most")
    images: Count = Field(description="looked at for each teacher, at most")
    directions: Count = Field(description="random directions over which gamma is minimised")


def measure(options, rng, patches, teachers, source):
    name = source["data"].split(" (")[0]
    phi = np.linspace(0, np.pi, 19)[1:-1]
    geometry, regions = [], []
    w_star = list(weights_of(teachers, "random")[: options.trials])
    for trial, w in enumerate(step.progress(w_star, label="patches", unit="teacher")):
        draws = rng("images", trial)
        count = min(options.images, len(patches))
        z = patches[np.sort(draws.choice(len(patches), count, replace=False))] / 255.0
        n, k, p = z.shape
        mixed = z.reshape(-1, p)[draws.permutation(n * k)].reshape(z.shape)
        noise = draws.standard_normal(z.shape)
        geometry += [
            histogram("to average", f"{name} images", angles_to_average(z), trial),
            histogram("to average", "patches of different images", angles_to_average(mixed), trial),
            histogram("to average", "Gaussian patches", angles_to_average(noise), trial),
            histogram("to teacher", f"{name} patches", angles_to(w, z), trial),
            histogram("to teacher", "Gaussian patches", angles_to(w, noise), trial),
        ]
        found = check_condition(
            z, filters=w[None], angles=phi, directions=options.directions, rng=draws
        )
        constants = (found.gamma[0, 1:], found.lipschitz[0, 1:], found.wrong[0, 1:])
        regions += region_tables(f"{name} images", trial, phi, constants)
    for sigma in (0.3, 1.0):
        # Both ends of w* look alike to an unsigned angle: the law is folded onto [0, pi].
        folded = density(mixture(sigma), MIDDLES) + density(mixture(sigma), -MIDDLES)
        geometry.append(angle_table("to teacher", f"mixture, sigma = {sigma:g}", 0, folded))
    fine = np.linspace(0, np.pi, 91)
    regions += region_tables("Gaussian", 0, fine, gaussian_constants(fine))
    regions += region_tables("mixture, sigma = 0.3", 0, fine, angular_constants(mixture(0.3), fine))
    return {"geometry": pd.concat(geometry), "regions": pd.concat(regions)}


if __name__ == "__main__":
    step.main(Options, measure, tables=("geometry", "regions"))
