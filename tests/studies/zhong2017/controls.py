"""Made-up tables of the controls N1 to N3."""

import pandas as pd


def made(claim, good):
    bad = None if good else claim
    runs = []
    for study, activation, key in (
        ("control", "linear", "N1-linear"),
        ("control", "quadratic", "N1-quadratic"),
        ("few", "tanh", "N3"),
        ("few", "erf", "N3"),
        # Not judged here, and bad.
        ("local", "tanh", None),
        ("local", "linear", None),
        ("local", "quadratic", None),
    ):
        for seed in range(12):
            # The luckiest run counts, and another control's or a near start is none.
            error = 1.0 if key == claim else 1e-9
            if key == claim and seed == 3 and activation != "tanh":
                error = 0.0099 if good else 0.0101
            runs.append(
                dict(study=study, activation=activation, seed=seed, patch_size=5, kernels=3)
                | dict(max_error=error, end_loss=1e-30, null_directions=3)
            )
    ends = []
    for study in ("duplicated", "rank 2", "patches"):
        for activation in ("relu", "tanh"):
            for seed in range(12):
                one = seed == 3 and activation == "tanh"
                smallest = 1.0 if study == "patches" else 2e-6
                if study == "duplicated":
                    # The largest counts, of either sign.
                    smallest = -2.2e-12 if one and bad == "N2" else -1e-12
                if study == "rank 2" and one and bad == "N2b":
                    smallest = 1e-6
                ends.append(
                    dict(study=study, activation=activation, seed=seed)
                    | dict(smallest=smallest, largest=1.9)
                )
    return {"gd": pd.DataFrame(runs), "spectrum": pd.DataFrame(ends)}
