"""Maps of width and sample size: what descent reaches, and where the four theories begin."""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke

from cnntheory import images
from cnntheory.stats import bootstrap, wilson
from workflow.studies import study, style
from workflow.studies.allenzhu2019.success import crossing
from workflow.studies.verdicts import Measured, exactly

CELL = ["study", "data", "samples", "width"]
# Columns of the figure; of images their label is told.
COLUMNS = {
    "one_patch": "one filter,\none patch",
    "one_filter": "one filter,\nfour patches",
    "two_filters": "two filters",
    "noisy": "two filters,\nnoisy labels",
    "images": "two filters,\n{}",
}
ROWS = {
    "zero": "the loss is zero:\nfew samples, or\nmany filters",
    "recovered": "the teacher is found:\nmany samples,\nfew filters",
    "kernel": "the kernel tells\nthe time:\nmany filters",
    "optimal": "the optimum is\nreached: many\nsamples",
}
LINES = {
    "zhong2017": ("Zhong et al.: curved at the teacher", style.SKY, "-"),
    "ergen2021": ("Ergen, Pilanci: filters of the optimum", style.PINK, "--"),
    "allenzhu2019": ("Allen-Zhu et al.: kernel's time", style.INK, "-."),
    "du2018": ("Du et al.: condition not refuted", style.GREEN, "-"),
}


def judge(tables, claims, rng):
    runs, findings = with_ratios(tables["runs"]), {}
    of_images = runs.data[runs.study == "images"].iloc[0]
    for name, claim in claims.items():
        rows = claim.rows(runs)
        if claim.success:
            label = of_images if claim.about == "images" else "synthetic"
            findings[name] = share(claim.succeeded(rows), label)
        elif claim.kind == "identity":
            findings[name] = exactly(rows.distance.min(), note=f"{len(rows)} runs.")
        else:
            findings[name] = middle(rows.distance.dropna().to_numpy(), rng)
    return findings


def with_ratios(runs):
    """Distance to the certified optimum, and steps taken beside those of the frozen kernel."""
    never = np.isinf(runs.iterations) | np.isinf(runs.kernel_iterations)
    steps = np.maximum(runs.iterations, 1) / np.maximum(runs.kernel_iterations, 1)
    return runs.assign(
        distance=(runs.objective - runs.dual_bound) / runs.dual_bound,
        slowdown=steps.mask(never, np.inf),
    )


def share(success, label="synthetic"):
    """A share with its Wilson interval, a data set a draw; of no runs nothing is known."""
    if not len(success):
        return exactly(np.nan, data=label)
    interval = wilson(success.sum(), len(success))
    return Measured(success.mean(), *interval, len(success), label)


def middle(values, rng):
    """A median with its bootstrap interval, a data set a draw; of no runs nothing is known."""
    if not len(values):
        return exactly(np.nan)
    return Measured(np.median(values), *bootstrap(values, rng), len(values))


def draw(findings, tables):
    every = [tables, *(tables[label] for label in (images.FASHION,) if label in tables)]
    runs, optima, limits = (
        pd.concat([part[name] for part in every], ignore_index=True)
        for name in ("runs", "optima", "limits")
    )
    cells = shares_of(with_ratios(runs), findings)
    columns = list(dict.fromkeys(zip(runs.study, runs.data, strict=True)))
    fig, axes = style.plt.subplots(
        len(ROWS), len(columns), figsize=(style.DOUBLE, 5.2), layout="constrained", sharex=True
    )
    drawn = [cells]
    for i, key in enumerate(columns):
        found = {name: part for name, part in cells.groupby(["study", "data"])}[key]
        lines = lines_of(found, optima, limits, key, findings)
        drawn += [
            line.assign(curve=name, study=key[0], data=key[1]) for name, line in lines.items()
        ]
        axes[0, i].set_title(COLUMNS[key[0]].format(key[1]), fontsize=7.5)
        for j, row in enumerate(ROWS):
            shown = draw_map(axes[j, i], found, row)
            draw_lines(axes[j, i], lines)
            axes[j, i].tick_params(labelleft=i == 0)
    for axis, text in zip(axes[:, 0], ROWS.values(), strict=True):
        axis.set_ylabel("width $m$")
        axis.annotate(
            text,
            (0, 0.5),
            (-42, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=7.5,
        )
    for axis in axes[-1]:
        axis.set_xlabel("samples $n$")
    bar = fig.colorbar(shown, ax=axes, shrink=0.5, pad=0.01, aspect=30)
    bar.set_label("share of the data sets")
    handles = [
        Line2D([], [], color=colour, linestyle=look, linewidth=1.6, label=text)
        for text, colour, look in LINES.values()
    ]
    style.legend_below(fig, handles=handles, handlelength=3.2)
    return fig, drawn


def shares_of(runs, given):
    """Shares by cell of what the rows of the figure show."""
    runs = runs.assign(
        zero=runs.end_loss <= given["zero"],
        recovered=runs.test_error <= given["recovered"],
        kernel=runs.slowdown.between(1 / given["slowdown"], given["slowdown"]),
        # Only some of the data sets have their optimum certified.
        optimal=(runs.distance <= given["near"]).where(runs.distance.notna()).astype(float),
    )
    return runs.groupby(CELL)[list(ROWS)].mean().reset_index()


def lines_of(cells, optima, limits, key, given):
    """Where each theory begins on one map, as a line of (samples, width)."""
    optima, limits = (
        table[(table.study == key[0]) & (table.data == key[1])] for table in (optima, limits)
    )
    samples, widths = sorted(set(cells.samples)), sorted(set(cells.width))
    share = limits.smallest / limits.population_smallest
    curved = share.groupby(limits.samples).median()
    lines = {
        "ergen2021": optima.groupby("samples").filters.median().rename("width").reset_index(),
        "allenzhu2019": pd.DataFrame(
            [
                {"samples": n, "width": crossing(part.width, part.kernel, given["half"])}
                for n, part in cells.groupby("samples")
            ]
        ),
    }
    if curved.max() >= given["curved"]:
        n = np.exp(np.interp(given["curved"], np.maximum.accumulate(curved), np.log(samples)))
        lines["zhong2017"] = pd.DataFrame({"samples": n, "width": edges(widths)[[0, -1]]})
    if limits.condition_ratio.median() > 1:
        top = edges(widths)[1]
        lines["du2018"] = pd.DataFrame({"samples": edges(samples)[[0, -1]], "width": top})
    return lines


def edges(values):
    """Edges of cells around values on a logarithmic axis."""
    logs = np.log(np.asarray(values, dtype=float))
    inner = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - inner[0]], inner, [2 * logs[-1] - inner[-1]]]))


def draw_map(axis, cells, row):
    """Shares on logarithmic axes."""
    wide = cells.pivot(index="width", columns="samples", values=row)
    x, y = edges(wide.columns), edges(wide.index)
    shown = axis.pcolormesh(x, y, wide, cmap="cividis", vmin=0, vmax=1)
    axis.set(xscale="log", yscale="log", xlim=x[[0, -1]], ylim=y[[0, -1]])
    style.ticks(axis, wide.columns[::2])
    style.ticks(axis, wide.index, "y", apart=0.12)
    axis.grid(False)
    return shown


def draw_lines(axis, lines):
    """Where the theories begin, with a white edge that stands out on the map."""
    for name, line in lines.items():
        _, colour, look = LINES[name]
        edge = [Stroke(linewidth=3, foreground="white"), Normal()]
        axis.plot(
            line.samples, line.width, color=colour, linestyle=look, linewidth=1.6, path_effects=edge
        )


if __name__ == "__main__":
    study.main(judge, draw)
