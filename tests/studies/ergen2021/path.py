"""Made-up thresholds."""

from .grid import grid, only


def made(claim, good):
    table = grid(pooling=("average", "max"), seed=range(12)).assign(beta_max=2.0)
    one = only(table, pooling="max", seed=4)
    near = table.beta_max * (1 - 0.9e-8)
    near = near if good else near.mask(one, 2.0 * (1 + 1.1e-8))
    table["ascent"], table["sampled"] = (near, 1.0) if claim == "13" else (1.0, near)
    table["filters_at"], table["filters_below"] = 0, 1
    if not good:
        table["filters_at"] = table.filters_at.mask(one, 1)
    return {"threshold": table}
