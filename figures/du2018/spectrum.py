"""Claim 12d: filter error along the eigenvectors of E[Z_pp Z_pp^T] at w*, over epochs."""

from figures import style

path, tables = style.read()
fig, axes = style.panels(2, height=2.5, sharey=True)
drawn = []
for axis, kind in zip(axes, ("random", "gabor"), strict=True):
    table = tables[f"image_spectrum_{kind}"]
    distance = table.start_distance.min()
    rows = table[table.start_distance == distance]
    last = rows.epoch.max()
    for i, epoch in enumerate(sorted({0, 1, round(last / 4), last})):
        part = rows[rows.epoch == epoch]
        drawn.append(
            style.curve(
                axis, part, "direction", "component", i, f"epoch {epoch}", markers=True
            ).assign(teacher=kind)
        )
    spectrum = rows.drop_duplicates(["seed", "direction"]).pivot(
        index="seed", columns="direction", values="eigenvalue"
    )
    relative = spectrum.div(spectrum[1], axis=0).median()
    axis.plot(
        relative.index,
        relative,
        color="0.4",
        linestyle=":",
        label=r"eigenvalue, $\lambda_j / \lambda_1$",
    )
    name = "Gabor teacher" if kind == "gabor" else "random teachers"
    axis.set(
        yscale="log",
        xlabel=r"eigenvector of $E[Z_{pp} Z_{pp}^T]$ at $w^*$ (largest first)",
        title=rf"{name}, $r_0 = {distance:g}$, {rows.seed.nunique()} seeds",
        xlim=(0.5, rows.direction.max() + 0.5),
    )
    axis.set_ylim(1e-6, 2)
axes[0].set_ylabel(r"$|\langle w - w^*, v_j\rangle| / \|w^*\|$")
fig.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=5)
style.save(fig, path, drawn, tables)
