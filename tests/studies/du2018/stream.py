"""Made-up runs of SGD on a stream."""

import itertools

import numpy as np
import pandas as pd

RUNS = 400


def made(claim, good):
    steps = (0.02, 0.1, 0.5, 1.0)
    table = pd.DataFrame(
        [
            dict(noise=noise, step=step, run=run)
            for noise, step, run in itertools.product((0.0, 0.1), steps, range(RUNS))
        ]
    ).assign(data="synthetic", escaped=False, end_error=0.009)
    table["iterations"] = 20 / table.step
    clean, one = table.noise == 0, table.step == 0.1
    if claim in ("10", "10x"):
        judged = clean if claim == "10" else ~clean
        table.loc[~judged, "end_error"] = 1.0 if good else 0.001
        # Of the worst step: 7 misses of 400 are few enough for 0.95, 12 are not sure to be.
        missed = judged & one & (table.run < (7 if good else 12))
        table.loc[missed & (table.run % 2 == 0), "iterations"] = np.inf
        table.loc[missed & (table.run % 2 == 1), "end_error"] = 0.011
    if claim == "10b":
        table.loc[clean & one, "iterations"] *= 1.9 if good else 2.1
        # A step out of the range, and noisy labels.
        table.loc[(table.step == 1.0) | ~clean, "iterations"] *= 10 * (1 + table.step)
    if claim == "10c":
        table.loc[~clean, "escaped"] = True
        table.loc[clean & one & (table.run < (7 if good else 12)), "escaped"] = True
    if claim == "10e":
        slope = 0.42 if good else 0.38
        table.loc[~clean, "end_error"] = 0.1 * table.step**slope * (1 + 1e-4 * (-1.0) ** table.run)
        # A step out of the range, and clean labels.
        table.loc[(table.step == 1.0) | clean, "end_error"] = 1.0
    # Times whose (1 - delta)-quantile is a power of log(1/delta), at one step; constant at another.
    power = {"10d": 0.9 if good else 1.1}.get(claim, 0.2)
    rank = (np.arange(4000) + 0.5) / 4000
    times = [
        pd.DataFrame(dict(step=step, run=np.arange(4000), iterations=iterations))
        for step, iterations in ((0.1, 0 * rank + 50), (0.5, 10 * np.log(1 / rank) ** power))
    ]
    return {"stream": table, "stream_times": pd.concat(times).assign(data="synthetic")}
