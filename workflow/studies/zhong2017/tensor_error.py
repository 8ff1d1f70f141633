"""Claims Z9, N4, N5: error of the tensor initialisation against the number of samples."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, log_log_slope, sign_test
from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly
from workflow.studies.zhong2017.names import name, numbered

ERROR = r"$\|W - W^*\|_F \,/\, \|W^*\|_F$"


def falling(rows, rng):
    """Log-log slope of the median error against n, the mean over the patch sizes."""
    wide = rows.pivot(index="seed", columns=["patch_size", "samples"], values="distance")
    samples = wide.columns.get_level_values("samples").unique().to_numpy()

    def slope(values, axis):
        medians = np.median(values, axis=axis).reshape(-1, len(samples))
        return float(log_log_slope(samples, medians).mean())

    values = wide.to_numpy()
    return Measured(slope(values, 0), *bootstrap(values, rng, slope), len(values))


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
        first, last = np.median(values, axis=axis)
        return last / first

    values = wide[[few, many]].to_numpy()
    return Measured(ratio(values, 0), *bootstrap(values, rng, ratio), len(values))


def judge(tables, claims, rng):
    def rows(key, table):
        return claims[key].rows(tables[f"tensor_{table}"])

    findings = {
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


def curves(axis, table, groups, y="distance", x="samples"):
    """One curve with its band for each group ``(number, label, mask)``; what was drawn."""
    return [
        style.curve(axis, table[rows], x, y, i, label, markers=True) for i, label, rows in groups
    ]


def guide(axis, table, level):
    """The theorem's rate, `level` at the smallest sample."""
    n = np.array([table.samples.min(), table.samples.max()])
    axis.plot(n, level * np.sqrt(n[0] / n), label=r"slope $-\frac{1}{2}$", **style.THEORY)


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


def draw(findings, tables):
    cases = {key.removeprefix("tensor_"): table for key, table in tables.items()}
    fig, grid = style.plt.subplots(2, 3, figsize=(style.DOUBLE, 5.4), layout="constrained")
    axes = dict(
        zip(
            ("size", "collapse", "patches", "activation", "centre", "broken"),
            grid.flat,
            strict=True,
        )
    )
    drawn = []

    table = cases["size"]
    sizes = [
        (i, f"$k = {k}$", table.patch_size == k)
        for i, k in enumerate(sorted(table.patch_size.unique()))
    ]
    drawn += curves(axes["size"], table, sizes)
    guide(axes["size"], table, 0.045)
    axes["size"].set(ylabel=ERROR, ylim=(0.004, 0.6))
    scaled = table.distance * np.sqrt(table.samples / table.patch_size)
    drawn += curves(axes["collapse"], table.assign(scaled_error=scaled), sizes, "scaled_error")
    axes["collapse"].set(ylabel=r"error $\times \sqrt{n / k}$", ylim=(0.3, 6))

    table = cases["patches"]
    counts = [
        (i, f"$n = {n // 1000}\\,000$", table.samples == n)
        for i, n in enumerate(sorted(table.samples.unique()))
    ]
    drawn += curves(axes["patches"], table, counts, x="patches")
    axes["patches"].set(ylim=(0.009, 0.5), ylabel=ERROR)

    table = cases["activation"]
    groups = [(i, name(a), table.activation == a) for i, a in numbered(table)]
    drawn += curves(axes["activation"], table, groups)
    guide(axes["activation"], table, 0.1)
    axes["activation"].set(ylim=(0.0015, 2), ylabel=ERROR)

    table = cases["centre"]
    table = table[table.activation == "relu"]
    taken = [
        (i, label, table.centre == label)
        for i, label in enumerate(("regression", "mean", "nothing"))
    ]
    drawn += curves(axes["centre"], table, taken)
    guide(axes["centre"], table, 0.12)
    axes["centre"].set(ylim=(0.003, 3))

    table = broken(tables)
    labels = {
        "gaussian": "Gaussian, its moments",
        "uniform": "uniform inputs (N5)",
        "laplace": "Laplace inputs (N5)",
        "relu": f"ReLU by $M_3$, slope {findings['N4-relu'].text()} (N4)",
        "tanh": f"tanh by $M_2$, slope {findings['N4-tanh'].text()} (N4)",
    }
    groups = [(i, labels[case], table.case == case) for i, case in enumerate(labels)]
    drawn += curves(axes["broken"], table, groups)
    guide(axes["broken"], table, 0.07)
    axes["broken"].set(ylim=(1e-4, 3))

    trials = {key: table.seed.nunique() for key, table in cases.items()}
    titles = {
        "size": (f"$r = 2$, {trials['size']} seeds", "squared ReLU"),
        "collapse": (None, "squared ReLU, scaled"),
        "patches": (f"$k = 10$, {trials['patches']} seeds", "squared ReLU, by $r$"),
        "activation": (f"{trials['activation']} seeds", "activations, $k = 10$"),
        "centre": (f"{trials['centre']} seeds", "ReLU, taken off $y$"),
        "broken": (f"{trials['order']} seeds (N4), {trials['law']}", "hypotheses broken"),
    }
    for letter, (panel, (seeds, title)) in zip("abcdef", titles.items(), strict=True):
        axis = axes[panel]
        axis.set(xscale="log", yscale="log")
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
        axis.set_title(title, loc="right")
        columns = 2 if panel in ("size", "collapse", "activation") else 1
        axis.legend(title=seeds, loc="lower left", ncols=columns, columnspacing=1)
        if panel != "patches":
            of = {"collapse": "size", "broken": "law"}.get(panel, panel)
            thousands(axis, cases[of].samples)
    shown = sorted(cases["patches"].patches.unique())
    axes["patches"].set_xlabel("patches $r$")
    axes["patches"].set_xticks(shown, [str(r) for r in shown])
    axes["patches"].minorticks_off()
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
