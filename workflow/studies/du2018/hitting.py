"""When a curve of SGD arrives: what Figures 3a and 3b are judged by."""

import numpy as np


def iterations_to(error, table):
    """Iterations to a filter error, a row a seed and a column a level of sigma.

    The logarithm of the error is interpolated between the points of a curve; infinite for a curve
    that does not arrive.
    """

    def first(curve):
        errors, iterations = curve.filter_error.to_numpy(), curve.iteration.to_numpy()
        below = errors <= error
        if not below.any():
            return np.inf
        i = max(int(below.argmax()), 1)
        log, at = np.log(errors[i - 1 : i + 1]), iterations[i - 1 : i + 1]
        return np.interp(np.log(error), log[::-1], at[::-1])

    curves = table.sort_values("iteration").groupby(["seed", "sigma"])
    return curves[["iteration", "filter_error"]].apply(first).unstack("sigma")


def share_increasing(times):
    """Share of the rows that strictly increase along the columns; two infinities do not."""
    return float((times[:, 1:] > times[:, :-1]).all(axis=1).mean())
