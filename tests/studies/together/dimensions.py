"""Made-up tables of the samples needed: every method has an n_50 of its own."""

import pandas as pd

RATIOS = (1, 2, 3, 5, 8)
EXPONENTS = {"T30-random": "random", "T30-tensor": "tensor", "T30x": "span"}
BETTER = {
    "T32": ("tensor", "random"),
    "T32x": ("local", "random"),
}


def made(claim, good):
    """Data sets are recovered from n = needed p on, some sooner than others."""
    needed = {"tensor": 4.0, "random": 4.0, "local": 4.0, "convex": 4.0, "span": 4.0}
    growth = dict.fromkeys(needed, 1.0)
    if claim in EXPONENTS:
        growth[EXPONENTS[claim]] = 1.0 if good else 0.5
    elif claim.startswith("T31"):
        needed["convex"] = {"T31": 4.0 if good else 8.0, "T31x": 1.0 if good else 4.0}[claim]
    elif not good:
        needed[BETTER[claim][0]] = 1.5
    rows = [
        (
            method,
            p,
            ratio * p,
            seed,
            0.001 if ratio * p >= least * p ** growth[method] * ease else 0.1,
        )
        for method, least in needed.items()
        for p in (2, 3, 6, 12)
        if method != "convex" or p < 6
        for ratio in RATIOS
        for seed in range(24)
        for ease in [0.6 + 0.8 * seed / 23]
    ]
    columns = ["method", "patch_size", "samples", "seed", "test_error"]
    return {"dimensions": pd.DataFrame(rows, columns=columns).assign(data="synthetic")}
