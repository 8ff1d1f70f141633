"""What the four papers prove beside what is needed, on one axis."""

import re

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly

LEVEL = 0.95
# What a bar shows, the first of these that a number has; a search is drawn as a mark of its own.
BARS = ("sampled", "exact", "searched")
OPEN = {"facecolor": "white", "hatch": "/////", "linewidth": 0.7}


def judge(tables, claims, rng):
    table = tables["looseness"]
    rows = {name: claim.rows(table) for name, claim in claims.items()}
    return {
        "T5": tightest(rows["T5"]),
        "T5b": tightest(rows["T5b"]),
        "T5x": tightest(rows["T5x"], max),
        "T6": tightest(rows["T6"], max),
        "T6x": tightest(rows["T6x"], max),
        "T7": lead(rows["T7"], claims["T7"].given["loosest"], rng),
        "T7x": lead(rows["T7x"], claims["T7x"].given["loosest"], rng),
        "T8": gains(rows["T8"], "searched", rng),
        "T8x": gains(rows["T8x"], "other end", rng),
        "bars": bars(table),
        "factor": claims["T6"].at_most,
    }


def data_of(rows):
    """Label of the images among the data, else synthetic."""
    labels = sorted(set(rows.data) - {"synthetic"})
    return labels[0] if labels else "synthetic"


def draws(rows):
    """Independent draws of the number that has fewest; exact ones have none."""
    random = rows[rows.found != "exact"] if (rows.found != "exact").any() else rows
    return int(random.groupby(["paper", "quantity", "found"]).seed.nunique().min())


def tightest(rows, choose=min):
    """Least looseness of every number; of these the least or the largest is judged."""
    if not len(rows):
        return Measured(np.nan, np.nan, np.nan)
    by_number = rows.groupby("quantity").looseness.min().sort_values()
    value = choose(by_number)
    name = by_number.index[list(by_number).index(value)]
    told = "; ".join(f"{one} {factor(least)}" for one, least in by_number[:4].items())
    note = f"{name[0].upper()}{name[1:]}. Of {len(by_number)} the tightest: {told}."
    return exactly(value, seeds=draws(rows), data=data_of(rows), note=note)


def shown(rows):
    """The rows of a number that its bar stands for."""
    found = next((found for found in BARS if (rows.found == found).any()), None)
    return rows[rows.found == found]


def lead(rows, loosest, rng):
    """How far the median of one number lies beyond the largest of the others."""
    groups = {name: shown(part).looseness.to_numpy() for name, part in rows.groupby("quantity")}
    own = groups.pop(loosest, np.array([]))
    medians = {name: np.median(values) for name, values in groups.items()}
    if not len(own) or not medians:
        return Measured(np.nan, np.nan, np.nan)
    second = max(medians, key=medians.get)
    others = groups[second]

    def ahead(own, others):
        return np.median(own) - np.median(others)

    replicas = [ahead(rng.choice(own, len(own)), rng.choice(others, len(others))) for _ in range(2000)]
    tail = 50 * (1 - LEVEL)
    interval = np.percentile(replicas, [tail, 100 - tail])
    note = f"Beyond it comes {second}, {factor(medians[second])}."
    seeds = min(len(own), len(others))
    return Measured(ahead(own, others), *interval, seeds, data_of(rows), note)


def gains(rows, kind, rng):
    """How much closer to a theorem's number searches come than draws, by their medians.

    Of the numbers that have both the one that gains least, with intervals that hold for all.
    """
    both = {
        name: [part[part.found == found].looseness.to_numpy() for found in ("sampled", kind)]
        for name, part in rows.groupby("quantity")
        if {"sampled", kind} <= set(part.found)
    }
    level = 1 - (1 - LEVEL) / max(len(both), 1)
    found = {}
    for name, parts in both.items():
        # Two samples of their own: their medians are drawn again apart.
        centres = [np.median(part) for part in parts]
        replicas = [
            np.median(rng.choice(parts[0], len(parts[0])))
            - np.median(rng.choice(parts[1], len(parts[1])))
            for _ in range(2000)
        ]
        tail = 50 * (1 - level)
        interval = np.percentile(replicas, [tail, 100 - tail])
        found[name] = Measured(centres[0] - centres[1], *interval, min(map(len, parts)))
    if not found:
        return Measured(np.nan, np.nan, np.nan)
    name = min(found, key=lambda name: found[name].value)
    one = found[name]
    told = "; ".join(f"{name} {one.value:.2f}" for name, one in found.items())
    low = min(one.low for one in found.values())
    return one._replace(low=low, data=data_of(rows), note=f"{told}.")


