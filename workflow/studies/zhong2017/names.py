"""Names and looks of the activations, the same in every figure of the paper."""

ORDER = (
    "relu",
    "leaky_relu",
    "squared_relu",
    "sigmoid",
    "tanh",
    "erf",
    "softplus",
    "linear",
    "quadratic",
    "cubic",
)
NAMES = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "squared_relu": "squared ReLU"}


def name(activation):
    """Name of an activation for a legend."""
    return NAMES.get(activation, activation)


def present(table):
    """Activations of a table as ``(number, key)``: the number fixes colour, line and marker."""
    found = set(table.activation)
    return [(i, key) for i, key in enumerate(ORDER) if key in found]
