"""Claims Z9, N4, N5: error of the tensor initialisation against the number of samples."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, log_log_slope, sign_test
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly
from workflow.studies.zhong2017.names import look, name_criterion, present, slopes_allowed

ERROR = r"$\|W - W^*\|_F \,/\, \|W^*\|_F$"


def falling(rows, rng):
    """Log-log slope of the median error against n, the mean over the patch sizes."""
    wide = rows.pivot(index="seed", columns=["patch_size", "samples"], values="distance")
    samples = wide.columns.get_level_values("samples").unique().to_numpy()

    def slope(values, axis):
        medians = np.median(values, axis=axis)
        medians = medians.reshape(*medians.shape[:-1], -1, len(samples))
        return log_log_slope(samples, medians).mean(axis=-1)

    values = wide.to_numpy()
    interval = bootstrap(values, rng, slope, together=True)
    return Measured(float(slope(values, 0)), *interval, len(values))


def constancy(rows):
    """Largest over least of (median error)^2 n / k."""
    error = rows.groupby(["patch_size", "samples"]).distance.median().reset_index()
    scaled = error.distance**2 * error.samples / error.patch_size
    return exactly(scaled.max() / scaled.min(), seeds=rows.seed.nunique())


def helpful(rows, few, many):
    """Largest p-value over n of a smaller error with many patches, corrected for their number."""
    wide = rows.pivot(index=["samples", "seed"], columns="patches", values="distance")
    tests = [sign_test(pairs) for _, pairs in (wide[few] - wide[many]).groupby("samples")]
    told = ", ".join(f"{wins} of {pairs}" for wins, pairs, _ in tests)
    return exactly(
        min(max(p for *_, p in tests) * len(tests), 1.0),
        seeds=rows.seed.nunique(),
        note=f"Smaller in {told} pairs.",
    )


def shrinkage(rows, few, many, rng):
    """Median error with many samples over that with few."""
    wide = rows.pivot(index="seed", columns="samples", values="distance")

    def ratio(values, axis):
        first, last = np.moveaxis(np.median(values, axis=axis), -1, 0)
        return last / first

    values = wide[[few, many]].to_numpy()
    interval = bootstrap(values, rng, ratio, together=True)
    return Measured(float(ratio(values, 0)), *interval, len(values))


def judge(tables, claims, rng):
    def rows(key, table):
        return claims[key].rows(tables[f"tensor_{table}"])

    findings = {
        "claims": claims,
        "Z9": falling(rows("Z9", "size"), rng),
        "Z9b": constancy(rows("Z9b", "size")),
        "Z9c": helpful(rows("Z9c", "patches"), **claims["Z9c"].given),
    }
    for key in ("N4-relu", "N4-tanh"):
        wrong = rows(key, "order")
        least = wrong.groupby("samples").max_error.median().min()
        note = f"Least median error of a kernel {least:.2f}."
        findings[key] = falling(wrong, rng)._replace(note=note)
    for key in ("N5", "N5-uniform", "N5-laplace"):
        findings[key] = shrinkage(rows(key, "law"), **claims[key].given, rng=rng)
    return findings


def ordered(axis, table, by, y="distance", x="samples", text="${} = {:,}$"):
    """A curve with its band for each value of an ordered parameter; what was drawn."""
    colours = style.sequential(table[by].unique())
    symbol = {"patch_size": "k", "samples": "n"}[by]
    return [
        style.curve(
            axis,
            table[table[by] == value],
            x,
            y,
            style.measured(i, color=colour),
            text.format(symbol, value).replace(",", "\\,"),
        )
        for i, (value, colour) in enumerate(colours.items())
    ]


def guide_level(n, table):
    """The theorem's rate, a third below the lowest of the curves at its last point."""
    last = table[table.samples == table.samples.max()]
    groups = [key for key in ("patch_size", "activation", "centre") if last[key].nunique() > 1]
    lowest = last.groupby(groups or "samples").distance.median().min()
    return 0.65 * lowest * np.sqrt(table.samples.max() / n)


def guide(axis, table):
    n = np.array([table.samples.min(), table.samples.max()])
    axis.plot(n, guide_level(n, table), label=r"theory: slope $-\frac{1}{2}$", **style.THEORY)


def draw_broken(axis, tables):
    """Errors over those of the fewest samples: none of a broken hypothesis falls."""
    table, drawn = broken(tables), []
    for i, (case, text) in enumerate(BROKEN.items()):
        rows = table[table.case == case]
        first = rows[rows.samples == rows.samples.min()].distance.median()
        rows = rows.assign(error_over_first=rows.distance / first)
        shown = style.control(text, i - 1, markersize=4.5)
        shown = style.measured(0, label=text) if case == "gaussian" else shown
        drawn.append(style.curve(axis, rows, "samples", "error_over_first", shown, None))
    return drawn


