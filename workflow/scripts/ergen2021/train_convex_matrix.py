"""Claims 1-3, 10: architectures whose optimum is a matrix, trained to certified optimality.

As train_convex, for networks whose regulariser is a norm of matrices, or of spectra. Where the
paper's regulariser is only a relaxation, the values of the relaxed programs are in the table too.
"""

from functools import partial
from typing import Literal

import pandas as pd

from cnntheory.ergen2021.circular import beta_max_circular, train_circular
from cnntheory.ergen2021.linear import beta_max_linear, train_linear
from cnntheory.ergen2021.two_relu import beta_max_two_relu, relax_two_relu, train_two_relu
from cnntheory.ergen2021.unpooled import beta_max_unpooled, relax_unpooled, train_unpooled
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import Instances, solve_instances

# The least beta at which the zero network is optimal, and the certified solution.
PROGRAMS = {
    "linear": (beta_max_linear, train_linear),
    "unpooled": (beta_max_unpooled, train_unpooled),
    "circular": (beta_max_circular, train_circular),
    "two_relu_shared": (
        partial(beta_max_two_relu, shared=True),
        partial(train_two_relu, shared=True),
    ),
    "two_relu_unshared": (
        partial(beta_max_two_relu, shared=False),
        partial(train_two_relu, shared=False),
    ),
}
# Where the exact regulariser is another than these norms, and their programs lower bounds.
RELAXED = {"unpooled": relax_unpooled, "two_relu_shared": relax_two_relu}
PENALTIES = ("frobenius", "nuclear")


class Options(Instances):
    """Claims 1-3, 10: architectures whose optimum is a matrix, or a spectrum (circular)."""

    case: Literal["linear", "unpooled", "circular", "two_relu_shared", "two_relu_unshared"]


def measure(options, rng):
    rows = []
    for row, problem, _ in solve_instances(options, rng, *PROGRAMS[options.case]):
        if relax := RELAXED.get(options.case):
            row |= {penalty: relax(*problem, penalty).program for penalty in PENALTIES}
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
