"""Tables of every combination of their axes, for made-up measurements."""

import itertools

import pandas as pd


def grid(**axes):
    """A row for every combination of values; a single value is the same in all rows."""
    axes = {name: part if isinstance(part, list) else [part] for name, part in axes.items()}
    table = pd.DataFrame(itertools.product(*axes.values()), columns=list(axes))
    return table.assign(data="MNIST")


def trials(seeds=12, subsets=1, **axes):
    """The same, of several seeds and subsets."""
    return grid(seed=list(range(seeds)), subset=list(range(subsets)), **axes)
