"""Claims 12d, 12e: filter error along the eigenvectors of E[Z_pp Z_pp^T] at w*, over the steps."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, log_log_slope
from workflow.studies import study, style
from workflow.studies.du2018.image_runs import RUN, at_the_end, median_of_all, of_runs
from workflow.studies.verdicts import Measured, exactly

CELL = ["teacher", "start_distance"]


def judge(tables, claims, rng):
    last, claim = at_the_end(tables["image_training"]), claims["12f"]
    spectrum = of_runs(tables["image_spectrum"], last[claim.succeeded(last)])
    data, half = last.data.iloc[0], claim.given["low"]
    shares = {
        "end": shares_low(at_the_end(spectrum), half),
        "start": shares_low(claims["12x"].rows(spectrum), half),
    }
    end, start, grown = (
        by_cell(runs, data, rng) for runs in (*shares.values(), shares["end"] - shares["start"])
    )
    times = halving_times(spectrum)
    chosen = claims["12e"].rows(times)
    halved = {cell: median_of_runs(rows, data, rng) for cell, rows in chosen.groupby(CELL)}
    slopes = {cell: slope(rows) for cell, rows in chosen.groupby(CELL)}
    note = "; ".join(
        f"{kind}, {distance:g}: {found.value:.2f}, slope {slopes[kind, distance]:.2f}"
        for (kind, distance), found in halved.items()
    )
    # A short training has no direction of the range.
    off = max(halved.values(), key=off_prediction, default=exactly(np.nan, data=data))
    told = f"Kind of teacher, start: median, log-log slope against the prediction: {note}."
    found = {"12d": min(end.values(), key=lambda measured: measured.value)}
    return (found if "12d" in claims else {}) | {
        "12f": min(grown.values(), key=lambda measured: measured.value),
        "12x": max(start.values(), key=lambda measured: measured.value),
        "12e": off._replace(note=told),
        "shares": {"end": end, "start": start},
        "halved": halved,
        "times": times,
        "chosen": chosen,
        "least": claims["12x"].at_least,
        "grown": claims["12f"].at_least,
        "band": (claims["12e"].at_least, claims["12e"].at_most),
    }


def by_cell(values, data, rng):
    """(teacher, start) to the median over the seeds, of a number a run."""
    return {
        cell: Measured(np.median(rows), *bootstrap(rows, rng), len(rows), data)
        for cell, rows in values.groupby(CELL)
    }


def median_of_runs(rows, data, rng):
    """Median of the scaled times over runs and directions, with whole runs drawn again."""
    runs = rows.pivot(index="seed", columns="direction", values="scaled").to_numpy()
    return Measured(*median_of_all(runs, rng), len(runs), data)


def shares_low(rows, half):
    """Share of the squared error in the directions of low eigenvalue, a number a run."""
    low = rows.direction > half * rows.direction.max()
    squares = rows.component**2
    runs = [rows[key] for key in RUN]
    return squares.where(low, 0.0).groupby(runs).sum() / squares.groupby(runs).sum()


def halving_times(spectrum):
    """When each component of the error has halved, a row a run and direction.

    The logarithm of a component is interpolated between recorded steps; infinite if never. Beside
    it the prediction 1 / (eta lambda_j), the horizon, and the time in units of the prediction.
    """
    keys = [*RUN, "direction", "eigenvalue", "step"]
    wide = spectrum.pivot(index=keys, columns="iteration", values="component")
    at, values = wide.columns.to_numpy(dtype=float), wide.to_numpy()
    left = np.log2(np.maximum(values, 1e-300) / np.maximum(values[:, :1], 1e-300))
    below = left <= -1
    after = np.maximum(below.argmax(axis=1), 1)[:, None]
    high, low = (np.take_along_axis(left, after - back, axis=1)[:, 0] for back in (1, 0))
    part = (high + 1) / np.maximum(high - low, 1e-12)
    first, second = at[after[:, 0] - 1], at[after[:, 0]]
    halved = np.where(below.any(axis=1), first + part * (second - first), np.inf)
    found = wide.index.to_frame(index=False)
    found = found[found.eigenvalue > 0].assign(iterations=halved[found.eigenvalue > 0])
    found = found.assign(predicted=1 / (found.step * found.eigenvalue), horizon=at[-1])
    return found.assign(scaled=found.iterations / found.predicted)


def slope(rows):
    """Log-log slope of the time of halving against its prediction."""
    rows = rows[np.isfinite(rows.iterations)]
    if rows.predicted.nunique() < 2:
        return np.nan
    return float(log_log_slope(rows.predicted, rows.iterations.to_numpy()))


def off_prediction(measured):
    """How far the interval reaches from 1, as a factor."""
    return max(measured.high, 1 / measured.low)


def draw(findings, tables):
    replica = "Fashion-MNIST"
    shown = [("random", findings, tables), ("gabor", findings, tables)]
    if replica in findings:
        shown.append(("random", findings[replica], tables[replica]))
    groups = []
    for kind, found, of in shown:
        rows = of["image_spectrum"].query("teacher == @kind")
        groups.append((kind, rows.data.iloc[0], found, rows))
    fig, axes = style.panels(3, rows=2, height=5.4)
    maps, (shares, halved, against) = axes[:3], axes[3:]
    drawn = []
    seen = ("what images show much is learned first", "the same", "less is learned")
    for letter, axis, text, (kind, data, found, rows) in zip(
        "abc", maps, seen, groups, strict=False
    ):
        mesh, part = heat(axis, rows, found)
        style.title(axis, letter, f"{name_of(data, kind)}: {text}")
        drawn.append(part.assign(teacher=kind, data=data))
    for axis in maps[len(groups) :]:
        axis.set_axis_off()
        axis.set_title("", loc="left")
    maps[0].set_ylabel(r"eigenvector $j$ (largest $\lambda_j$ first)")
    bar = fig.colorbar(mesh, ax=list(maps), boundaries=np.linspace(0, 1, 101), ticks=[0, 0.5, 1])
    bar.set_label(r"$|\langle w_t - w^*, v_j\rangle|$ / start")
    style.title(shares, "d", "the error left lies in the half that is seen least")
    style.title(halved, "e", "components halve when predicted")
    style.title(against, "f", "most halve near it, some far earlier")
    drawn += draw_shares(shares, groups, findings)
    drawn += draw_halved(halved, groups, findings)
    drawn += draw_times(against, groups)
    style.legend_below(fig)
    return fig, drawn


def name_of(data, kind):
    """Data and kind of teacher in short."""
    return f"{data.replace('Fashion-MNIST', 'Fashion')}, {kind.replace('gabor', 'Gabor')}"


def points(axis, groups, cells_of, look_of):
    """Values with intervals against the start's distance, a look a group; what was drawn."""
    drawn = []
    for i, (kind, data, found, _) in enumerate(groups):
        cells = {r: m for (teacher, r), m in cells_of(found).items() if teacher == kind}
        if not cells:
            continue
        value, low, high = np.array([cell[:3] for cell in cells.values()]).T
        places = np.array([*cells]) + 0.05 * (i - 1)
        look = {"linestyle": "", "elinewidth": 0.9} | look_of(i, name_of(data, kind))
        axis.errorbar(places, value, (value - low, high - value), **look)
        drawn.append(
            pd.DataFrame({"start_distance": [*cells], "median": value, "low": low, "high": high})
        )
        drawn[-1] = drawn[-1].assign(teacher=kind, data=data)
    distances = sorted({r for *_, rows in groups for r in rows.start_distance.unique()})
    axis.set_xticks(distances, [f"{r:g}" for r in distances])
    axis.set_xlim(distances[0] - 0.12, distances[-1] + 0.12)
    axis.set_xlabel(r"start, $\|w_0 - w^*\| / \|w^*\|$")
    return drawn


