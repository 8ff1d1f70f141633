"""Claims 12d, 12e: filter error along the eigenvectors of E[Z_pp Z_pp^T] at w*, over the steps."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, log_log_slope
from workflow.studies import study, style
from workflow.studies.du2018.image_runs import RUN, at_the_end, of_runs
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
    interval = bootstrap(runs, rng, lambda runs, axis: np.nanmedian(runs))
    return Measured(float(np.nanmedian(runs)), *interval, len(runs), data)


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
    shown = [("random", "MNIST", findings, tables), ("gabor", "MNIST", findings, tables)]
    if replica in findings:
        shown.append(("random", replica, findings[replica], tables[replica]))
    fig, axes = style.plt.subplots(
        2, 3, figsize=(style.DOUBLE, 4.6), layout="constrained", squeeze=False
    )
    drawn, titles = [], []
    for axis, (kind, data, found, of) in zip(axes[0], shown, strict=False):
        table = of["image_spectrum"].query("teacher == @kind")
        mesh, part = heat(axis, table, found)
        name = {"gabor": "Gabor", "random": "random"}[kind]
        axis.set(xlabel="step $t$")
        titles.append(f"{table.data.iloc[0]}, {name}")
        drawn.append(part.assign(teacher=kind, data=data))
    for axis in axes[0][len(shown) :]:
        axis.set_axis_off()
    axes[0][0].set_ylabel(r"eigenvector $j$ (largest $\lambda_j$ first)")
    fig.colorbar(
        mesh,
        ax=axes[0],
        label=r"$|\langle w_t - w^*, v_j\rangle|$ / start",
        boundaries=np.linspace(0, 1, 101),
        ticks=[0, 0.5, 1],
    )
    cells = [
        (found, cell) for *_, found, _ in shown[:1] + shown[2:] for cell in found["shares"]["end"]
    ]
    shown_cells = [(found["shares"]["end"][cell].data, *cell) for found, cell in cells]
    labels = [
        f"{data.replace('Fashion-MNIST', 'Fashion')} {kind}, {distance:g}"
        for data, kind, distance in shown_cells
    ]
    # A short training has no direction of the range, and a logarithmic axis needs some.
    scale = "log" if len(findings["chosen"]) else "linear"
    shares, halved, against = axes[1]
    places = np.arange(len(cells))
    control = {"fillstyle": "none", "color": style.COLOURS[3], "label": "control: at the start"}
    for name, look in (
        ("end", {"color": style.COLOURS[0], "label": "at the end"}),
        ("start", control),
    ):
        points(shares, places, [found["shares"][name][cell] for found, cell in cells], look)
    shares.axhspan(findings["least"], 1, color="0.92", zorder=0)
    shares.text(0, findings["least"] - 0.02, "criterion", fontsize=6.5, va="top")
    shares.set(ylim=(0, 1.02), ylabel=r"share of $\|w - w^*\|^2$ in the lower half")
    shares.legend(loc="center right", bbox_to_anchor=(1, 0.68))
    points(
        halved,
        places,
        [found["halved"].get(cell, exactly(np.nan)) for found, cell in cells],
        {"color": style.COLOURS[0]},
    )
    halved.axhspan(*findings["band"], color="0.92", zorder=0)
    halved.axhline(1, **style.THEORY)
    halved.set(
        yscale=scale,
        ylim=(0.25, 4),
        ylabel=r"$\eta\lambda_j\,\times$ step of halving",
    )
    halved.set_yticks([0.25, 0.5, 1, 2, 4], ["0.25", "0.5", "1", "2", "4"])
    halved.minorticks_off()
    for axis in (shares, halved):
        axis.set_xticks(places, labels, rotation=90, fontsize=6)
    for i, (kind, data, found, _) in enumerate(shown):
        rows = found["chosen"].query("teacher == @kind")
        rows = rows[np.isfinite(rows.iterations)]
        against.plot(
            rows.predicted,
            rows.iterations,
            linestyle="",
            marker=style.MARKERS[i],
            markersize=1.6,
            alpha=0.4,
            rasterized=True,
            color=style.COLOURS[(0, 2, 4)[i]],
            label=f"{data}, {kind}",
        )
        drawn.append(rows.assign(data=data))
    ends = np.array([rows.predicted.min(), rows.predicted.max()])
    against.plot(ends, ends, **style.THEORY)
    against.set(
        xscale=scale,
        yscale=scale,
        xlabel=r"prediction $1 / (\eta\lambda_j)$",
        ylabel="step of halving",
    )
    against.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28), handlelength=1, markerscale=2.5)
    titles += [""] * (3 - len(titles))
    titles += ["error left where little is seen", "halved when predicted", "a dot a direction"]
    for letter, axis, title in zip("abcdef", axes.ravel(), titles, strict=True):
        if axis.axison:
            axis.set_title(f"({letter}) {title}", loc="left")
    return fig, drawn


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
    mesh = axis.pcolormesh(
        # The upper part of the map is left out, so that the dark line stands off.
        grid.columns,
        grid.index,
        grid,
        cmap="GnBu",
        vmin=0,
        vmax=1.4,
        rasterized=True,
    )
    times = findings["times"]
    times = times[(times.teacher == table.teacher.iloc[0]) & (times.start_distance == distance)]
    predicted = times.groupby("direction").predicted.median()
    axis.plot(predicted, predicted.index, **style.THEORY)
    axis.text(0.03, 0.05, r"dashed: $\eta\lambda_j t = 1$", transform=axis.transAxes, fontsize=6.5)
    axis.set(xscale="log", xlim=(1, grid.columns.max()), ylim=(grid.index.max() + 0.5, 0.5))
    axis.grid(False)
    return mesh, grid.reset_index().melt("direction", value_name="left")


def points(axis, places, found, look):
    """Values with their intervals."""
    value, low, high = (
        np.array([getattr(m, name) for m in found]) for name in ("value", "low", "high")
    )
    axis.errorbar(
        places, value, (value - low, high - value), linestyle="", marker="o", elinewidth=0.9, **look
    )


if __name__ == "__main__":
    study.main(judge, draw)
