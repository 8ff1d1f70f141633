"""What the studies of Ergen & Pilanci (2021) share: names, and distances to the optimum."""

from cnntheory.stats import wilson
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


def drops(table):
    """What is lost when constraints of a program are left out.

    A row an instance and a relaxation: ``drop``, of the value, in units of p*, and ``miss``, how
    far the network with the relaxed weights is from the relaxed value, likewise relative.
    """
    by = ["pooling", "beta", "seed"]
    whole = table[table.study == "all"].set_index(by).program.rename("optimum")
    rest = table[table.study != "all"].join(whole, on=by)
    return rest.assign(drop=(rest.optimum - rest.program) / rest.optimum, miss=excess(rest).abs())
