"""Made-up tables as grids of their keys."""

from itertools import product

import pandas as pd


def grid(data="synthetic", **keys):
    """A row for every combination of the values of the keys."""
    rows = pd.DataFrame(list(product(*keys.values())), columns=list(keys))
    return rows.assign(data=data)


def with_ends(table, excess, program=2.0):
    """End objectives of the relative excess given over an optimum."""
    return table.assign(program=program, objective=program * (1 + excess))


def only(table, **keys):
    """Which rows have the values given: one bad row among many good ones."""
    chosen = pd.Series(True, table.index)
    for key, value in keys.items():
        chosen &= table[key] == value
    assert chosen.any()
    return chosen
