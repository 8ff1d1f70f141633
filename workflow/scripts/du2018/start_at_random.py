"""Claim 11, Theorem 3.4: how often a random start lies close enough, against p and its radius."""

import json

import numpy as np
import pandas as pd

from cnntheory.du2018.starts import (
    ball,
    good_probability,
    is_good,
    paper_bound,
    sharper_bound,
    unscaled_bound,
)
from workflow.scripts import step


def run():
    args = step.arguments(
        __doc__, ["table"], seed=int, draws=int, dimensions=json.loads, fractions=json.loads
    )
    rows = []
    for p in step.progress(args.dimensions, label="dimensions", unit="dimension"):
        for fraction in args.fractions:
            alpha = fraction / np.sqrt(2 * np.pi * p)
            rng = step.generator(args.seed, "start_at_random", f"R^{p}, {fraction}", 0)
            good = is_good(ball(rng, p, alpha, (args.draws,)), np.eye(p)[0], alpha)
            rows.append(
                dict(
                    dimension=p,
                    fraction=fraction,
                    alpha=alpha,
                    draws=args.draws,
                    successes=int(good.sum()),
                    exact=good_probability(p, alpha),
                    bound=paper_bound(p, alpha),
                    sharper_bound=sharper_bound(p, alpha),
                    unscaled_bound=unscaled_bound(p, alpha),
                )
            )
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