def measured(i, name):
    """Look of a kind of images and teachers."""
    return style.measured(i, linestyle="", label=name)


def draw_shares(axis, groups, findings):
    """Share of the squared error in the lower half, at the start and at the end."""

    def at_start(i, _):
        return style.control("at the start" if i == 0 else None, i, linestyle="")

    drawn = [
        part.assign(quantity=f"share at the {time}")
        for time, look in (("end", measured), ("start", at_start))
        for part in points(axis, groups, lambda found, time=time: found["shares"][time], look)
    ]
    style.criterion(axis, findings["least"], label="")
    style.corner(axis, "criterion (MNIST)", "upper left")
    style.judged(axis, findings["12d"], "end: least {}", (0.5, 0.29))
    style.judged(axis, findings["12f"], "growth: least {}", (0.5, 0.2))
    style.judged(axis, findings["12f"], f"(asked: {findings['grown']:g})", (0.5, 0.13))
    axis.set(ylim=(0, 1.17), yticks=np.linspace(0, 1, 6))
    axis.set(ylabel=r"share of $\|w - w^*\|^2$ in the lower half")
    return drawn


def draw_halved(axis, groups, findings):
    """Step of halving in units of its prediction, medians with their intervals."""
    drawn = points(axis, groups, lambda found: found["halved"], measured)
    style.criterion(axis, *findings["band"])
    axis.axhline(1, **style.THEORY)
    # A short training has no direction of the range, and a logarithmic axis needs some.
    axis.set(yscale="log" if len(findings["chosen"]) else "linear", ylim=(0.25, 4))
    axis.set_ylabel(r"$\eta\lambda_j\,\times$ step of halving")
    axis.set_yticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"])
    axis.minorticks_off()
    style.judged(axis, findings["12e"], "farthest: {}", (0.5, 0.06))
    return [part.assign(quantity="halved, in units of the prediction") for part in drawn]


