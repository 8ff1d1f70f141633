"""Names of the activations and looks that the figures of the paper share."""

import numpy as np

from workflow.studies import style

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
    """Activations of a table, always in the same order."""
    found = set(table.activation)
    return [key for key in ORDER if key in found]


def look(activation, **more):
    """The one look of an activation in all figures of the paper, with its name."""
    return style.measured(ORDER.index(activation), label=name(activation), **more)


def name_criterion(axis, label="criterion"):
    """The name of a criterion in the legend, where its band has no room for it."""
    axis.plot([], [], color="0.85", linewidth=5, solid_capstyle="butt", label=label)


def slopes_allowed(axis, x, y, claim):
    """A criterion on the log-log slope of `y` against `x`: a fan from the left end of their fit.

    The fitted line lies inside where the claim holds.

    Parameters
    ----------
    axis : matplotlib Axes
    x, y : array_like
    claim : Claim
        Its ``at_least`` and ``at_most`` are slopes.
    """
    x, y = np.log(np.asarray(x, float)), np.log(np.asarray(y, float))
    known = np.isfinite(y)
    if known.sum() < 2:
        return
    start = np.polyval(np.polyfit(x[known], y[known], 1), x.min())
    ends = np.array([x.min(), x.max()])
    top, bottom = (
        None if slope is None else np.exp(start + slope * (ends - ends[0]))
        for slope in (claim.at_most, claim.at_least)
    )
    low = 1e-6 * top if bottom is None else bottom
    limits = axis.get_ylim()
    axis.fill_between(np.exp(ends), low, top, color="0.9", linewidth=0, zorder=0.5)
    for edge in (top, bottom):
        if edge is not None:
            axis.plot(np.exp(ends), edge, color="0.7", linewidth=0.7, zorder=0.6, label=style.EDGE)
    name_criterion(axis, "criterion: slope")
    axis.set_ylim(limits)
