"""How many samples recover the teacher, by dimension: three ways to learn the same data.

A tensor start and a random one are followed to the end by second-order steps (zhong2017). The
convex program (ergen2021) needs no start, but all its cells: it is solved for short patches only.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import beta_max, train_convex
from cnntheory.zhong2017 import draw_teacher, network_output, train_levenberg_marquardt
from workflow.scripts import step
from workflow.scripts.step import Count, Positive, Share
from workflow.scripts.zhong2017.starts import start_at_random, start_near
from workflow.scripts.zhong2017.train_levenberg_marquardt import tensor_start


class Options(step.Options):
    """Samples needed, by dimension of the patches: tensor and random start, convex program."""

    trials: Count = Field(description="teachers with their samples and starts")
    patches: Count = Field(description="k")
    kernels: Count = Field(description="filters of the teacher and of the student, orthonormal")
    dimensions: list[Count] = Field(min_length=3, description="p")
    samples_per_entry: list[Positive] = Field(
        min_length=3, description="grid of n / p, n is rounded up"
    )
    convex_dimensions: list[Count] = Field(description="p for which the convex program is solved")
    convex_trials: Count = Field(description="of the trials, how many it is solved for")
    decay: Share = Field(description="weight decay of the program, in units of beta_max")
    tolerance: Positive = Field(description="relative gap of the convex programs")
    steps: Count = Field(description="of Levenberg and Marquardt, at most")
    scale: Positive = Field(description="length of a random start's filters")
    radius: Positive = Field(description="distance of the local start, the control")
    tests: Count = Field(description="inputs on which the error to the teacher is measured")


def measure(options, rng):
    rows = []
    for p in step.progress(options.dimensions, label="dimensions", unit="dimension"):
        counts = [int(np.ceil(share * p)) for share in options.samples_per_entry]
        problems = [
            draw_problem(options, rng(f"p {p}", t), p, max(counts)) for t in range(options.trials)
        ]
        for n in counts:
            for method, found in learn(options, problems, p, n):
                rows += rows_of(method, p, n, found)
        # In the span of the teacher's filters, were it known, the dimension is their number.
        for share in options.samples_per_entry:
            n = int(np.ceil(share * options.kernels))
            rows += rows_of("span", p, n, learn_in_span(options, problems, n))
    return pd.DataFrame(rows)


def rows_of(method, p, n, errors):
    return [
        {"method": method, "patch_size": p, "samples": n, "seed": seed, "test_error": error}
        for seed, error in enumerate(errors)
    ]


def draw_problem(options, draws, p, most):
    """Teacher, samples, starts and test inputs of one trial."""
    shape = (options.kernels, p)
    teacher = draw_teacher(*shape, rng=draws)
    return {
        "teacher": teacher,
        "patches": draws.standard_normal((most, options.patches, p)),
        "random": start_at_random(draws, shape, options.scale),
        "local": start_near(draws, teacher, options.radius),
        "span": start_at_random(draws, (options.kernels, options.kernels), options.scale),
        "test": draws.standard_normal((options.tests, options.patches, p)),
    }


def learn(options, problems, p, n):
    """Yield every method with its test errors on the first n samples of the trials."""
    teachers = np.array([problem["teacher"] for problem in problems])
    patches = np.array([problem["patches"][:n] for problem in problems])
    test = np.array([problem["test"] for problem in problems])
    y = network_output(teachers, patches, "relu")
    truth = network_output(teachers, test, "relu")

    def errors(values, some=slice(None)):
        return ((values - truth[some]) ** 2).mean(-1) / truth[some].var(-1)

    starts = {
        name: np.array([problem[name] for problem in problems]) for name in ("random", "local")
    }
    starts["tensor"] = np.array(
        [
            tensor_start(x, labels, options.kernels, "relu")
            for x, labels in zip(patches, y, strict=True)
        ]
    )
    for method, start in starts.items():
        exists = np.isfinite(start).all((1, 2))
        end = np.zeros_like(start)  # no start, nothing learned: error above 1
        if exists.any():
            end[exists] = train_levenberg_marquardt(
                start[exists], patches[exists], y[exists], "relu", max_iter=options.steps
            ).filters
        yield method, errors(network_output(end, test, "relu"))
    if p in options.convex_dimensions:
        values = []
        for x, labels, unseen in list(zip(patches, y, test, strict=True))[: options.convex_trials]:
            beta = options.decay * beta_max(x, labels)
            found = train_convex(x, labels, beta, tol=options.tolerance)
            values.append(found.network.predict(unseen))
        yield "convex", errors(np.array(values), slice(len(values)))


def learn_in_span(options, problems, n):
    """Test errors of random starts on patches projected on the span of the teacher: the control."""
    found = []
    for problem in problems:
        basis = np.linalg.qr(problem["teacher"].T)[0]
        teacher = problem["teacher"] @ basis
        found.append((teacher, problem["patches"][:n] @ basis, problem["test"] @ basis))
    teachers, patches, test = map(np.array, zip(*found, strict=True))
    start = np.array([problem["span"] for problem in problems])
    y = network_output(teachers, patches, "relu")
    end = train_levenberg_marquardt(start, patches, y, "relu", max_iter=options.steps).filters
    truth = network_output(teachers, test, "relu")
    return ((network_output(end, test, "relu") - truth) ** 2).mean(-1) / truth.var(-1)


if __name__ == "__main__":
    step.main(Options, measure)
