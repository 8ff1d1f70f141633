"""Figure 5: loss along the line from the learned filter to the true one."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.du2018.image_runs import RUN, at_the_end, curves, of_runs
from workflow.studies.verdicts import Measured


def judge(tables, claims, rng):
    table, claim = tables["image_interpolation"], claims["12c"]
    ends = at_the_end(table)
    converged = of_runs(table, ends[claim.succeeded(ends)])
    ratios = converged.groupby(RUN)[["mixing", "relative_loss"]].apply(highest_over_end)
    data = table.data.iloc[0]
    found = {
        cell: Measured(np.median(values), *bootstrap(values, rng), len(values), data)
        for cell, values in ratios.groupby(["teacher", "start_distance"])
    }
    worst = max(found.values(), key=lambda measured: measured.value)
    return {"12c": worst, "ratios": found, "died": claim.given["died"], "most": claim.at_most}


def highest_over_end(run):
    """Largest loss along the line over the loss at its end, the learned filter."""
    linear = np.exp(run.set_index("mixing").relative_loss)
    return linear.max() / linear.loc[linear.index.max()]


def draw(findings, tables):
    shown = [(findings, table) for _, table in tables["image_interpolation"].groupby("teacher")]
    shown = shown[::-1]  # random teachers first
    if replica := tables.get("Fashion-MNIST"):
        shown.append((findings["Fashion-MNIST"], replica["image_interpolation"]))
    fig, (*lines, highest) = style.panels(len(shown) + 1, height=2.9)
    drawn = []
    texts = (
        "random teachers: low all the way",
        "a Gabor filter: low, too",
        "other images: low, too",
    )
    for letter, axis, seen, (_, table) in zip("abc", lines, texts, shown, strict=False):
        rows, dead = curves(axis, table, "relative_loss", findings["died"])
        drawn += [part.assign(panel=letter) for part in rows]
        style.title(axis, letter, seen)
        style.corner(axis, title_of(table), "lower right")
        axis.set(xlabel=r"$a$ in $a\,w + (1 - a)\,w^*$", xlim=(0, 1.02), ylim=(-17, 3))
        axis.axhline(0, color="0.6", linewidth=0.7)
        if dead:
            style.corner(axis, f"grey: {dead} dead runs", "upper left")
    lines[0].set_ylabel(r"relative loss, $\ln(\mathrm{MSE} / \overline{y}^2)$")
    style.title(highest, "d"[: len(shown) > 2] or "c", "highest at the learned filter")
    for i, (found, table) in enumerate(shown):
        kind = table.teacher.iloc[0]
        cells = {
            r: found["ratios"][kind, r]
            for r in sorted(table.start_distance.unique())
            if (kind, r) in found["ratios"]
        }
        value, low, high = np.array([cell[:3] for cell in cells.values()]).T
        places = np.array([*cells]) + 0.04 * (i - 1)
        look = style.measured(i, linestyle="", label=title_of(table))
        highest.errorbar(places, value, (value - low, high - value), elinewidth=0.9, **look)
        drawn.append(
            pd.DataFrame(
                {
                    "start_distance": [*cells],
                    "ratio": value,
                    "low": low,
                    "high": high,
                    "panel": title_of(table),
                }
            )
        )
    style.criterion(highest, at_most=findings["most"])
    style.judged(highest, findings["12c"], "largest: {}", (0.98, 0.5), digits=3)
    top = max(part.high.max() for part in drawn[-len(shown) :])
    highest.set(ylim=(0.98, max(1.12, top + 0.02)), xlim=(0.4, 1.1))
    highest.set(xlabel=r"$\|w_0 - w^*\| / \|w^*\|$", ylabel="highest loss on the way / at its end")
    highest.set_xticks([0.5, 0.75, 1])
    style.legend_below(fig)
    return fig, drawn


def title_of(table):
    """Data and kind of teacher in short."""
    kind = table.teacher.iloc[0].replace("gabor", "Gabor")
    return f"{table.data.iloc[0].replace('Fashion-MNIST', 'Fashion')}, {kind}"


if __name__ == "__main__":
    study.main(judge, draw)
