"""All verdicts of a paper at a glance: every interval on the scale of its criterion."""

import argparse
import re
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.transforms import blended_transform_factory

from cnntheory import images
from workflow.scripts import step
from workflow.studies import style

END = 2.6  # scaled values beyond are drawn as arrows at the end of the axis
COLUMN = 80  # letters of a statement in one line
LEFT = 0.69  # where the panel begins, as a share of the width
PITCH = 0.132  # inches from row to row
BLOCKS = {
    "claim": "Claims",
    "control": "Controls: a hypothesis broken, must lie outside",
    "identity": "Identities: hold by algebra, check the code",
}
NOTHING = "#8c8c8c"  # of what is not decided


def edges(bound):
    """``(at_least, at_most)`` of a criterion's band as verdicts write it, e.g. ``in [1, 2]``."""
    if found := re.fullmatch(r"in \[(.+), (.+)\]", bound):
        return float(found[1]), float(found[2])
    sign, number = bound.split()
    return (float(number), np.inf) if sign == ">=" else (-np.inf, float(number))


def scaled(values, at_least, at_most):
    """Values on the scale of a criterion: its band ends at -1 (at least) and at 1 (at most).

    The unit is half the band's width. With one edge it is the edge itself, so that zero is zero;
    the distance of the edge from 1 for what is near 1 and not above (shares, R^2); and the
    largest of the values where the edge is zero.

    Parameters
    ----------
    values : (n,) array
    at_least, at_most : float
        Infinite where there is no such edge.

    Returns
    -------
    (n,) ndarray
    """
    values = np.asarray(values, dtype=float)
    if np.isfinite(at_least) and np.isfinite(at_most):
        unit = (at_most - at_least) / 2 or abs(at_most) or 1.0
        return (values - (at_least + at_most) / 2) / unit
    edge, end = (at_least, -1) if np.isfinite(at_least) else (at_most, 1)
    known = values[np.isfinite(values)]
    unit = abs(edge) or np.abs(known).max(initial=0) or 1.0
    if end < 0 and 0.5 <= edge < 1 and (known <= 1).all():
        unit = 1 - edge
    return end + (values - edge) / unit


def forest(rows):
    """Draw the verdicts of one paper.

    Grey strips are the criteria. A claim is a filled marker, blue where it is decided, grey where
    it is not; a control is open and vermillion. A row a claim: what was measured on further data
    sets stands in the same row, as a square.

    Parameters
    ----------
    rows : DataFrame or list of dict
        With the columns of `workflow.studies.verdicts`, in the order to draw.

    Returns
    -------
    matplotlib Figure
    """
    rows = pd.DataFrame(rows)
    if rows.empty:
        raise ValueError("no verdicts to draw: give the rows of one paper")
    if rows.paper.nunique() > 1:
        raise ValueError(f"one paper a forest, found {', '.join(rows.paper.unique())}")
    lines, place = [], 0.0
    more = max(0, rows.id.str.len().max() - 12)  # letters of an id for which there is no room
    for kind, head in BLOCKS.items():
        part = rows[rows.kind == kind]
        if part.empty:
            continue
        lines.append((place - 1.2, head, None))
        place -= 1.4
        for name, claim in part.groupby("id", sort=False):
            said = textwrap.fill(claim.statement.iloc[0], COLUMN - more)
            size = 1 + 0.75 * said.count("\n")
            lines.append((place - size / 2 - 0.4, said, (name, claim)))
            place -= size
    height = PITCH * (1 - place) + 0.75
    fig = style.plt.figure(figsize=(style.DOUBLE, height))
    axis = fig.add_axes((LEFT, 0.55 / height, 0.985 - LEFT, 1 - 0.6 / height))
    for place, said, row in lines:
        if row is None:
            _write(axis, 0.005, place, said, fontweight="bold")
            continue
        name, claim = row
        _write(axis, 0.005, place, name, color=style.QUIET)
        _write(axis, 0.105 + 0.008 * more, place, said, linespacing=1.0)
        _draw_row(axis, place, claim)
    axis.set(
        xlim=(-END - 0.15, END + 0.15),
        ylim=(place - 1.1, 0),
        yticks=[],
        xticks=[-1, 0, 1],
        xlabel="on the scale of the criterion (grey)",
    )
    axis.set_xticklabels(["at least", "", "at most"])
    axis.grid(False, axis="y")
    axis.spines["left"].set_visible(False)
    _legend(fig, rows)
    return fig


