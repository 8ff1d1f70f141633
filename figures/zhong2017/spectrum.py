"""Z2-Z5: ends of the Hessian's exact spectrum against patches, the bound, closeness and size."""

import numpy as np

from figures import style
from figures.zhong2017.names import name, present

path, tables = style.read()
table = tables["spectrum"]
fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 5.0), layout="constrained")
for letter, axis in zip("abcd", axes.ravel(), strict=True):
    axis.set_title(f"({letter})", loc="left", fontweight="bold")
patches, bound, parallel, kernels = axes.ravel()
drawn = []

rows = table[table.study == "patches"]
for i, activation in present(rows):
    part = rows[rows.activation == activation]
    for end, fill in (("smallest", "full"), ("largest", "none")):
        median = part.groupby("patches")[end].median()
        patches.plot(
            median.index,
            median,
            marker=style.MARKERS[i],
            fillstyle=fill,
            label=name(activation) if end == "smallest" else None,
            **style.look(i),
        )
        drawn.append(median.rename("median").reset_index().assign(activation=activation, end=end))
r = np.array([16.0, 256.0])
for power, level, text in ((1, 0.004, "slope 1"), (2, 12, "slope 2")):
    patches.plot(r, level * (r / 16) ** power, **style.THEORY)
    patches.text(280, level * 16**power, text, fontsize=6.5, va="center")
patches.set(
    xscale="log",
    yscale="log",
    xlabel="patches $r$",
    xlim=(0.8, 900),
    ylabel=r"$\lambda_{\min}$ (filled), $\lambda_{\max}$ (open)",
    title=f"median of {rows.seed.nunique()} teachers",
)

rows = table[table.study == "bound"]
for i, activation in present(rows):
    part = rows[rows.activation == activation]
    bound.plot(
        part.bound,
        part.smallest,
        linestyle="",
        marker=style.MARKERS[i],
        alpha=0.6,
        color=style.COLOURS[i],
        markersize=2.6,
    )
ends = np.array([rows.bound.min(), rows.bound.max()])
bound.plot(ends, ends, **style.THEORY)
bound.text(
    ends[1] ** 0.3 * ends[0] ** 0.7,
    ends[1] ** 0.18 * ends[0] ** 0.82,
    "bound, constant 1",
    fontsize=6.5,
    rotation=32,
    ha="center",
    va="center",
)
bound.set(
    xscale="log",
    yscale="log",
    ylabel=r"$\lambda_{\min}$",
    xlabel=r"$r\,\rho(\sigma_t) / (\kappa^2 \lambda)$, as we reconstruct it",
    title=f"{rows.seed.nunique()} random teachers each",
)
drawn.append(rows)

rows = table[table.study == "parallel"]
for i, activation in present(rows):
    part = rows[rows.activation == activation]
    slope = np.polyfit(np.log(part.kappa), np.log(part.smallest), 1)[0]
    parallel.plot(
        part.kappa,
        part.smallest,
        marker=style.MARKERS[i],
        **style.look(i),
        label=f"slope {slope:.2f}",
    )
parallel.set(
    xscale="log",
    yscale="log",
    xlabel=r"condition number $\kappa$",
    ylabel=r"$\lambda_{\min}$",
    title="two near-parallel kernels",
)
parallel.set_xticks([20, 50, 100], ["20", "50", "100"])
parallel.minorticks_off()
parallel.legend(loc="lower left")
drawn.append(rows)

rows = table[table.study == "orthonormal"]
for i, activation in present(rows):
    part = rows[rows.activation == activation]
    kernels.plot(part.kernels, part.smallest / part.bound, marker=style.MARKERS[i], **style.look(i))
kernels.axhline(1, **style.THEORY)
kernels.set(
    xlabel="orthonormal kernels $t$",
    ylabel=r"$\lambda_{\min} / (r\,\rho(1))$",
    title="the constant is 1",
)
drawn.append(rows)
fig.legend(*patches.get_legend_handles_labels(), loc="outside lower center", ncols=6)
style.save(fig, path, drawn, tables)
