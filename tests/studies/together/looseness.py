"""Made-up table of what is proven and what is needed."""

import numpy as np
import pandas as pd

# Paper, number, constant, how it was found, what is left out, log10 of proven over needed.
NUMBERS = (
    ("du2018", "chance of a good random start", "stated", "exact", "", 0.1),
    ("du2018", "chance of a good random start", "stated", "exact", "sqrt(p)", -0.1),
    ("du2018", "steps to 1e-3, one filter", "stated", "sampled", "", 2.7),
    ("zhong2017", "least curvature at the truth", "taken as 1", "sampled", "", 0.9),
    ("zhong2017", "least curvature at the truth", "taken as 1", "searched", "", 0.15),
    ("zhong2017", "least curvature at the truth", "taken as 1", "searched", "1 / kappa", -1.7),
    ("zhong2017", "steps to 1e-3, several kernels", "taken as 1", "sampled", "", 1.7),
    ("ergen2021", "filters of an optimal network", "stated", "sampled", "", 0.07),
    ("ergen2021", "work of an exact solver", "taken as 1", "sampled", "", 5.8),
    ("allenzhu2019", "distance of inputs in a layer", "stated", "sampled", "", 0.2),
    ("allenzhu2019", "loss beyond its first order", "taken as 1", "sampled", "", 1.2),
    ("allenzhu2019", "loss beyond its first order", "taken as 1", "other end", "", 2.8),
    ("allenzhu2019", "loss beyond its first order", "taken as 1", "sampled", "growth in m", -0.6),
    ("allenzhu2019", "steps to 1e-3, wide network", "taken as 1", "sampled", "", 7.7),
    ("allenzhu2019", "width", "taken as 1", "sampled", "", 47.0),
    ("allenzhu2019", "width", "taken as 1", "sampled", "n^24", 14.0),
    ("allenzhu2019", "width, another account", "taken as 1", "sampled", "", 52.0),
)
# What is changed where a claim must not hold, or a control must: (number, found, left out).
BROKEN = {
    "T5": {("filters of an optimal network", "sampled", ""): -0.1},
    "T5b": {("steps to 1e-3, wide network", "sampled", ""): -0.1},
    "T6": {("distance of inputs in a layer", "sampled", ""): 0.5},
    "T7": {("work of an exact solver", "sampled", ""): 40.0},
    "T8": {("least curvature at the truth", "searched", ""): 0.95},
}
MENDED = {
    "T5x": {
        ("chance of a good random start", "exact", "sqrt(p)"): 0.05,
        ("least curvature at the truth", "searched", "1 / kappa"): -0.5,
        ("loss beyond its first order", "sampled", "growth in m"): -0.5,
    },
    "T6x": {
        ("steps to 1e-3, one filter", "sampled", ""): 0.1,
        ("steps to 1e-3, several kernels", "sampled", ""): 0.1,
        ("work of an exact solver", "sampled", ""): 0.1,
        ("steps to 1e-3, wide network", "sampled", ""): 0.1,
    },
    "T7x": {("width", "sampled", "n^24"): 40.0},
    "T8x": {("loss beyond its first order", "other end", ""): 0.5},
}


def made(claim, good):
    changed = MENDED.get(claim, {}) if good else BROKEN.get(claim, {})
    names = ["paper", "quantity", "constant", "found", "left_out", "looseness"]
    table = pd.DataFrame(NUMBERS, columns=names).merge(pd.DataFrame({"seed": range(12)}), "cross")
    keys = zip(table.quantity, table.found, table.left_out, strict=True)
    values = [changed.get(key, value) for key, value in zip(keys, table.looseness, strict=True)]
    return {
        "looseness": table.assign(
            looseness=np.array(values) + 0.005 * (-1.0) ** table.seed,
            version="Theorem 1: n^2",
            log10_proven=values,
            log10_needed=0.0,
            data="synthetic",
        )
    }
