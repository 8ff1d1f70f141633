"""N1, N3: gradient descent where the theory says that it must not reach zero loss.

Studies: ``duplicates`` (some inputs twice, with opposite labels: delta = 0) and ``variances``
(weights of variance c / m in a deep network, with the step of c = 2).
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.allenzhu2019.kernel import TangentKernel
from cnntheory.allenzhu2019.training import descent, plateau
from workflow.scripts import step
from workflow.scripts.allenzhu2019.trials import STREAM, independent, numpy
from workflow.scripts.step import Count, Positive, from_rule


class Options(step.Options):
    """P4x, N1, N3: gradient descent where a hypothesis is broken."""

    width: Count = Field(description="m, with duplicates")
    depth: Count = Field(description="L, with duplicates")
    deep_width: Count = Field(description="m of the deep networks of other variances")
    deep: Count = Field(description="their L")
    samples: Count = Field(description="n")
    pairs: Count = Field(description="images given twice with opposite labels")
    trials: Count = Field(description="networks, each with images of its own")
    deep_trials: Count = Field(description="deep networks of variance 2/m")
    variances: list[Positive] = Field(
        min_length=1, description="c of the deep networks' weights, of variance c / m"
    )
    steps: Count = Field(description="iterations with duplicates, at most")
    settled: Positive = Field(
        1e-12, description="they end once no loss has changed by this share since half of them"
    )
    deep_steps: Count = Field(description="iterations of the deep networks, at most")
    tolerance: Positive = Field(1e-3, description="of the loss, in units of its start")
    device: str = from_rule("cpu", description="where to compute")


def path(net, x, y, eta, steps, tolerance=0.0, settled=0.0):
    """Iterations ``(T,)``, losses and squared gradients ``(T, S)``.

    Ends once no loss has changed by the share `settled` since half of the iterations.
    """
    found = []
    for state in descent(net, x, y, eta, max_iter=steps, tol=tolerance):
        loss = numpy(state.loss)
        found.append((state.iteration, loss, numpy(state.gradient_squares).sum(axis=-1)))
        change = np.abs(loss - found[len(found) // 2 - 1][1])
        if settled and len(found) > 1 and (change <= settled * loss).all():
            break
    return tuple(map(np.array, zip(*found, strict=True)))


def curves(iterations, losses, names, **columns):
    """At most 60 iterations of every trial, the first ones closest."""
    at = np.unique(np.round(np.geomspace(1, len(iterations), 60)).astype(int)) - 1
    frames = []
    for s in range(losses.shape[1]):
        frame = {name: value[s] for name, value in names.items()} | dict(iteration=iterations[at])
        frame |= {
            name: value[at, s] if np.ndim(value) else value for name, value in columns.items()
        }
        frames.append(pd.DataFrame(frame | dict(relative_loss=losses[at, s] / losses[0, s])))
    return pd.concat(frames)


def duplicates(options, rng, trials):
    """Summary and curves with the first `pairs` inputs given twice."""
    pairs = options.pairs
    x, y = trials.x.clone(), trials.y.clone()
    double = slice(pairs, 2 * pairs)
    x[:, double], y[:, double] = x[:, :pairs], -y[:, :pairs]
    net = trials.networks(rng, f"width {options.width}", options.width, options.depth)
    kernel = TangentKernel.at(net, x)
    keep = np.r_[:pairs, 2 * pairs : x.shape[1]]
    distinct = TangentKernel(kernel.matrix[:, keep][:, :, keep])
    least = numpy(distinct.eigenvalues)[:, 0]
    # The end is not asked of the closed form, which is what it is compared with.
    iterations, losses, squares = path(
        net, x, y, kernel.step(), options.steps, settled=options.settled
    )
    rest = np.array([plateau(a, b) for a, b in zip(x, y, strict=True)])
    names = trials.frame()
    summary = dict(
        study="duplicates",
        variance=2.0,
        end_loss=losses[-1] / losses[0],
        plateau_ratio=losses[-1] / rest,
        # Rounding may leave a sum of squares below zero.
        least_ratio=np.maximum((squares / losses).min(axis=0), 0) / (2 * least),
        converged=losses[-1] <= options.tolerance * losses[0],
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


def variances(options, rng, trials):
    """Summary and curves at every variance, with the step of variance 2."""
    width, tolerance = options.deep_width, options.tolerance

    def draw(some, variance):
        return some.networks(rng, f"deep {width}", width, options.deep, variance=variance)

    every = TangentKernel.at(draw(trials, 2.0), trials.x).step()
    for variance in options.variances:
        # A share near one takes more networks than one near zero.
        count = options.deep_trials if variance == 2 else options.trials
        some, eta = trials.some(slice(count)), every[:count]
        names = some.frame()
        iterations, losses, _ = path(
            draw(some, variance), some.x, some.y, eta, options.deep_steps, tolerance
        )
        relative = np.where(np.isfinite(losses[-1]), losses[-1], np.inf) / losses[0]
        summary = dict(
            study="variances",
            variance=variance,
            end_loss=relative,
            converged=relative <= tolerance,
        )
        yield (
            pd.DataFrame(names | summary),
            curves(iterations, losses, names, study="variances", variance=variance),
        )


def measure(options, rng, pixels, digits):
    if 2 * options.pairs > options.samples:
        raise ValueError(
            f"{options.pairs} pairs need {2 * options.pairs} images, found {options.samples}; "
            "raise allenzhu2019.break_hypotheses.samples or give fewer pairs"
        )
    count = max(options.trials, options.deep_trials)
    trials = independent(pixels, digits, options.samples, count, options.device)
    few = trials.some(slice(options.trials))
    found = [duplicates(options, rng, few), *variances(options, rng, trials)]
    summaries, paths = zip(*found, strict=True)
    return dict(table=pd.concat(summaries), curves=pd.concat(paths))


if __name__ == "__main__":
    step.main(Options, measure, tables=("table", "curves"), stream=STREAM)
