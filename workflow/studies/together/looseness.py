"""What the four papers prove beside what is needed, on one axis."""

import re

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly

LEVEL, REPLICAS = 0.95, 2000
NOTHING = Measured(np.nan, np.nan, np.nan)
# What a bar shows, the first of these that a number has; a search is drawn as a mark of its own.
BARS = ("sampled", "exact", "searched")


def judge(tables, claims, rng):
    table = tables["looseness"]
    rows = {name: claim.rows(table) for name, claim in claims.items()}
    return {
        "T5": tightest(rows["T5"], min),
        "T5b": tightest(rows["T5b"], min),
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
    """Independent draws of the number that has fewest; where nothing is drawn none are missing."""
    drawn = rows[rows.found != "exact"]
    return int(drawn.groupby(["quantity", "found"]).seed.nunique().min()) if len(drawn) else 0


def tightest(rows, choose):
    """Least looseness of every number; of these the least or the largest is judged."""
    if not len(rows):
        return NOTHING
    each = rows.groupby("quantity").looseness.min().sort_values()
    told = "; ".join(f"{name} {factor(least)}" for name, least in each[:4].items())
    note = f"Of {len(each)} numbers the tightest: {told}."
    return exactly(choose(each), seeds=draws(rows), data=data_of(rows), note=note)


def shown(rows):
    """The rows of a number that its bar stands for."""
    found = next(found for found in BARS if (rows.found == found).any())
    return rows[rows.found == found]


def lead(rows, loosest, rng):
    """How far the median of one number lies beyond the largest of the others."""
    groups = {name: shown(part).looseness.to_numpy() for name, part in rows.groupby("quantity")}
    own = groups.pop(loosest, None)
    if own is None or not groups:
        return NOTHING
    second = max(groups, key=lambda name: np.median(groups[name]))
    note = f"Next comes: {second}, {factor(np.median(groups[second]))}."
    return apart(own, groups[second], rng, LEVEL)._replace(data=data_of(rows), note=note)


def gains(rows, kind, rng):
    """How much closer to a theorem's number searches come than draws, by their medians.

    Of the numbers that have both the one that gains least, with intervals that hold for all.
    """
    both = {
        name: [part[part.found == found].set_index("seed").looseness for found in ("sampled", kind)]
        for name, part in rows.groupby("quantity")
        if {"sampled", kind} <= set(part.found)
    }
    if not both:
        return NOTHING
    level = 1 - (1 - LEVEL) / len(both)
    found = {name: gain(*parts, rng, level) for name, parts in both.items()}
    least = min(found.values(), key=lambda one: one.value)
    return least._replace(
        low=min(one.low for one in found.values()),
        seeds=min(one.seeds for one in found.values()),
        data=data_of(rows),
        note="Orders: " + "; ".join(f"{name} {one.value:.2f}" for name, one in found.items()) + ".",
    )


def gain(drawn, searched, rng, level):
    """Median of the draws less that of the searches, paired where they share their seeds."""
    if set(drawn.index) != set(searched.index):
        return apart(drawn.to_numpy(), searched.to_numpy(), rng, level)
    pairs = (drawn - searched).to_numpy()
    return Measured(np.median(pairs), *bootstrap(pairs, rng, level=level), len(pairs))


def apart(first, second, rng, level):
    """Difference of the medians of two independent samples."""
    one, other = (
        np.median(rng.choice(values, (REPLICAS, len(values))), axis=1) for values in (first, second)
    )
    tail = 50 * (1 - level)
    interval = np.percentile(one - other, [tail, 100 - tail])
    value = np.median(first) - np.median(second)
    return Measured(value, *interval, min(len(first), len(second)))


def bars(table):
    """A row a number: its bar, the range of its draws, the worst case and the control."""
    found = []
    for (paper, quantity), part in table.groupby(["paper", "quantity"], sort=False):
        kept, broken = part[part.left_out == ""], part[part.left_out != ""]
        if not len(kept):  # a bound that says nothing in any cell that was tried
            continue
        own, searched = shown(kept), kept[kept.found == "searched"]
        found.append(
            {
                "paper": paper,
                "quantity": quantity,
                "version": kept.version.iloc[0],
                "constant": kept.constant.iloc[0],
                "median": own.looseness.median(),
                "low": own.looseness.min(),
                "high": own.looseness.max(),
                "seeds": own.seed.nunique(),
                "worst": searched.looseness.min(),
                "broken": broken.looseness.min(),
                "left_out": broken.left_out.max() if len(broken) else "",
            }
        )
    return pd.DataFrame(found)


def factor(orders):
    """``1.2 times``, or ``10^7.7`` from a thousand on."""
    return f"{10**orders:.3g} times" if orders < 3 else f"10^{orders:.1f}"


# The picture

COLUMNS = -252, -134  # points from the panel to where names and versions begin
OPEN = {"facecolor": "white", "hatch": "/////", "linewidth": 0.7}
RANGE = {"color": style.INK, "linewidth": 0.9, "zorder": 4}
WORST = {"color": style.INK, "marker": "D", "markersize": 3, "linestyle": "", "zorder": 5}
BROKEN = style.control(linestyle="", zorder=6)


def draw(findings, tables):
    found, (near, far) = findings["bars"], findings["cut"]
    parts = [
        (label, found[found.paper == paper].sort_values("median"))
        for paper, label in findings["rooms"]
        if (found.paper == paper).any()
    ]
    lines = sum(len(part) + 1.4 for _, part in parts)
    fig, (axis, beyond) = style.plt.subplots(
        1,
        2,
        figsize=(style.DOUBLE, 1.0 + 0.185 * lines),
        layout="constrained",
        sharey=True,
        width_ratios=(5, 1),
    )
    fig.get_layout_engine().set(wspace=0.01, w_pad=0.01)
    y = 0.0
    for i, (label, part) in enumerate(parts):
        words(axis, y, label, "", weight="bold")
        for row in part.itertuples():
            y += 1
            words(axis, y, row.quantity, row.version)
            draw_number((axis, beyond) if row.median > near else (axis,), y, row, i)
        y += 1.4
    frame(axis, beyond, findings["factor"], near, far)
    low = min(-1, np.floor(np.nanmin([0, *found.broken])))
    axis.set(xlim=(low, near), ylim=(y - 0.8, -0.8), yticks=[])
    beyond.set_xlim(far, max(found["high"].max() * 1.12, far + 5))
    seen = "what is proven is safe by these factors: the width by far the most, a few hardly at all"
    fig.suptitle(seen, x=0.005, ha="left", fontsize=8)
    legend(fig, found)
    return fig, [part for _, part in parts]


def words(axis, y, name, version, **more):
    """Name and version of a number, in two columns beside the panel."""
    for text, at, colour in ((name, COLUMNS[0], style.INK), (pretty(version), COLUMNS[1], "0.35")):
        axis.annotate(
            text,
            (0, y),
            (at, 0),
            xycoords=axis.get_yaxis_transform(),
            textcoords="offset points",
            va="center",
            fontsize=style.SMALL,
            color=colour,
            annotation_clip=False,
            **more,
        )


def draw_number(axes, y, row, i):
    """One bar, the range of its draws, the worst case found, the control and the factor."""
    colour = style.MEASURED[i]
    look = {"facecolor": colour} if row.constant == "stated" else OPEN | {"edgecolor": colour}
    dots = {"linestyle": "", "marker": ".", "markersize": 2.5}
    for axis in axes:
        axis.barh(y, row.median, height=0.62, zorder=2, **look)
        few = row.seeds < style.LEAST_SEEDS
        axis.plot([row.low, row.high], [y, y], **RANGE | (dots if few else {}))
    axes[0].plot(row.worst, y, **WORST)
    axes[0].plot(row.broken, y, **BROKEN | {"label": None})
    end = np.nanmax([row.median, row.high] + ([row.worst, row.broken] if len(axes) == 1 else []))
    axes[-1].annotate(
        times(row.median),
        (end, y),
        (4, 0),
        textcoords="offset points",
        va="center",
        fontsize=style.SMALL,
        color=style.INK,
    )


def frame(axis, beyond, factor_allowed, near, far):
    """Axes, the break between them, the line of what is needed and the factor 2."""
    style.criterion(axis, 0, factor_allowed, label="", along="x")
    axis.axvline(0, **style.BOUND)
    arrow = {"arrowstyle": "<-", "color": style.INK, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    axis.annotate("", (0, -0.4), (13, 0), textcoords="offset points", arrowprops=arrow)
    axis.set_xlabel("proven / needed; right of the line the theorem is the stricter")
    axis.set_xticks([0, *range(2, int(near), 2)])
    beyond.set_xticks([far + 7])
    for one, x in ((axis, 1), (beyond, 0)):
        one.xaxis.set_major_formatter(lambda orders, _: f"$10^{{{orders:.0f}}}$" if orders else "1")
        one.tick_params(left=False, labelleft=False)
        one.spines["left"].set_visible(False)
        one.grid(False, axis="y")
        look = {"color": style.INK, "markersize": 7, "clip_on": False, "zorder": 9}
        one.plot(x, 0, marker=[(-1, -1.6), (1, 1.6)], transform=one.transAxes, **look)


def legend(fig, found):
    """What the looks mean, below the picture."""
    left = dict.fromkeys(pretty(text) for text in found.left_out if text)
    named = {
        "all constants stated": Patch(facecolor="0.45"),
        "hidden constant taken as 1": Patch(edgecolor="0.45", **OPEN),
        "all draws (at least ten)": Line2D([], [], **RANGE),
        "worst case by search": Line2D([], [], **WORST),
        "needed": Line2D([], [], **style.BOUND),
        "within a factor 2": Patch(facecolor="0.9"),
        f"control: without {', '.join(left)}": Line2D([], [], **BROKEN),
    }
    style.legend_below(fig, handles=list(named.values()), labels=list(named))


def times(orders):
    """The factor as it stands at a bar."""
    return f"{10**orders:.3g}\N{MULTIPLICATION SIGN}" if orders < 3 else f"$10^{{{orders:.1f}}}$"


GREEK = "alpha|beta|gamma|delta|eta|kappa|lambda|mu|omega|pi|rho|sigma"


def pretty(text):
    """A text whose part behind a colon, or all of it, is a formula, in mathematical type."""
    name, colon, formula = text.partition(": ")
    if colon:
        return f"{name}: {mathematics(formula)}"
    return mathematics(text) if re.search(r"[\^/(]", text) else text


def mathematics(formula):
    """``n^24 / sqrt(m)`` as TeX."""
    for plain, tex in (
        (r"sqrt\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"\^\(([^()]*)\)", r"^{\1}"),
        (r"([_^])(\w+)", r"\1{\2}"),
        (rf"(?<![A-Za-z\\])({GREEK})(?![A-Za-z])", r"\\\1 "),
        (r"\blog\b", r"\\log "),
        (r"\beps\b", r"\\varepsilon "),
        (">=", r"\\geq "),
        ("<=", r"\\leq "),
        (r"\bto\b", r"\\;\\mathrm{to}\\;"),
        (", ", r",\\; "),
    ):
        formula = re.sub(plain, tex, formula)
    return f"${formula}$"


if __name__ == "__main__":
    study.main(judge, draw)
