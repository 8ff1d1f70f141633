"""Made-up end points of linear networks whose optimum has rank 1, 2 or 3."""

from .grid import grid, only, with_ends


def made(claim, good):
    table = grid(seed=range(18), beta_fraction=(0.03, 0.1), width=(1, 2, 3, 4), restart=(0, 1))
    table["rank"] = 1 + table.seed % 3
    table = table[table.width <= table["rank"] + 1].reset_index(drop=True)
    judged = (table["rank"] >= 2) & (table.restart == 1)
    judged &= table.width == (1 if claim == "12x" else table["rank"])
    excess = judged.map({True: 0.9e-4, False: 0.5})
    if not good:
        width = 1 if claim == "12x" else 3
        row = only(table, seed=5, beta_fraction=0.1, width=width, restart=1)
        excess = excess.mask(row, 1.1e-4)
    return {"nuclear": with_ends(table, excess)}