def bars(table):
    """A row a number: its bar, the range of its draws, the worst case and the control."""
    found = []
    for (paper, quantity), part in table.groupby(["paper", "quantity"], sort=False):
        kept, broken = part[part.left_out == ""], part[part.left_out != ""]
        own = shown(kept)
        searched = kept[kept.found == "searched"].looseness
        found.append(
            {
                "paper": paper,
                "quantity": quantity,
                "version": kept.version.iloc[0],
                "stated": bool((kept.constant == "stated").all()),
                "median": own.looseness.median(),
                "low": own.looseness.min(),
                "high": own.looseness.max(),
                "seeds": int(own.seed.nunique()) if own.found.iloc[0] != "exact" else 0,
                "worst": searched.min() if len(searched) else np.nan,
                "broken": broken.looseness.min() if len(broken) else np.nan,
                "left_out": "" if not len(broken) else broken.left_out.iloc[0],
            }
        )
    return pd.DataFrame(found)


def factor(orders):
    """``1.2x``, ``35x`` or ``10^7.7``."""
    if orders >= 4:
        return f"10^{orders:.1f}"
    value = 10**orders
    return f"{value:.3g}x" if value < 1000 else f"{value:.0f}x"


# The picture


def draw(findings, tables):
    found = findings["bars"]
    near, far = findings["cut"]
    parts = [
        (label, found[found.paper == paper].sort_values("median"))
        for paper, label in zip(findings["papers"], findings["labels"], strict=True)
    ]
    parts = [(label, part) for label, part in parts if len(part)]
    lines = sum(len(part) + 1.3 for _, part in parts)
    fig, (axis, beyond) = style.plt.subplots(
        1,
        2,
        figsize=(style.DOUBLE, 0.4 + 0.19 * lines + 0.65),
        layout="constrained",
        sharey=True,
        width_ratios=(near + 1.5, 11),
    )
    fig.get_layout_engine().set(wspace=0.01, w_pad=0.01)
    y, drawn = 0.0, []
    for i, (label, part) in enumerate(parts):
        words(axis, y, label, "", weight="bold")
        for row in part.itertuples():
            y += 1
            draw_number((axis, beyond), y, row, style.MEASURED[i], near)
        y += 1.3
        drawn.append(part)
    frame(axis, beyond, findings, y, near, far)
    legend(fig, pd.concat(drawn))
    return fig, drawn


def words(axis, y, name, version, **more):
    """Name and version of a number, in two columns beside the panel."""
    for text, at, look in ((name, -232, {"color": style.INK} | more), (version, -120, {})):
        axis.annotate(
            pretty(text),
            (0, y),
            (at, 0),
            xycoords=axis.get_yaxis_transform(),
            textcoords="offset points",
            va="center",
            fontsize=style.SMALL,
            annotation_clip=False,
            **{"color": style.QUIET} | look,
        )


def draw_number(axes, y, row, colour, near):
    """One bar, the range of its draws, the worst case found and the control."""
    axis, beyond = axes
    words(axis, y, row.quantity, row.version)
    look = {"facecolor": colour} if row.stated else OPEN | {"edgecolor": colour}
    far = row.median > near
    for one in axes if far else (axis,):
        one.barh(y, row.median, height=0.62, zorder=2, **look)
        if row.seeds >= style.LEAST_SEEDS:
            one.plot([row.low, row.high], [y, y], color=style.INK, linewidth=0.9, zorder=4)
        elif row.seeds:
            one.plot([row.low, row.high], [y, y], ".", color=style.INK, markersize=2, zorder=4)
    if np.isfinite(row.worst):
        axis.plot(row.worst, y, "D", color=style.INK, markersize=3, zorder=5)
    if np.isfinite(row.broken):
        axis.plot(row.broken, y, **style.control(linestyle="", zorder=6))
    place = beyond if far else axis
    end = max(row.median, row.high if row.seeds else row.median)
    place.annotate(
        pretty(factor(row.median)),
        (max(end, row.worst, row.broken) if not far else end, y),
        (4, 0),
        textcoords="offset points",
        va="center",
        fontsize=style.SMALL,
        color=style.INK,
    )


