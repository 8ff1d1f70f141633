"""Made-up counts of sign patterns."""

import pandas as pd

from .grid import grid, only


def made(claim, good):
    general = grid(seed=range(12), samples=(5, 10, 20, 40), patches=(1, 4), patch_size=(2, 3, 4))
    plane = grid(seed=range(12), samples=(5, 10, 20, 40), patches=(1, 4), patch_size=(3,))
    full = grid(seed=range(12), samples=(5, 10, 20, 40), patches=(1,), patch_size=(4,))
    parts = [("general", general), ("plane", plane), ("full", full)]
    table = pd.concat([part.assign(study=study) for study, part in parts], ignore_index=True)
    table["rows"] = table.samples * table.patches
    judged = {"6x": "plane", "6y": "full"}.get(claim, "general")
    rows = table.study == judged
    # Exponents: as claimed where it is judged, in one cell of the grid off by all that is allowed.
    exponent = (table.patch_size - 1.0).mask(table.study == "full", 2.0)
    exponent = exponent.where(rows, 5.0)
    cell = (table.patches == (1 if claim == "6y" else 4)) & rows
    cell &= table.patch_size == (4 if claim == "6y" else 3)
    exponent = exponent.mask(cell, exponent - (0.04 if good else 0.06))
    # The smallest sizes do not count for the slope.
    table["formula"] = (table.rows - 1.0) ** exponent
    table["formula"] = table.formula.mask(table.samples <= 10, 999.0)
    table["cells"] = table.formula.where(rows, table.formula - 1)
    table["bound"] = table.cells * rows.map({True: 1.0, False: 0.5})
    if not good:
        row = only(table, study=judged, samples=10, seed=4, patches=1)
        table["cells"] = table.cells.mask(row & (table.patch_size >= 3), table.cells - 1)
        table["bound"] = table.bound.mask(row & (table.patch_size == 2), 0.99 * table.cells)
    return {"arrangements": table}
