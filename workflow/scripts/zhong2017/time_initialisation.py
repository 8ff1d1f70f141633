"""T4: seconds of the tensor initialisation against the dimension d = r k, at a fixed n."""

import time

import pandas as pd
from pydantic import Field

from cnntheory.zhong2017 import draw_teacher, network_output
from workflow.scripts import step
from workflow.scripts.step import Count
from workflow.scripts.zhong2017.activations import Identifiable
from workflow.scripts.zhong2017.starts import start_from_tensor


class Options(step.Options):
    """Theorem T4: seconds of the tensor initialisation against d, drawn and not judged."""

    trials: Count = Field(description="teachers with their samples, each timed")
    activations: list[Identifiable] = Field(min_length=1, description="phi")
    samples: Count = Field(description="n")
    kernels: Count = Field(description="t")
    cells: list[tuple[Count, Count]] = Field(min_length=2, description="of k and r")


def measure(options, rng):
    rows = []
    for k, r in step.progress(options.cells, label="seconds", unit="cell"):
        for trial in range(options.trials):
            draws = rng(f"k {k}, r {r}", trial)
            teacher = draw_teacher(options.kernels, k, rng=draws)
            patches = draws.standard_normal((options.samples, r, k))
            for activation in options.activations:
                y = network_output(teacher, patches, activation)
                begun = time.perf_counter()
                start_from_tensor(patches, y, options.kernels, activation)
                seconds = time.perf_counter() - begun
                rows.append(
                    {
                        "activation": activation,
                        "patch_size": k,
                        "patches": r,
                        "kernels": options.kernels,
                        "samples": options.samples,
                        "seed": trial,
                        "seconds": seconds,
                    }
                )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
