"""Z1: the non-linearity rho(sigma) of each activation and the terms whose minimum it is."""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.zhong2017 import ACTIVATIONS
from workflow.scripts import step

TERMS = (
    "beta_0 - alpha_0^2 - alpha_1^2",
    "beta_2 - alpha_1^2 - alpha_2^2",
    "alpha_0 alpha_2 - alpha_1^2",
    "alpha_0^2",
)


class Options(step.Options):
    """Z1, property P2: the non-linearity rho of each activation."""

    points: Annotated[int, Field(ge=5)] = Field(description="magnitudes between 0.05 and 20")


def measure(options):
    # The magnitudes of the authors' table, 0.1, 1 and 10, are among the points.
    sigma = np.union1d(np.geomspace(0.05, 20, options.points), [0.1, 1.0, 10.0])
    tables = []
    for name, activation in ACTIVATIONS.items():
        values = (activation.rho(sigma), *activation.rho_terms(sigma))
        for quantity, value in zip(("rho", *TERMS), values, strict=True):
            columns = {"activation": name, "sigma": sigma, "quantity": quantity}
            tables.append(pd.DataFrame(columns | {"value": value}))
    return pd.concat(tables)


if __name__ == "__main__":
    step.main(Options, measure)
