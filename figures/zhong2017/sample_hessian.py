"""Z6: least eigenvalue of the empirical Hessian at the truth against the sample size."""

import numpy as np

from cnntheory.stats import log_log_slope
from figures import style
from figures.zhong2017.names import name, present

path, tables = style.read()
table = tables["sample_hessian"]
counts = table.groupby(["patch_size", "kernels", "patches"]).activation.nunique()
cells = counts[counts == counts.max()].index[:2]
columns = ["patch_size", "kernels", "patches"]
seeds = table[(table[columns] == list(cells[0])).all(axis=1)].seed.nunique()
fig, axes = style.panels(len(cells) + 1, height=2.6)
drawn = []
for axis, cell in zip(axes, cells, strict=False):
    rows = table[(table[columns] == list(cell)).all(axis=1)]
    rows = rows.assign(share=rows.smallest / rows.population)
    for i, activation in present(rows):
        part = rows[rows.activation == activation]
        drawn.append(
            style.curve(axis, part, "samples", "share", i, name(activation), markers=True).assign(
                cell=str(cell)
            )
        )
    k, t, r = cell
    axis.axhline(1, **style.THEORY)
    axis.axvline(k * t, color="0.4", linewidth=0.8)
    axis.text(k * t * 0.85, 0.6, "$n = kt$", fontsize=6.5, ha="right", rotation=90)
    axis.set(xscale="log", xlabel="samples $n$", title=f"$k = {k}$, $t = {t}$, $r = {r}$")
axes[0].set_ylabel(rf"$\lambda_{{\min}}$ / population's ({seeds} seeds)")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)

growth = table[(table.activation == "squared_relu") & (table.kernels == 2)]
last = axes[-1]
for i, (along, fixed, label) in enumerate(
    (
        ("patch_size", ("patches", 2), "$k$, at $r = 2$"),
        ("patches", ("patch_size", 8), "$r$, at $k = 8$"),
    )
):
    rows = growth[growth[fixed[0]] == fixed[1]]
    halves = {}
    for (size, seed), curve in rows.groupby([along, "seed"]):
        curve = curve.sort_values("samples")
        share = (curve.smallest / curve.population).to_numpy()
        j = int((share >= 0.5).argmax())
        halves[size, seed] = np.exp(
            np.interp(0.5, share[j - 1 : j + 1], np.log(curve.samples.iloc[j - 1 : j + 1]))
        )
    sizes = sorted({size for size, _ in halves})
    values = np.array([[halves[size, seed] for size in sizes] for seed in rows.seed.unique()])
    median, low, high = style.median_band(values)
    slope = log_log_slope(np.array(sizes), median)
    last.errorbar(
        sizes,
        median,
        (median - low, high - median),
        marker=style.MARKERS[i],
        **style.look(i),
        elinewidth=0.8,
        label=f"{label}: slope {slope:.2f}",
    )
    drawn.append(style.pd.DataFrame({along: sizes, "n_half": median}))
sizes = np.array([4.0, 32.0])
last.plot(sizes, 9 * sizes, label="slope 1", **style.THEORY)
last.set(
    xscale="log", yscale="log", xlabel="size", ylabel=r"$n_{1/2}$", title="squared ReLU, $t = 2$"
)
last.set_xticks([1, 2, 4, 8, 16, 32], ["1", "2", "4", "8", "16", "32"])
last.set_yticks([30, 100, 300], ["30", "100", "300"])
last.minorticks_off()
last.legend(loc="upper left")
style.save(fig, path, drawn, tables)
