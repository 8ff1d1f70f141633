"""Claims Z9, N4, N5: error of the tensor initialisation against the number of samples."""

import numpy as np
import pandas as pd

from figures import style
from figures.zhong2017.names import name, present

ERROR = r"$\max_j \|w_j - w_j^*\| / \|w_j^*\|$"
path, tables = style.read()
studies = {key.removeprefix("tensor_"): table for key, table in tables.items()}
fig, grid = style.plt.subplots(2, 3, figsize=(style.DOUBLE, 5.4), layout="constrained")
axes = dict(
    zip(("size", "span", "patches", "activation", "centre", "broken"), grid.flat, strict=True)
)
drawn = []


def curves(axis, table, groups, y="max_error", x="samples"):
    """One curve with its band for each group ``(number, label, mask)``."""
    for i, label, rows in groups:
        drawn.append(style.curve(axis, table[rows], x, y, i, label, markers=True))


def guide(axis, table, level):
    """The theorem's rate, `level` at the smallest sample."""
    n = np.array([table.samples.min(), table.samples.max()])
    axis.plot(n, level * np.sqrt(n[0] / n), label=r"slope $-\frac{1}{2}$", **style.THEORY)


def thousands(axis, samples):
    axis.set_xlabel("samples $n$, thousands")
    shown = sorted(samples.unique())
    axis.set_xticks(shown, [f"{n / 1000:g}" for n in shown])
    axis.minorticks_off()


table = studies["size"]
sizes = [
    (i, f"$k = {k}$", table.patch_size == k)
    for i, k in enumerate(sorted(table.patch_size.unique()))
]
for axis, quantity in ((axes["size"], "max_error"), (axes["span"], "subspace_error")):
    curves(axis, table, sizes, quantity)
    guide(axis, table, 0.065)
axes["size"].set(ylabel=ERROR, ylim=(0.004, 0.6))
axes["span"].set(ylabel="sine of the largest angle", ylim=(0.004, 0.6))

table = studies["patches"]
counts = [
    (i, f"$n = {n // 1000}\\,000$", table.samples == n)
    for i, n in enumerate(sorted(table.samples.unique()))
]
curves(axes["patches"], table, counts, x="patches")
axes["patches"].set(ylim=(0.009, 0.5), ylabel=ERROR)

table = studies["activation"]
curves(axes["activation"], table, [(i, name(a), table.activation == a) for i, a in present(table)])
guide(axes["activation"], table, 0.1)
axes["activation"].set(ylim=(0.0015, 2), ylabel=ERROR)

table = studies["centre"]
table = table[table.activation == "relu"]
taken = [
    (i, label, table.centre == label) for i, label in enumerate(("regression", "mean", "nothing"))
]
curves(axes["centre"], table, taken)
guide(axes["centre"], table, 0.12)
axes["centre"].set(ylim=(0.003, 3))

wrong, law = studies["order"], studies["law"]
wrong = wrong[~wrong.usual].assign(case=lambda t: t.activation)
law = law[law.activation == "squared_relu"].assign(case=lambda t: t.law)
table = pd.concat([law, wrong])
cases = {
    "gaussian": "Gaussian, its moments",
    "uniform": "uniform inputs (N5)",
    "laplace": "Laplace inputs (N5)",
    "relu": "ReLU by $M_3$ (N4)",
    "tanh": "tanh by $M_2$ (N4)",
}
curves(
    axes["broken"], table, [(i, cases[case], table.case == case) for i, case in enumerate(cases)]
)
guide(axes["broken"], table, 0.07)
axes["broken"].set(ylim=(1e-4, 3))

titles = {
    "size": (f"$r = 2$, {studies['size'].seed.nunique()} seeds", "squared ReLU"),
    "span": (None, "squared ReLU, span"),
    "patches": (f"$k = 10$, {studies['patches'].seed.nunique()} seeds", "squared ReLU, by $r$"),
    "activation": (f"{studies['activation'].seed.nunique()} seeds", "activations, $k = 10$"),
    "centre": (f"{studies['centre'].seed.nunique()} seeds", "ReLU, taken off $y$"),
    "broken": (f"{wrong.seed.nunique()} seeds (N4), {law.seed.nunique()}", "hypotheses broken"),
}
for letter, (study, (seeds, title)) in zip("abcdef", titles.items(), strict=True):
    axis = axes[study]
    axis.set(xscale="log", yscale="log")
    axis.set_title(f"({letter})", loc="left", fontweight="bold")
    axis.set_title(title, loc="right")
    columns = 2 if study in ("size", "span", "activation") else 1
    axis.legend(title=seeds, loc="lower left", ncols=columns, columnspacing=1)
    if study != "patches":
        of = {"span": studies["size"], "broken": studies["law"]}.get(study, studies.get(study))
        thousands(axis, of.samples)
shown = sorted(studies["patches"].patches.unique())
axes["patches"].set_xlabel("patches $r$")
axes["patches"].set_xticks(shown, [str(r) for r in shown])
axes["patches"].minorticks_off()
style.save(fig, path, drawn, tables)
