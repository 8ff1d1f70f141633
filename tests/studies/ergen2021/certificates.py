"""Made-up duality gaps, and objectives of networks mapped back."""

from .grid import grid, only, with_ends

POOLED = ("fully_connected", "average", "max")
ARCHITECTURES = (
    *POOLED,
    "linear",
    "unpooled",
    "circular",
    "two_relu_shared",
    "two_relu_unshared",
)


def made(claim, good):
    at = dict(seed=range(12), beta_fraction=(0.1, 0.3))
    one, within, beyond = dict(seed=7, beta_fraction=0.1), 0.9e-8, 1.1e-8
    certified = grid(architecture=POOLED, study=("convex", "residual", "restricted"), **at)
    judged = "restricted" if claim == "2x" else "convex"
    certified["gap"] = (certified.study == judged).map({True: within, False: 1.0})
    recovered = grid(architecture=POOLED, study=("mapped", "unbalanced"), **at)
    judged = recovered.study == ("unbalanced" if claim == "3x" else "mapped")
    if claim == "3x":
        judged &= recovered.architecture == "average"
    excess = judged.map({True: -within, False: 1.0})
    convex = grid(architecture=ARCHITECTURES, **at)
    mapped = convex.architecture.isin(["linear", "circular", "two_relu_unshared"])
    loss = mapped.map({True: within, False: 1.0})
    if not good:
        study = "restricted" if claim == "2x" else "convex"
        row = only(certified, architecture="max", study=study, **one)
        certified["gap"] = certified.gap.mask(row, beyond)
        study = "unbalanced" if claim == "3x" else "mapped"
        row = only(recovered, architecture="average", study=study, **one)
        excess = excess.mask(row, -beyond)
        loss = loss.mask(only(convex, architecture="circular", **one), beyond)
    convex = with_ends(convex, -loss if claim == "3b" else 0.0)
    if claim != "3b":
        convex["dual_bound"] = convex.objective * (1 - loss)
    else:
        convex["dual_bound"] = convex.objective
    return {
        "certificates": certified,
        "recovered": with_ends(recovered, excess),
        "convex": convex,
    }
