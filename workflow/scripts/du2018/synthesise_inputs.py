"""Draw the synthetic inputs of Figures 3a (one neuron) and 3b (patches), as signed angles to w*.

One array ``(levels, trials, samples, patches)``, float64, radians. All levels of a trial share
their randomness, so that they are compared in pairs.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from cnntheory.du2018.laws import AngularLaw, PatchLaw, mixture, patch_mixture, sample_patch_angles
from workflow.scripts import step
from workflow.scripts.step import Count, Spread, SpreadOrNone


class Options(step.Options):
    """Figures 3a, 3b: the synthetic inputs."""

    case: Literal["neuron", "patches", "close_patches"] = Field(
        description="one neuron (Figure 3a), the patches of Figure 3b, or patches to which Theorem "
        "3.1 applies"
    )
    trials: Count = Field(description="samples drawn per level")
    samples: Count = Field(description="inputs of a sample")
    sigmas: list[SpreadOrNone] = Field(
        min_length=2,
        description="levels, `.inf` is uniform: spread of the input, or of the patches around the "
        "base patch where there is one",
    )
    base_sigma: Spread | None = Field(
        None, description="spread of the base patch, `.inf` is uniform"
    )
    patches: Count = Field(1, description="k")


def law_of(options, sigma):
    """Law of the patches at one level."""
    if options.base_sigma is None:
        return PatchLaw(mixture(sigma), AngularLaw(0.0, (0.0,), np.pi), 1)
    return patch_mixture(options.base_sigma, sigma, options.patches)


def measure(options, rng):
    shape = (len(options.sigmas), options.trials, options.samples, options.patches)
    angles = np.empty(shape)
    for i, sigma in enumerate(step.progress(options.sigmas, label="inputs", unit="level")):
        law = law_of(options, sigma)
        for trial in range(options.trials):
            draws = rng("angles", trial)
            angles[i, trial] = sample_patch_angles(law, draws, (options.samples,))
    return angles


if __name__ == "__main__":
    step.main(Options, measure, tables=("angles",))
