"""P2: stochastic gradient descent with batches of several sizes.

The step is ``--step / max(lambda_max, (n / b) max_i K_ii)`` of the kernel at the start. The study
``long`` (control P2x) takes ``--long-step / lambda_max`` with b = 1, whatever the noise.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.allenzhu2019.kernel import TangentKernel
from cnntheory.allenzhu2019.training import descent
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, fit_decay, independent, numpy
from workflow.scripts.step import Count, Positive, from_rule


class Options(step.Options):
    """P2: stochastic gradient descent."""

    width: Count = Field(description="m")
    depth: Count = Field(description="L")
    trials: Count = Field(description="networks, each with images of its own")
    samples: Count = Field(description="n")
    batches: list[Count] = Field(min_length=1, description="sizes b")
    step: Positive = Field(description="in units of 1 / max(lambda_max, (n/b) max K_ii)")
    long_step: Positive = Field(description="of the control, in units of 1 / lambda_max")
    long_shown: Count = Field(20, description="iterations of the control whose curve is kept")
    epochs: Count = Field(description="at most")
    tolerance: Positive = Field(description="of the loss, in units of its start")
    device: str = from_rule("cpu", description="where to compute")


def path(options, rng, study, batch, trials, first=None):
    """Step ``(S,)``, iterations ``(T,)`` and losses over their start ``(T, S)``, once an epoch.

    Of the first iterations alone, if their number is given, at every one of them.
    """
    net = trials.networks(rng, f"width {options.width}", options.width, options.depth)
    kernel = TangentKernel.at(net, trials.x)
    if study == "long":
        eta = kernel.step(options.long_step)
    else:
        eta = kernel.step(options.step, batch=batch)
    every = 1 if first else options.samples // batch
    iterations, losses = [], []
    for state in descent(
        net,
        trials.x,
        trials.y,
        eta,
        max_iter=first or options.epochs * every,
        batch=batch,
        rng=trials.rngs(rng, f"batches of {batch}"),
        tol=options.tolerance,
        every=every,
    ):
        iterations.append(state.iteration)
        losses.append(numpy(state.loss))
    return numpy(eta), np.array(iterations), np.array(losses) / losses[0]


def measure(options, rng, pixels, digits):
    trials = independent(pixels, digits, options.samples, options.trials, options.device)
    runs = [("sgd", b) for b in options.batches] + [("long", min(options.batches))]
    summaries, curves = [], []
    for study, batch in step.progress(runs, label="SGD", unit="run"):
        eta, iterations, relative = path(options, rng, study, batch, trials)
        active = np.vstack([np.ones_like(relative[:1]), relative[:-1]]) > options.tolerance
        fits = [
            fit_decay(iterations[on], curve[on], low=options.tolerance)
            for on, curve in zip(active.T, relative.T, strict=True)
        ]
        names = trials.frame(study=study, batch=batch, width=options.width, samples=options.samples)
        found = dict(
            step=eta,
            measured_rate=[rate for rate, _ in fits],
            straightness=[straight for _, straight in fits],
            end_loss=np.where(np.isfinite(relative[-1]), relative[-1], np.inf),
        )
        summaries.append(pd.DataFrame(names | found))
        if study == "long":  # its losses are soon infinite: the curve shows how they get there
            _, iterations, relative = path(options, rng, study, batch, trials, options.long_shown)
            active = np.ones_like(relative, dtype=bool)
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
    return dict(table=pd.concat(summaries), curves=pd.concat(curves))


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "curves"), stream=STREAM)
