"""Names and looks of the architectures, the same in every figure of the paper."""

ORDER = (
    "fully_connected",
    "average",
    "max",
    "linear",
    "unpooled",
    "circular",
    "two_relu_unshared",
    "two_relu_shared",
)
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
    return [(i, key) for i, key in enumerate(ORDER) if key in found]


def excess(table, reference="program"):
    """``(objective - p*) / p*`` of every row."""
    return (table.objective - table[reference]) / table[reference]
