"""Made-up counts of work."""

from .grid import grid, only


def made(claim, good):
    table = grid(seed=range(12), samples=(5, 10, 20, 40), patch_size=(2, 3), patches=(4,))
    exponent = 3.0 * table.patch_size - 0.1
    if claim == "16" and not good:
        exponent = exponent.mask(table.patch_size == 3, 9.1)
    noise = 1 + 0.001 * (-1.0) ** table.seed
    table["work"] = 1e3 * noise * table.samples**exponent
    table["gap"] = 0.9e-8
    if claim == "16b" and not good:
        table["gap"] = table.gap.mask(only(table, seed=3, samples=40, patch_size=2), 1.1e-8)
    return {"solver_work": table}
