"""Made-up tables of T3, linear convergence."""

import pandas as pd


def made(claim, good):
    bad = None if good else claim
    rows = []
    for activation in ("squared_relu", "tanh", "erf"):
        for seed in range(12):
            wrong = activation == "tanh" and bad
            ratio = 1.025 + 0.001 * (seed % 3) + (0.01 if wrong and bad == "Z8" else 0)
            # The median does not see one trial.
            ratio = 9.0 if seed == 0 else ratio
            worst = wrong and seed == 4
            rows.append(
                dict(study="local", activation=activation, seed=seed, measured_rate=0.01 * ratio)
                | dict(monotone=True, straightness=0.998 if wrong and bad == "Z8d" else 0.9995)
                | dict(end_error=1.1e-12 if worst and bad == "Z8b" else 0.9e-12)
            )
            # Nor that it is crooked.
            rows[-1]["straightness"] -= 0.01 * (seed == 0)
            # Half the rate on the distance is enough on its square.
            fresh = 0.49 if worst and bad == "Z8c" else 0.51
            rows.append(
                dict(
                    study="resampled", activation=activation, seed=seed, measured_rate=0.01 * fresh
                )
                | dict(monotone=False, straightness=0.5, end_error=1e-3)
            )
    # Controls are no part of the claims.
    rows.append(rows[0] | dict(study="control", monotone=False, measured_rate=0.0, end_error=1.0))
    table = pd.DataFrame(rows).assign(predicted_rate=0.01)
    return {"gd": table, "gd_curves": None}
