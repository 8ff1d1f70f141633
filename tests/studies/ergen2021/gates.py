"""Made-up optima over the cells of sampled gates."""

from .grid import grid, only, with_ends

OTHER = {"nested": "fresh", "fresh": "nested"}


def made(claim, good):
    table = grid(study=("nested", "fresh"), seed=range(12), gates=(3, 10, 30))
    table = table.assign(cells=table.gates, all_cells=100)
    judged = "fresh" if claim == "7x" else "nested"
    excess = table.gates.map({3: 0.5, 10: 0.1, 30: 0.1})
    # Where the claim does not look, the value rises, and one is below the optimum.
    excess = excess.mask(table.study != judged, table.gates / 30)
    excess = excess.mask(only(table, study=OTHER[judged], seed=5, gates=3), -0.1)
    row = only(table, study=judged, seed=4, gates=30)
    if claim == "7":
        excess = excess.mask(row, -0.9e-8 if good else -1.1e-8)
    else:
        excess = excess.mask(row, excess + (0.9e-8 if good else 1.1e-8))
    # Rows in any order.
    return {"gates": with_ends(table, excess, program=1.0).sample(frac=1, random_state=0)}
