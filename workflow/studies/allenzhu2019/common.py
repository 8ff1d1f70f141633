"""What the judges of this paper share: medians and slopes over seeds, and the worst of several."""

import numpy as np

from cnntheory.stats import bootstrap, clustered_slope, log_log_slope
from workflow.studies.verdicts import Measured, exactly

LEVEL = 0.95
NOTHING = Measured(np.nan, np.nan, np.nan)  # no rows: a width, say, that this scale leaves out


def data_of(rows):
    """Label of the data that rows were measured on."""
    return rows.data.iloc[0] if len(rows) else NOTHING.data


def most(rows, column, **more):
    """The largest value of a column, without an interval."""
    return exactly(rows[column].max(), seeds=rows.seed.nunique(), data=data_of(rows), **more)


def least(rows, column, **more):
    """The least value of a column, without an interval."""
    return exactly(rows[column].min(), seeds=rows.seed.nunique(), data=data_of(rows), **more)


def by_seed(rows, column):
    """``(seeds, subsets)`` values of one setting; a single column where a seed has one subset."""
    if "subset" not in rows or not rows.seed.duplicated().any():
        return rows.set_index("seed")[[column]].to_numpy()
    return rows.pivot(index="seed", columns="subset", values=column).to_numpy()


def median(values, rng, data, level=LEVEL, part=0.5):
    """Median, or another quantile, over trials ``(seeds, ...)``; whole seeds are resampled."""

    def over_all(replicas, axis):
        return np.quantile(replicas.reshape(len(replicas), -1), part, axis=1)

    values = np.asarray(values)
    if not values.size:
        return NOTHING
    interval = bootstrap(values, rng, over_all, level=level, together=True)
    return Measured(np.quantile(values, part), *interval, len(values), data)


def medians_by(rows, key, column, rng, part=0.5):
    """Median, or another quantile, of `column` for every value of `key`, at a divided level."""
    groups = list(rows.groupby(key))
    return {
        name: median(by_seed(some, column), rng, data_of(some), 1 - (1 - LEVEL) / len(groups), part)
        for name, some in groups
    }


def slope(rows, x, y, rng, **more):
    """Log-log slope over all rows, clusters are seeds and trials have their own intercept."""
    if rows[x].nunique() < 2:
        return NOTHING
    trial = rows.seed.astype(str)
    if "subset" in rows:
        trial = trial + "/" + rows.subset.astype(str)
    found = clustered_slope(rows[x], rows[y], rows.seed, rng, trial)
    return Measured(*found, rows.seed.nunique(), data_of(rows), **more)


def slope_beside(rows, x, y, other, rng):
    """Log-log slope in `x` at equal `other`: least squares on both, with a bootstrap over seeds.

    Every trial has its own intercept. What varies by chance from `x` to `x` with a known cause,
    such as the residuals of the networks drawn, does not blur the slope.
    """
    if rows[x].nunique() < 2:
        return NOTHING
    logs = np.log(rows[[x, other, y]].astype(float))
    logs = (logs - logs.groupby(rows.seed).transform("mean")).to_numpy()
    parts = [logs[rows.seed.to_numpy() == seed] for seed in sorted(rows.seed.unique())]
    # Sums of squares and products are all that a fit needs.
    products = np.stack([part.T @ part for part in parts])

    def fit(products, axis):
        total = products.sum(axis=axis)
        return np.linalg.solve(total[..., :2, :2], total[..., :2, 2:])[..., 0, 0]

    interval = bootstrap(products, rng, fit, together=True)
    return Measured(float(fit(products, 0)), *interval, len(parts), data_of(rows))


def slope_of_means(rows, x, y, rng):
    """Log-log slope in `x` of the geometric mean of `y`, with a bootstrap over seeds.

    Every `x` counts alike, however many trials it has: more of them where they vary most, which
    here is where they are cheap, sharpen the slope without tilting it. The finding counts the seeds
    of the `x` that has fewest.
    """
    if rows[x].nunique() < 2:
        return NOTHING
    wide = np.log(rows[y].astype(float)).groupby([rows.seed, rows[x]]).mean().unstack()

    def fit(values, axis=0):
        return log_log_slope(wide.columns, np.exp(np.nanmean(values, axis=axis)))

    values = wide.to_numpy()
    fewest = int(wide.notna().sum().min())
    interval = bootstrap(values, rng, fit, together=True)
    return Measured(fit(values), *interval, fewest, data_of(rows))


def slopes_by(rows, key, x, y, rng):
    """Log-log slope for every value of `key`, each at the full level."""
    return {name: slope(part, x, y, rng) for name, part in rows.groupby(key)}


def lowest(found, note="At m = {}."):
    """Of several findings the one with the least value, with its name in the note."""
    return _chosen(found, note, lambda one: -one.value)


def with_least(found, values):
    """A finding with the least single value in its note."""
    return found._replace(note=f"{found.note} Least trial {values.min():.2f}.")


def highest(found, note="At m = {}."):
    """Of several findings the one with the largest value, with its name in the note."""
    return _chosen(found, note, lambda one: one.value)


def farthest(found, claim, note="At m = {}."):
    """Of several findings the one farthest from the middle of a claim's band, likewise."""
    centre = (claim.at_least + claim.at_most) / 2
    return _chosen(found, note, lambda one: abs(one.value - centre))


def _chosen(found, note, key):
    if not found:
        return NOTHING
    name, one = max(found.items(), key=lambda item: key(item[1]))
    return one._replace(note=note.format(*(name if isinstance(name, tuple) else (name,))))
