"""Claims 9b, 9x-9z: restarts of descent on circular networks beside the spectral l1 program.

Cases: ``three`` (L = 3, one filter of full length), ``product`` (L = 4, the product of the filters
bounded), ``short`` (control 9y: filters shorter than the signal), ``layers`` (control 9z: L = 4,
each filter bounded by itself). The decay beta is set so that beta / kappa, and with it the program,
is the same in all cases; column wrong_program is its value with kappa = 1 (control 9x).
"""

import math

import pandas as pd

from cnntheory.ergen2021.baselines import train_baseline
from cnntheory.ergen2021.circular import beta_max_circular, circular_kappa, train_circular
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import draw_signals

# Number of layers and what is bounded.
CASES = {
    "three": (3, "filter"),
    "product": (4, "product"),
    "short": (3, "filter"),
    "layers": (4, "filter"),
}


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        case=str,
        seed=int,
        seeds=int,
        samples=int,
        dimension=int,
        filter_length=(int, None),
        fraction=float,
        restarts=int,
        steps=int,
        step_size=(float, None),
    )
    d, (layers, constraint) = args.dimension, CASES[args.case]
    kappa = circular_kappa(layers, constraint, d)
    short = {} if args.filter_length is None else {"filter_length": args.filter_length}
    rows = []
    for seed in step.progress(range(args.seeds), label=args.case, unit="instance"):
        X, y = draw_signals(args.seed, seed, args.samples, d)
        unit = args.fraction * beta_max_circular(X, y) / math.sqrt(d)
        beta = unit * kappa
        trained = train_baseline(
            "circular",
            X,
            y,
            beta,
            width=2 * args.samples,
            restarts=args.restarts,
            steps=args.steps,
            learning_rate=args.step_size,
            rng=step.generator(args.seed, "train_circular", args.case, seed),
            layers=layers,
            constraint=constraint,
            **short,
        )
        program = train_circular(X, y, beta, layers=layers, constraint=constraint, kappa=kappa)
        wrong = program
        if kappa != 1:
            wrong = train_circular(X, y, beta, layers=layers, constraint=constraint, kappa=1.0)
        rows += [
            {
                "study": args.case,
                "seed": seed,
                "samples": args.samples,
                "dimension": d,
                "beta": beta,
                "restart": restart,
                "objective": objective,
                "program": program.program,
                "wrong_program": wrong.program,
                "gap": program.gap,
            }
            for restart, objective in enumerate(trained.objective)
        ]
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
