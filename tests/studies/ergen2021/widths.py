"""Made-up end points of a sweep of the number of filters, n = 6."""

from .grid import grid, only, with_ends


def made(claim, good):
    table = grid(beta=(0.01, 0.1), seed=range(40), width=(1, 3, 12), restart=range(4))
    # One data set has an optimum of one filter.
    table = table.assign(samples=6, filters=3).assign(filters=lambda t: 3 - 2 * (t.seed == 0))
    thin, three, full = (table.width == width for width in (1, 3, 12))
    large, best = table.beta == 0.1, table.restart == 2
    excess = thin * 0.0 + 0.5
    if claim == "1y":
        excess = excess.mask(thin & best, 0.9e-4)
        bad, value = only(table, width=1, beta=0.01, restart=2) & (table.seed < 9), 1.1e-4
    elif claim == "4":
        excess = excess.mask(thin, 0.011).mask(three | full, 0.0).mask(table.seed == 0, 0.0)
        bad, value = only(table, width=1, beta=0.1, seed=9, restart=2), 0.009
    elif claim == "4b":
        # Five wins and no loss have p = 1/32, four 1/16.
        excess = (thin * 0.0 + 1.1e-3).mask(thin, 0.0)
        excess = excess.mask(full & large & best & (table.seed < 5), 0.9e-3)
        bad, value = only(table, width=12, beta=0.1, seed=4, restart=2), 1.1e-3
    else:
        judged = large & (full if claim == "4c" else thin)
        excess = excess.mask(judged & (table.restart >= 2), 0.9e-3)
        width = 12 if claim == "4c" else 1
        bad, value = only(table, width=width, beta=0.1, seed=9, restart=2), 1.1e-3
    return {"widths": with_ends(table, excess if good else excess.mask(bad, value))}
