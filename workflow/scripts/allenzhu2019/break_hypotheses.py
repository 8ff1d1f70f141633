"""N1, N3: gradient descent where the theory says that it must not reach zero loss.

Studies: ``duplicates`` (some inputs twice, with opposite labels: delta = 0) and ``variances``
(weights of variance c / m in a deep network, with the step of c = 2).
"""

import json

import numpy as np
import pandas as pd
import torch

from cnntheory.allenzhu2019 import gram_matrix, plateau, step_size, train
from workflow.scripts import step
from workflow.scripts.allenzhu2019 import trials as shared
from workflow.scripts.allenzhu2019.trials import numpy


def descend(net, x, y, eta, steps, tolerance=0.0):
    """Iterations ``(T,)``, losses and squared gradients ``(T, S)``."""
    found = [
        (state.iteration, numpy(state.loss), numpy(state.gradient_squares).sum(axis=-1))
        for state in train(net, x, y, eta, steps=steps, tolerance=tolerance)
    ]
    return tuple(map(np.array, zip(*found, strict=True)))


def curves(iterations, losses, names, **columns):
    at = np.unique(np.round(np.geomspace(1, len(iterations), 60)).astype(int)) - 1
    frames = []
    for s in range(losses.shape[1]):
        frame = {name: value[s] for name, value in names.items()} | dict(iteration=iterations[at])
        frame |= {
            name: value[at, s] if np.ndim(value) else value for name, value in columns.items()
        }
        frames.append(pd.DataFrame(frame | dict(relative_loss=losses[at, s] / losses[0, s])))
    return pd.concat(frames)


def duplicates(args, trials):
    """Summary and curves with the first `args.pairs` inputs given twice."""
    x, y = trials.x.clone(), trials.y.clone()
    double = slice(args.pairs, 2 * args.pairs)
    x[:, double], y[:, double] = x[:, : args.pairs], -y[:, : args.pairs]
    net = trials.networks(args.seed, f"width {args.width}", args.width, args.depth)
    kernel = gram_matrix(net, x)
    keep = np.r_[: args.pairs, 2 * args.pairs : x.shape[1]]
    least = numpy(torch.linalg.eigvalsh(kernel[:, keep][:, :, keep]))[:, 0]
    iterations, losses, squares = descend(net, x, y, step_size(kernel), args.steps)
    rest = np.array([plateau(a, b) for a, b in zip(x, y, strict=True)])
    names = trials.frame()
    summary = dict(
        study="duplicates",
        variance=2.0,
        end_loss=losses[-1] / losses[0],
        plateau_ratio=losses[-1] / rest,
        # Rounding may leave a sum of squares below zero.
        least_ratio=np.maximum((squares / losses).min(axis=0), 0) / (2 * least),
        converged=losses[-1] <= args.tolerance * losses[0],
    )
    curve = curves(
        iterations,
        losses,
        names,
        study="duplicates",
        variance=2.0,
        excess_loss=np.maximum(losses / rest - 1, 0),
        gradient_ratio=squares / squares[0],
    )
    return pd.DataFrame(names | summary), curve


def variances(args, trials):
    """Summary and curves at every variance, with the step of variance 2."""

    def draw(variance):
        return trials.networks(
            args.seed, f"deep {args.deep_width}", args.deep_width, args.deep, variance=variance
        )

    eta = step_size(gram_matrix(draw(2.0), trials.x))
    names = trials.frame()
    for variance in args.variances:
        iterations, losses, _ = descend(
            draw(variance), trials.x, trials.y, eta, args.deep_steps, args.tolerance
        )
        relative = np.where(np.isfinite(losses[-1]), losses[-1], np.inf) / losses[0]
        summary = dict(
            study="variances",
            variance=variance,
            end_loss=relative,
            converged=relative <= args.tolerance,
        )
        yield (
            pd.DataFrame(names | summary),
            curves(iterations, losses, names, study="variances", variance=variance),
        )


def run():
    args = step.arguments(
        __doc__,
        ["table", "curves"],
        **shared.OPTIONS,
        width=int,
        depth=int,
        deep_width=int,
        deep=int,
        samples=int,
        pairs=int,
        seeds=int,
        subsets=int,
        variances=json.loads,
        steps=int,
        deep_steps=int,
        tolerance=(float, 1e-3),
    )
    trials = shared.load(args, args.samples, args.seeds, args.subsets)
    summaries, paths = zip(duplicates(args, trials), *variances(args, trials), strict=True)
    step.write_table(pd.concat(summaries), args.table, args, trials.data)
    step.write_table(pd.concat(paths), args.curves, args, trials.data)


if __name__ == "__main__":
    step.main(run)
