"""Figures 1 and 2 from data: how close patches lie, where their mass is, the region curves.

Figure 1 (b): angle of a patch to the average patch of its image, beside patches gathered from
different images and independent Gaussian ones. Figure 1 (c): angle of a patch to the teacher.
Figure 2 (b): gamma, L and the wrong region's eigenvalue. Patches without ink have no angle and are
left out of the angles; they count in the second moments, to which they add nothing.
"""

import numpy as np
import pandas as pd

from cnntheory.du2018.laws import density, mixture
from cnntheory.du2018.smoothness import angular_constants, gaussian_constants, sample_constants
from workflow.scripts import step

BINS = np.linspace(0, np.pi, 45)  # 90 degrees, where laws may jump, is an edge
IMAGES = 1000
DIRECTIONS = 4


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


def histogram(quantity, law, angles, seed):
    counts, _ = np.histogram(angles, BINS, density=True)
    return pd.DataFrame(
        dict(quantity=quantity, law=law, seed=seed, phi=(BINS[1:] + BINS[:-1]) / 2, density=counts)
    )


def run():
    args = step.arguments(
        __doc__,
        ["geometry", "regions"],
        patches=step.Path,
        teachers=step.Path,
        source=step.Path,
        seed=int,
    )
    source = step.source(args.source)
    data = source["data"]
    name = data if data == "MNIST" else data.split(" (")[0]
    images = np.load(args.patches, mmap_mode="r")
    teachers = step.read_table(args.teachers).query("teacher == 'random'")
    w_star = teachers.pivot(index="seed", columns="pixel", values="weight").to_numpy()
    geometry, regions = [], []
    phi = np.linspace(0, np.pi, 19)[1:-1]
    for seed, w in enumerate(step.progress(list(w_star), label="patches", unit="seed")):
        rng = step.generator(args.seed, "measure_patches", "images", seed)
        z = (
            images[np.sort(rng.choice(len(images), min(IMAGES, len(images)), replace=False))]
            / 255.0
        )
        n, k, p = z.shape
        mixed = z.reshape(-1, p)[rng.permutation(n * k)].reshape(z.shape)
        noise = rng.standard_normal(z.shape)
        geometry += [
            histogram("to average", f"{name} images", angles_to_average(z), seed),
            histogram("to average", "patches of different images", angles_to_average(mixed), seed),
            histogram("to average", "Gaussian patches", angles_to_average(noise), seed),
            histogram("to teacher", f"{name} patches", angles_to(w, z), seed),
            histogram("to teacher", "Gaussian patches", angles_to(w, noise), seed),
        ]
        across = rng.standard_normal((DIRECTIONS, p))
        across -= across @ w[:, None] * w
        across /= np.linalg.norm(across, axis=-1, keepdims=True)
        filters = np.cos(phi)[None, :, None] * w + np.sin(phi)[None, :, None] * across[:, None]
        found = sample_constants(filters, w, z)
        regions += [
            pd.DataFrame(
                dict(law=f"{name} images", seed=seed, phi=phi, quantity=quantity, value=values)
            )
            for quantity, values in zip(("gamma", "L", "wrong"), found, strict=True)
        ]
    for sigma in (0.3, 1.0):
        # Both ends of w* look alike to an unsigned angle: the law is folded onto [0, pi].
        middle = (BINS[1:] + BINS[:-1]) / 2
        geometry.append(
            pd.DataFrame(
                dict(
                    quantity="to teacher",
                    law=f"mixture, sigma = {sigma:g}",
                    seed=0,
                    phi=middle,
                    density=density(mixture(sigma), middle) + density(mixture(sigma), -middle),
                )
            )
        )
    fine = np.linspace(0, np.pi, 91)
    for law, constants in (
        ("Gaussian", gaussian_constants(fine)),
        ("mixture, sigma = 0.3", angular_constants(mixture(0.3), fine)),
    ):
        regions += [
            pd.DataFrame(dict(law=law, seed=0, phi=fine, quantity=quantity, value=values))
            for quantity, values in zip(("gamma", "L", "wrong"), constants, strict=True)
        ]
    step.write_table(pd.concat(geometry), args.geometry, args, data)
    step.write_table(pd.concat(regions), args.regions, args, data)


if __name__ == "__main__":
    step.main(run)
