"""The loss along two lines through W: down the gradient and along the curved direction."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.allenzhu2019.landscape import RUN

LINES = {"along_gradient": "along the gradient", "along_curved": "along the most curved direction"}


def draw(findings, tables):
    squares, around = tables["squares"], tables["saddles"]
    trained, saddles = squares[squares.point == "trained"], around[around.point == "saddle"]
    cells = sorted(set(zip(trained.network, trained.labels, strict=True)), reverse=True)
    fig, axes = style.panels(len(cells) + 1, rows=2, height=4.2, sharey="row")
    axes, drawn = axes.reshape(2, -1), []
    colours = style.sequential(trained.epoch)
    for axis, name in zip(axes[:, 0], LINES.values(), strict=True):
        axis.set_ylabel(f"loss / loss at $W$,\n{name}")
    for column, (network, labels) in enumerate(cells):
        cell = trained[(trained.network == network) & (trained.labels == labels)]
        for axis, line in zip(axes[:, column], LINES, strict=True):
            for i, (epoch, part) in enumerate(cell.groupby("epoch")):
                found = slices(part, line)
                look = style.measured(i, color=colours[epoch], label=f"epoch {epoch}")
                axis.plot(found.share, found.relative, **look | {"markersize": 2})
                drawn.append(found.assign(line=line))
    for axis, line in zip(axes[:, -1], LINES, strict=True):
        for number, (_, part) in enumerate(saddles.groupby([*RUN, "epoch"])):
            found = slices(part, line)
            look = style.control("strict saddle", markersize=2)
            axis.plot(found.share, found.relative, **look | ({"label": None} if number else {}))
            drawn.append(found.assign(line=line))
    titles = [f"{network}, {labels}: it falls" for network, labels in cells] + [
        "saddle: it does not"
    ]
    for letter, axis, text in zip("abcde", axes[0], titles, strict=False):
        style.title(axis, letter, text)
    titles = [f"{network}, {labels}: little" for network, labels in cells]
    titles += ["saddle: it falls"]
    for letter, axis, text in zip("fghij", axes[1], titles, strict=False):
        style.title(axis, letter, text)
    for axis in axes.ravel():
        axis.axhline(1, color="0.7", linewidth=0.8, zorder=1)
        axis.axvline(0, color="0.7", linewidth=0.8, zorder=1)
        axis.set(ylim=(0, 3), xticks=[-1, 0, 1])
    for axis in axes[1]:
        axis.set_xlabel("distance / half side")
    style.legend_below(fig)
    return fig, drawn


def slices(square, line):
    """The loss along one axis of a square over the loss at its middle."""
    other = next(name for name in LINES if name != line)
    found = square[np.isclose(square[other], 0)].sort_values(line)
    middle = found.loss[np.isclose(found[line], 0)].iloc[0]
    share = found[line] / found[line].max()
    return found.assign(share=share, relative=found.loss / middle)


if __name__ == "__main__":
    study.main(draw=draw)