def frame(axis, beyond, findings, y, near, far):
    """Axes, the break between them, the line of what is needed and the factor 2."""
    low = min(-1.0, np.floor(findings["bars"].broken.min())) if len(findings["bars"]) else -1.0
    style.title(axis, None, "what is proven is safe by these factors; the width by more than forty orders")
    axis.set(xlim=(low - 0.2, near), ylim=(y - 0.6, -0.8), yticks=[])
    axis.set_xlabel("proven / needed (right of the line the theorem is the stricter)")
    beyond.set_xlim(far, far + 11)
    for one in (axis, beyond):
        one.grid(False, axis="y")
        one.tick_params(left=False, labelleft=False)
        one.spines["left"].set_visible(False)
    axis.set_xticks(np.arange(-2 if low <= -2 else 0, near, 2))
    beyond.set_xticks([far + 2, far + 7])
    for one in (axis, beyond):
        one.xaxis.set_major_formatter(lambda x, _: f"$10^{{{x:.0f}}}$" if x else "1")
    style.criterion(axis, 0, findings["factor"], label="", along="x")
    axis.axvline(0, **style.BOUND)
    arrow = {"arrowstyle": "<-", "color": style.INK, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", (0, -0.45), (13, 0), textcoords="offset points", arrowprops=arrow)
    for one, x in ((axis, 1), (beyond, 0)):  # the break
        one.plot(
            [x], [0], marker=[(-1, -1.6), (1, 1.6)], color=style.INK, markersize=7,
            transform=one.transAxes, clip_on=False, zorder=9,
        )


def legend(fig, found):
    """What the looks mean, below the picture."""
    handles = [
        (Patch(facecolor="0.45"), "all constants stated"),
        (Patch(edgecolor="0.45", **OPEN), "hidden constant taken as 1"),
        (Line2D([], [], color=style.INK, linewidth=0.9), "all draws (at least ten)"),
        (Line2D([], [], color=style.INK, marker="D", markersize=3, linestyle=""), "worst case by search"),
        (Line2D([], [], **style.BOUND), "needed"),
        (Patch(facecolor="0.9"), "within a factor 2"),
    ]
    left = ", ".join(dict.fromkeys(pretty(text) for text in found.left_out if text))
    if left:
        handles.append((Line2D([], [], **style.control(linestyle="")), f"control: without {left}"))
    handles, labels = zip(*handles, strict=True)
    style.legend_below(fig, handles=list(handles), labels=list(labels))


GREEK = {"delta": "\\delta", "rho": "\\rho", "kappa": "\\kappa", "lambda": "\\lambda"}
GREEK |= {"sigma": "\\sigma", "omega": "\\omega", "gamma": "\\gamma", "eta": "\\eta", "mu": "\\mu"}
GREEK |= {"beta": "\\beta"}


def pretty(text):
    """Formulas of a plain text in mathematical type: powers, indices, roots and Greek letters."""

    def typeset(match):
        word = match.group()
        word = re.sub(r"sqrt\(([^()]*)\)", r"\\sqrt{\1}", word)
        word = re.sub(r"\^\(([^()]*)\)", r"^{\1}", word)
        word = re.sub(r"([_^])(-?[\w.]+)", r"\1{\2}", word)
        word = re.sub(r"(?<![\\a-z])[a-z]{2,6}(?![a-z])", lambda m: GREEK.get(m.group(), m.group()), word)
        word = word.replace("log ", "\\log ").replace("log^", "\\log^")
        return f"${word}$"

    names = "|".join(GREEK)
    pattern = rf"sqrt\([^()]*\)|\b(?:{names})\b(?:[_^](?:\([^()]*\)|[\w.]+))*|\b\w+(?:[_^](?:\([^()]*\)|[\d.]+))+"
    return re.sub(pattern, typeset, text).replace("log $", "log$\\,$$") if text else text


if __name__ == "__main__":
    study.main(judge, draw)
