"""P2: stochastic gradient descent with batches of several sizes.

The step is ``--step / max(lambda_max, (n / b) max_i K_ii)`` of the kernel at the start. The study
``long`` (control P2x) takes ``--long-step / lambda_max`` with b = 1, whatever the noise.
"""

import json

import numpy as np
import pandas as pd

from cnntheory.allenzhu2019 import gram_matrix, step_size, train
from workflow.scripts import step
from workflow.scripts.allenzhu2019 import trials as shared
from workflow.scripts.allenzhu2019.trials import numpy


def run():
    args = step.arguments(
        __doc__,
        ["table", "curves"],
        **shared.OPTIONS,
        width=int,
        depth=int,
        seeds=int,
        subsets=int,
        samples=int,
        batches=json.loads,
        step=float,
        long_step=float,
        epochs=int,
        tolerance=float,
    )
    trials = shared.load(args, args.samples, args.seeds, args.subsets)
    runs = [("sgd", b) for b in args.batches] + [("long", min(args.batches))]
    summaries, curves = [], []
    for study, batch in step.progress(runs, label="SGD", unit="run"):
        net = trials.networks(args.seed, f"width {args.width}", args.width, args.depth)
        kernel = gram_matrix(net, trials.x)
        if study == "long":
            eta = step_size(kernel, args.long_step)
        else:
            eta = step_size(kernel, args.step, batch=batch)
        every = args.samples // batch
        iterations, losses = [], []
        for state in train(
            net,
            trials.x,
            trials.y,
            eta,
            steps=args.epochs * every,
            batch=batch,
            rngs=trials.rngs(args.seed, f"batches of {batch}"),
            tolerance=args.tolerance,
            every=every,
        ):
            iterations.append(state.iteration)
            losses.append(numpy(state.loss))
        iterations, relative = np.array(iterations), np.array(losses) / losses[0]
        active = np.vstack([np.ones_like(relative[:1]), relative[:-1]]) > args.tolerance
        fits = [
            shared.fit_rate(iterations[on], curve[on], low=args.tolerance)
            for on, curve in zip(active.T, relative.T, strict=True)
        ]
        names = trials.frame(study=study, batch=batch, width=args.width, samples=args.samples)
        summaries.append(
            pd.DataFrame(
                names
                | dict(
                    step=numpy(eta),
                    measured_rate=[rate for rate, _ in fits],
                    straightness=[straight for _, straight in fits],
                    end_loss=np.where(np.isfinite(relative[-1]), relative[-1], np.inf),
                )
            )
        )
        at = np.unique(np.round(np.linspace(0, len(iterations) - 1, 60)).astype(int))
        for s in range(len(trials.seed)):
            rows = pd.DataFrame(
                dict(
                    study=study,
                    batch=batch,
                    seed=trials.seed[s],
                    subset=trials.subset[s],
                    iteration=iterations[at],
                    relative_loss=relative[at, s],
                )
            )
            curves.append(rows[active[at, s] & np.isfinite(rows.relative_loss)])
    step.write_table(pd.concat(summaries), args.table, args, trials.data)
    step.write_table(pd.concat(curves), args.curves, args, trials.data)


if __name__ == "__main__":
    step.main(run)
