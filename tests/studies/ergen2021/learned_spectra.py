"""Made-up energies of trained networks at the frequencies of a program."""

from .grid import grid


def made(claim, good):
    table = grid(method=("program", "sgd", "adam", "group"), seed=range(20), frequency=range(4))
    table["selected"] = table.frequency < 2
    control = table.method == "group"
    share = control.map({True: 0.5, False: 1.0})
    if claim == "9d":
        share = share.mask(table.method == "sgd", 0.96 if good else 0.94)
        share = share.mask(table.method == "adam", 0.94 if good else 0.96)
    if claim == "9d-paired":
        share = share.mask(control, 0.94 if good else 0.96)
    if claim == "9dx":
        share = share.mask(control, 0.96 if good else 0.94)
    table["energy"] = share.where(table.selected, 1 - share) / 2
    return {"learned_spectra": table.assign(dimension=4, samples=8)}
