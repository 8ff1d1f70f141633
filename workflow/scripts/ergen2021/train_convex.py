"""Claims 1-3: networks of average and max pooling, trained to certified optimality.

Small Gaussian instances. Table: the convex program's value (column program), the objective of the
network mapped back, and the dual bound. Networks and dual points are stored too.
"""

from typing import Literal

import numpy as np
import pandas as pd

from cnntheory.ergen2021 import train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import (
    INSTANCE,
    Instances,
    network_rows,
    solve_instances,
)


class Options(Instances):
    """Claims 1-3: architectures whose optimum is a network of filters and scalar weights."""

    case: Literal["fully_connected", "average", "max"]


def measure(options, rng):
    rows, networks, duals = [], [], []
    for row, (patches, y, beta), solution in solve_instances(options, rng):
        if options.case == "average":
            # What one finds who takes beta for the weight decay beta / 2 (control 1x).
            row["doubled"] = train_convex(patches, y, 2 * beta).program
        rows.append(row)
        labels = {key: row[key] for key in INSTANCE}
        network = solution.network
        networks.append(network_rows(network.filters, network.weights, **labels))
        point = {"sample": np.arange(len(y)), "value": solution.dual}
        duals.append(pd.DataFrame(point).assign(**labels))
    return {
        "table": pd.DataFrame(rows),
        "networks": pd.concat(networks),
        "duals": pd.concat(duals),
    }


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "networks", "duals"))
