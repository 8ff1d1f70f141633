"""Made-up end points of eight architectures."""

import pandas as pd

from .grid import grid, only, with_ends

ARCHITECTURES = {
    "fully": "fully_connected",
    "average": "average",
    "max": "max",
    "linear": "linear",
    "unpooled": "unpooled",
    "circular": "circular",
    "shared": "two_relu_shared",
    "unshared": "two_relu_unshared",
}


def made(claim, good):
    at = dict(seed=range(12), beta_fraction=(0.03, 0.1, 0.3))
    few = grid(architecture=ARCHITECTURES.values(), restart=(0, 1), **at)
    excess = pd.Series(0.5, few.index)
    if claim == "1":
        row = only(few, architecture="max", seed=3, beta_fraction=0.03, restart=1)
        excess = excess.mask(row, -0.9e-6 if good else -1.1e-6)
    if claim == "1x":
        # Whatever the others do, networks of average pooling are no better than p* at 2 beta.
        excess = excess.mask(few.architecture == "average", 0.0)
    few = with_ends(few, excess)
    # Two misses in 75 leave the Wilson interval above 0.9, three do not.
    many = grid(architecture=ARCHITECTURES.values(), seed=range(75), restart=(0, 1))
    many["beta_fraction"] = (many.seed % 2).map({0: 0.3, 1: 0.1})
    end = (many.restart == 1).map({True: 0.9e-4, False: 0.5})
    if claim.startswith("1b"):
        judged = many.architecture == ARCHITECTURES[claim.removeprefix("1b-")]
        end = end.mask(judged & (many.seed < (2 if good else 3)), 1.1e-4)
        # What another architecture misses is no matter of this one.
        end = end.mask(~judged & (many.seed < 20), 0.1)
    many = with_ends(many, end)
    convex = grid(architecture=("average", "max"), **at)
    convex["doubled"] = convex.architecture.map({"average": 2.0, "max": 9.0})
    if not good:
        row = only(convex, architecture="average", seed=2, beta_fraction=0.3)
        convex["doubled"] = convex.doubled.mask(row, 2.0 * (1 + 2e-6))
    few, many = (table.assign(dual_bound=table.program) for table in (few, many))
    if claim == "1":
        # A wide bracket of p*, of which the lower end decides.
        few["program"] *= 1 + 1e-5
    return {"sgd": few, "restarts": many, "convex_average": convex}