def allow(by_size, collapse, wrong, cases, claims):
    """The criteria: slopes, and how far apart the largest and the least may be."""
    n = np.sort(claims["Z9"].rows(cases["size"]).samples.unique())
    slopes_allowed(by_size, n, guide_level(n, cases["size"]), claims["Z9"])
    rows = claims["Z9b"].rows(cases["size"])
    medians = rows.groupby(["patch_size", "samples"]).distance.median().reset_index()
    scaled = medians.distance * np.sqrt(medians.samples / medians.patch_size)
    middle, reach = np.sqrt(scaled.max() * scaled.min()), claims["Z9b"].at_most ** 0.25
    style.criterion(
        collapse,
        middle / reach,
        middle * reach,
        label="",
        span=(rows.samples.min(), None),
    )
    name_criterion(collapse, "criterion: spread")
    n = np.sort(cases["law"].samples.unique())
    slopes_allowed(wrong, n, (n / n[0]) ** -0.5, claims["N4-relu"])


def thousands(axis, samples):
    axis.set_xlabel("samples $n$, thousands")
    shown = sorted(samples.unique())
    axis.set_xticks(shown, [f"{n / 1000:g}" for n in shown])
    axis.minorticks_off()


def broken(tables):
    """The cases in which a hypothesis is broken, beside the one in which none is."""
    wrong, law = tables["tensor_order"], tables["tensor_law"]
    wrong = wrong[~wrong.usual].assign(case=lambda t: t.activation)
    law = law[law.activation == "squared_relu"].assign(case=lambda t: t.law)
    return pd.concat([law, wrong])


BROKEN = {
    "gaussian": "Gaussian inputs",
    "uniform": "uniform inputs",
    "laplace": "Laplace inputs",
    "relu": "ReLU by $M_3$",
    "tanh": "tanh by $M_2$",
}


def draw(findings, tables):
    cases = {key.removeprefix("tensor_"): table for key, table in tables.items()}
    fig, axes = style.panels(3, rows=2, height=7.4)
    by_size, collapse, by_patches, activations, centres, wrong = axes
    size, patches = cases["size"], cases["patches"]
    scaled = size.assign(scaled_error=size.distance * np.sqrt(size.samples / size.patch_size))
    drawn = ordered(by_size, size, "patch_size")
    drawn += ordered(collapse, scaled, "patch_size", "scaled_error")
    drawn += ordered(by_patches, patches, "samples", x="patches")
    table = cases["activation"]
    for activation in present(table):
        rows = table[table.activation == activation]
        drawn.append(style.curve(activations, rows, "samples", "distance", look(activation), None))
    table = cases["centre"][cases["centre"].activation == "relu"]
    for i, taken in enumerate(("regression", "mean", "nothing")):
        rows = table[table.centre == taken]
        drawn.append(style.curve(centres, rows, "samples", "distance", style.measured(i), taken))
    drawn += draw_broken(wrong, tables)
    for axis, of in (
        (by_size, size),
        (activations, cases["activation"]),
        (centres, cases["centre"]),
    ):
        guide(axis, of)
    titles = (
        "the error falls as the root of $n$",
        "and grows as that of $k$: the curves collapse",
        "more patches help",
        "other activations need more samples",
        "ReLU: what is taken off the labels matters",
        "a hypothesis broken: the error does not fall",
    )
    for axis in (by_size, collapse, wrong):
        axis.set(xscale="log", yscale="log")
    by_size.set_ylim(bottom=0.6 * guide_level(size.samples.max(), size))
    collapse.set_ylim(1, 5)
    wrong.set_ylim(0.03, 2)
    allow(by_size, collapse, wrong, cases, findings["claims"])
    for letter, axis, text in zip("abcdef", axes, titles, strict=True):
        axis.set(xscale="log", yscale="log", xlabel="samples $n$")
        style.title(axis, letter, text)
        style.plain_ticks(axis, "y")
        style.legend_below(axis, ncols=1)
    for axis in (by_size, collapse):
        thousands(axis, size.samples)
    thousands(activations, cases["activation"].samples)
    thousands(centres, cases["centre"].samples)
    thousands(wrong, cases["law"].samples)
    for axis in (by_size, activations):
        axis.set_ylabel(ERROR)
    wrong.set_ylabel("error / that of the fewest samples")
    collapse.set_ylabel(r"error $\times \sqrt{n / k}$")
    by_patches.set_xlabel("patches $r$")
    by_patches.set_ylim(bottom=0.015)
    style.ticks(by_patches, patches.patches)
    style.judged(by_size, findings["Z9"], "slope {}", (0.97, 0.92))
    style.judged(collapse, findings["Z9b"], "largest / least square: {}", (0.5, 0.07))
    p = f"p at most {findings['Z9c'].value:.0e}, allowed {findings['claims']['Z9c'].at_most:g}"
    style.corner(by_patches, p, "lower left")
    red = {"color": style.VERMILLION}
    style.judged(wrong, findings["N5"], "Gaussian inputs: {} left", (0.03, 0.27))
    for i, (key, text) in enumerate(
        (
            ("N5-uniform", "uniform inputs: {} left"),
            ("N5-laplace", "Laplace inputs: {} left"),
            ("N4-relu", "ReLU by $M_3$: slope {}"),
            ("N4-tanh", "tanh by $M_2$: slope {}"),
        )
    ):
        style.judged(wrong, findings[key], text, (0.03, 0.21 - 0.055 * i), **red)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
