"""Made-up tables of T5: tensor, random and local starts."""

import pandas as pd

RUNS = 40


def problem(recovered):
    """As many runs recovered as told, by start."""
    rows = [
        dict(start=start, seed=seed, max_error=0.0095 if seed < count else 0.0105)
        for start, count in recovered.items()
        for seed in range(RUNS)
    ]
    return pd.DataFrame(rows)


def made(claim, good):
    # Of 40 runs each, 38 against 29 differ at the level of 1 %, 38 against 30 do not.
    decisive = {"tensor": 38, "random": 29, "local": 40}
    undecided = decisive | {"random": 30}
    tables = dict.fromkeys(("starts_relu_8", "starts_erf_5_few"), problem(undecided))
    for key, name in (("Z11", "starts_relu_12"), ("Z11x", "starts_erf_5")):
        tables[name] = problem(decisive if good == (key == claim) else undecided)
    # Four tests: 38 against 27 of 40 is enough for all four, 38 against 28 is not. What local
    # starts do is not judged.
    one = decisive | {"random": 27 if good and claim == "Z11b" else 28}
    cells = [("tanh", 8, one), ("tanh", 4, undecided), ("erf", 8, undecided), ("erf", 4, undecided)]
    tables["starts"] = pd.concat(
        problem(counts).assign(activation=phi, patch_size=k, kernels=k, kappa=2.0, samples=100)
        for phi, k, counts in cells
    )
    return tables
