"""Draw the synthetic inputs of Figures 3a (one neuron) and 3b (patches), as signed angles to w*.

One array ``(levels, seeds, samples, patches)``, float64, radians. All levels of a seed share their
randomness, so that they are compared in pairs.
"""

import json

import numpy as np

from cnntheory.du2018.laws import AngularLaw, PatchLaw, mixture, patch_mixture, sample_patch_angles
from workflow.scripts import step


def run():
    args = step.arguments(
        __doc__,
        ["angles"],
        seed=int,
        seeds=int,
        samples=int,
        sigmas=json.loads,
        base_sigma=(float, None),
        patches=(int, 1),
    )
    shape = (len(args.sigmas), args.seeds, args.samples, args.patches)
    angles = np.empty(shape)
    for i, sigma in enumerate(step.progress(args.sigmas, label="inputs", unit="level")):
        if args.base_sigma is None:
            law = PatchLaw(mixture(sigma), AngularLaw(0.0, (0.0,), np.pi), 1)
        else:
            law = patch_mixture(args.base_sigma, sigma, args.patches)
        for seed in range(args.seeds):
            rng = step.generator(args.seed, "synthesise_inputs", "angles", seed)
            angles[i, seed] = sample_patch_angles(law, rng, (args.samples,))
    with step.replacing(args.angles) as part, open(part, "wb") as file:
        np.save(file, angles)


if __name__ == "__main__":
    step.main(run)
