"""N1, N3, N4: where a hypothesis is broken."""

import numpy as np

from figures import style

path, tables = style.read()
curves, initial = tables["controls_curves"], tables["initial"]
fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 4.6), layout="constrained")
(twice, deep), (norms, residual) = axes
for letter, axis in zip("abcd", axes.flat, strict=True):
    axis.set_title(f"({letter})", loc="left", fontweight="bold")
drawn = []


def lines(axis, rows, column, label, **look):
    for number, (_, run) in enumerate(rows.groupby(["seed", "subset"])):
        run = run[(run[column] > 1e-30) & (run[column] < 1e30)]
        axis.plot(run.iteration + 1, run[column], label=label if number == 0 else None, **look)


rows = curves[curves.study == "duplicates"]
thin = dict(linewidth=0.7, alpha=0.8)
lines(twice, rows, "excess_loss", r"$F / F_\infty - 1$", color=style.COLOURS[0], **thin)
lines(
    twice,
    rows,
    "gradient_ratio",
    r"$\|\nabla F\|^2 / \|\nabla F_0\|^2$",
    color=style.COLOURS[1],
    linestyle=style.LINES[1],
    **thin,
)
twice.set(
    xscale="log",
    yscale="log",
    xlabel="iteration + 1",
    title=r"duplicates: $F_\infty = \sum (y_i - y_j)^2/4$",
    ylim=(1e-18, 1e4),
)
twice.legend(loc="lower left")

rows = curves[curves.study == "variances"]
for i, (variance, part) in enumerate(rows.groupby("variance")):
    lines(
        deep,
        part[part.relative_loss < 1e6],
        "relative_loss",
        f"$c = {variance:g}$",
        color=style.COLOURS[i],
        linestyle=style.LINES[i],
        **thin,
    )
deep.axhline(1e-3, **style.THEORY)
deep.set(
    xscale="log",
    yscale="log",
    xlabel="iteration + 1",
    ylabel="$F_t / F_0$",
    title="variance $c/m$, step of $c = 2$",
    ylim=(3e-4, 1e6),
)
deep.legend(loc="upper left", ncols=3)

rows = initial[initial.study == "variances"]
start = rows[rows.layer == 0].set_index(["variance", "seed"]).value
for i, (variance, part) in enumerate(rows.groupby("variance")):
    part = part.assign(growth=part.value / start[variance].loc[part.seed].to_numpy())
    drawn.append(
        style.curve(norms, part, "layer", "growth", i, f"$c = {variance:g}$", markers=True).assign(
            panel="c"
        )
    )
    at = np.array(sorted(part.layer.unique()))
    norms.plot(at, (variance / 2) ** (at / 2), **style.THEORY)
norms.plot([], [], label="$(c/2)^{l/2}$", **style.THEORY)
norms.set(yscale="log", xlabel="layer $l$", ylabel=r"$\|h_l\| / \|h_0\|$")
norms.legend(loc="lower left", ncols=2)
norms.set_title(f"$m = {rows.width.iloc[0]}$, {rows.seed.nunique()} networks")

rows = initial[initial.study == "residual"]
for i, (scale, part) in enumerate(rows.groupby("skip_scale", sort=False)):
    label = r"$\tau = 1$" if scale == "1" else r"$\tau = 1/L$"
    drawn.append(
        style.curve(residual, part, "depth", "value", i, label, markers=True).assign(panel="d")
    )
depths = np.array(sorted(rows.depth.unique()))
residual.plot(depths, 2.0 ** (depths / 2), label=r"$2^{L/2}$", **style.THEORY)
residual.set(xscale="log", yscale="log", xlabel="depth $L$", ylabel=r"$\|h_L\| / \|h_0\|$")
residual.set_xticks(depths, depths)
residual.xaxis.minorticks_off()
residual.legend(loc="upper left")
residual.set_title(f"residual, $m = {rows.width.iloc[0]}$, {rows.seed.nunique()} networks")
style.save(fig, path, [curves, *drawn], tables)