def _write(axis, x, y, text, **more):
    """Text left of the panel, `x` in shares of the figure's width."""
    where = blended_transform_factory(axis.figure.transFigure, axis.transData)
    look = {"fontsize": style.SMALL, "va": "center", "color": style.INK} | more
    axis.text(x, y, text.replace("$", r"\$"), transform=where, **look)


def _draw_row(axis, place, part):
    """The strip of a claim's criterion, and what was measured on every data set."""
    at_least, at_most = edges(part.bound.iloc[0])
    left = -END - 0.15 if np.isinf(at_least) else -1
    right = END + 0.15 if np.isinf(at_most) else 1
    axis.fill_between([left, right], place - 0.38, place + 0.38, color="0.9", linewidth=0)
    for i, row in enumerate(part.itertuples()):
        if pd.isna(row.measured):
            axis.plot(0, place, marker="x", color=NOTHING, linestyle="", markersize=3)
            continue
        y = place + 0.24 * (i - (len(part) - 1) / 2)
        low = row.measured if pd.isna(row.ci_low) else row.ci_low
        high = row.measured if pd.isna(row.ci_high) else row.ci_high
        found = scaled([low, row.measured, high], at_least, at_most)
        low, value, high = np.clip(found, -END, END)
        colour = _colour(row)
        axis.plot([low, high], [y, y], color=colour, linewidth=1)
        beyond = ">" if found[1] > END else "<" if found[1] < -END else None
        axis.plot(
            value,
            y,
            marker=beyond or ("s" if row.data == images.FASHION else "o"),
            markersize=3.6,
            markeredgewidth=0.8,
            linestyle="",
            color=colour,
            markerfacecolor="white" if _broken(row) else colour,
        )


def _broken(row):
    """Whether a row is a control, or an identity that must fail as one."""
    return row.kind == "control" or (
        row.kind == "identity" and getattr(row, "expected", None) == "fails"
    )


def _colour(row):
    """Vermillion for a control and for a claim that fails, grey for what is not decided."""
    if _broken(row):
        return style.VERMILLION if row.verdict != "inconclusive" else NOTHING
    return {"holds": style.MEASURED[0], "fails": style.VERMILLION}.get(row.verdict, NOTHING)


def _legend(fig, rows):
    """What the marks mean, below."""
    looks = {
        "holds": {"color": style.MEASURED[0]},
        "control fails, as it must": {"color": style.VERMILLION, "markerfacecolor": "white"},
        "not decided": {"color": NOTHING},
    }
    if any(row.verdict == "fails" and not _broken(row) for row in rows.itertuples()):
        looks["claim fails"] = {"color": style.VERMILLION}
    if (rows.data == images.FASHION).any():
        looks[images.FASHION] = {"color": style.MEASURED[0], "marker": "s"}
    looks["beyond the axis"] = {"color": style.QUIET, "marker": ">"}
    handles = [
        style.Line2D([], [], **{"marker": "o", "linestyle": "", "markersize": 3.6} | look)
        for look in looks.values()
    ]
    fig.legend(handles, looks, loc="lower left", ncols=len(looks), columnspacing=1, handlelength=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figure", type=Path, help="SVG file to write, beside it PDF and CSV")
    parser.add_argument("verdicts", type=Path, nargs="+", help="JSON files of one paper's studies")

    def run():
        args = parser.parse_args()
        rows = pd.DataFrame([row for path in args.verdicts for row in step.read_json(path)])
        # As paths, the letters of so many words would be most of a heavy file.
        with style.plt.rc_context({"svg.fonttype": "none"}):
            style.save(forest(rows), args.figure, [rows], {})

    step.guarded(run)


if __name__ == "__main__":
    main()
