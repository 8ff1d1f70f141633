"""Made-up tables of property P2."""

import numpy as np
import pandas as pd

CONSTANT = 1 / 4 - 1 / (2 * np.pi)


def made(claim, good):
    sigma = np.geomspace(0.05, 20, 13)
    rho = {
        "relu": np.full(13, CONSTANT + 9e-5),
        "squared_relu": sigma**2.004,
        "tanh": -np.abs(np.log(sigma / (0.98 if good else 1.4))),
        "linear": np.full(13, -1.0),
        "quadratic": np.full(13, 0.9e-10),
    }
    if not good and claim == "Z1-relu":
        rho["relu"][5] -= 2e-4
    if not good and claim == "Z1-square":
        rho["squared_relu"] = sigma**2.006
    if not good and claim == "Z1x":
        rho["quadratic"][-1] = 1.1e-10
    parts = [
        pd.DataFrame({"activation": activation, "sigma": sigma, "quantity": quantity, "value": v})
        for activation, value in rho.items()
        # A term is no rho, and a magnitude outside the range is not judged.
        for quantity, v in (("rho", value), ("alpha_0^2", 7 - sigma))
    ]
    beyond = pd.DataFrame(
        {"activation": list(rho), "sigma": 30.0, "quantity": "rho", "value": -5.0}
    )
    beyond.loc[beyond.activation == "tanh", "value"] = 5.0
    return {"rho": pd.concat([*parts, beyond], ignore_index=True)}