def draw_times(axis, groups):
    """Step of halving against its prediction: all judged directions, and medians by direction."""
    drawn = []
    for i, (kind, data, found, _) in enumerate(groups):
        rows = found["chosen"]
        rows = rows[rows.teacher == kind]
        rows = rows[np.isfinite(rows.iterations)]
        look = style.measured(i, linestyle="")
        axis.plot(rows.predicted, rows.iterations, **look | {"markersize": 1, "alpha": 0.25})
        middle = rows.groupby("direction")[["predicted", "iterations"]].median()
        axis.plot(middle.predicted, middle.iterations, **look | {"markeredgecolor": "white"})
        drawn.append(rows.assign(data=data))
    if sum(map(len, drawn)):
        ends = np.array(
            [
                min(rows.predicted.min() for rows in drawn if len(rows)),
                max(rows.predicted.max() for rows in drawn if len(rows)),
            ]
        )
        axis.plot(ends, ends, label="theory: halved at the prediction", **style.THEORY)
        axis.set(xscale="log", yscale="log")
    axis.set(xlabel=r"prediction $1 / (\eta\lambda_j)$", ylabel="step of halving")
    return drawn


def heat(axis, table, findings):
    """Map of what is left of each component, at the farthest start, and where it is predicted."""
    distance = table.start_distance.max()
    rows = table[table.start_distance == distance]
    first = rows[rows.iteration == 0].set_index(["seed", "direction"]).component
    keys = pd.MultiIndex.from_frame(rows[["seed", "direction"]])
    rows = rows.assign(left=rows.component.to_numpy() / first.reindex(keys).to_numpy())
    grid = rows[rows.iteration > 0].pivot_table(
        index="direction", columns="iteration", values="left", aggfunc="median"
    )
    # The upper part of the map is left out, so that the dark line stands off.
    look = {"cmap": "GnBu", "vmin": 0, "vmax": 1.4, "rasterized": True}
    mesh = axis.pcolormesh(grid.columns, grid.index, grid, **look)
    times = findings["times"]
    times = times[(times.teacher == table.teacher.iloc[0]) & (times.start_distance == distance)]
    predicted = times.groupby("direction").predicted.median()
    axis.plot(predicted, predicted.index, **style.THEORY)
    axis.text(
        0.03, 0.05, r"theory: $\eta\lambda_j t = 1$", transform=axis.transAxes, fontsize=style.SMALL
    )
    axis.set(xscale="log", xlim=(1, grid.columns.max()), ylim=(grid.index.max() + 0.5, 0.5))
    axis.set_xlabel("step $t$")
    axis.grid(False)
    return mesh, grid.reset_index().melt("direction", value_name="left")


if __name__ == "__main__":
    study.main(judge, draw)
