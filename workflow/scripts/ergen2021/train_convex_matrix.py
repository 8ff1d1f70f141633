"""Claims 1-3, 10: architectures whose optimum is a matrix, trained to certified optimality.

As train_convex, for networks whose regulariser is a norm of matrices, or of spectra. Where the
paper's regulariser is only a relaxation, the values of the relaxed programs are in the table too.
"""

from typing import Literal

import pandas as pd

from cnntheory.ergen2021 import relax
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import ARCHITECTURES, Instances, solve_instances

# Where the exact regulariser is another than these norms, and their programs lower bounds.
RELAXED = ("unpooled", "two_relu_shared")
PENALTIES = ("frobenius", "nuclear")


class Options(Instances):
    """Claims 1-3, 10: architectures whose optimum is a matrix, or a spectrum (circular)."""

    case: Literal["linear", "unpooled", "circular", "two_relu_shared", "two_relu_unshared"]


def measure(options, rng):
    rows = []
    for row, problem, _ in solve_instances(options, rng):
        for penalty in PENALTIES if options.case in RELAXED else ():
            network = ARCHITECTURES[options.case]
            row[penalty] = relax(*problem, architecture=network, penalty=penalty).program
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
