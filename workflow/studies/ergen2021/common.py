"""What the studies of Ergen & Pilanci (2021) share: names, and distances to the optimum."""

import numpy as np

from cnntheory.stats import bootstrap, wilson
from workflow.studies import style
from workflow.studies.verdicts import Measured

# Architectures in the order in which they are drawn.
NAMES = {
    "fully_connected": "fully connected",
    "average": "average pooling",
    "max": "max pooling",
    "linear": "linear, no pooling",
    "unpooled": "ReLU, no pooling",
    "circular": "circular, $L = 3$",
    "two_relu_unshared": "two ReLUs, unshared",
    "two_relu_shared": "two ReLUs, shared",
}
# Smallest difference drawn on a logarithmic axis.
FLOOR = 1e-16


def name(architecture):
    """Name of an architecture for a legend or an axis."""
    return NAMES[architecture]


def present(table):
    """Architectures of a table as ``(number, key)``: the number fixes colour, line and marker."""
    found = set(table.architecture)
    return [(i, key) for i, key in enumerate(NAMES) if key in found]


def excess(table, reference="program"):
    """``(objective - p*) / p*`` of every row."""
    return (table.objective - table[reference]) / table[reference]


def best(table, by, reference="program"):
    """Least excess over the restarts: a row an instance, with the columns `by` and ``excess``."""
    ends = table.assign(excess=excess(table, reference))
    return ends.groupby(list(by)).excess.min().reset_index()


def share(claim, rows, seeds, **more):
    """Share of the rows that count as a success of a claim, with its Wilson interval."""
    good = claim.succeeded(rows)
    return Measured(good.mean(), *wilson(good.sum(), len(good)), seeds, **more)


def median(values, rng, **more):
    """Median over the seeds, a value each, with its bootstrap interval."""
    return Measured(np.median(values), *bootstrap(values, rng), len(values), **more)


def drops(table):
    """What is lost when constraints of a program are left out.

    A row an instance and a relaxation: ``drop``, of the value, in units of p*, and ``miss``, how
    far the network with the relaxed weights is from the relaxed value, likewise relative.
    """
    by = ["pooling", "beta", "seed"]
    whole = table[table.study == "all"].set_index(by).program.rename("optimum")
    rest = table[table.study != "all"].join(whole, on=by)
    return rest.assign(drop=(rest.optimum - rest.program) / rest.optimum, miss=excess(rest).abs())


def strip(axis, place, values, look, label=None, width=0.26, along="y"):
    """One mark an instance, spread a little around its place.

    Parameters
    ----------
    axis : matplotlib Axes
    place : float
    values : array_like
        In the order in which they are spread.
    look : dict
        Of `style.measured` or `style.control`.
    label : str, optional
        In place of that of the look.
    width : float
        Of the spread.
    along : {"y", "x"}
        The axis of the values.
    """
    values = np.asarray(values)
    points = place + width * np.linspace(-0.5, 0.5, len(values)), values
    points = points if along == "y" else points[::-1]
    axis.plot(*points, **{"markersize": 2.8} | look | {"linestyle": "", "label": label})


def power(value):
    """A number of any size for a cell or a panel: ``3 x 10^-13`` in mathematical type."""
    if abs(value) < FLOOR:
        return "0"
    if 0.01 <= abs(value) < 1000:
        return f"{float(f'{value:.2g}'):g}".replace("-", "\N{MINUS SIGN}")
    mantissa, exponent = f"{value:.0e}".split("e")
    return rf"${mantissa} \cdot 10^{{{int(exponent)}}}$"


def judged(axis, finding, template, at, **more):
    """`style.judged` for a number without an interval, however small."""
    text = template.format(power(finding.value)).replace("{", "{{").replace("}", "}}")
    return style.judged(axis, finding, text, at, **more)
