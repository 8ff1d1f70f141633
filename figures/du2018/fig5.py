"""Figure 5: loss along the line from the learned filter to the true one."""

from figures import style
from figures.du2018.images import curves

path, tables = style.read()
fig, axes = style.panels(2, sharey=True)
drawn = []
for axis, kind in zip(axes, ("random", "gabor"), strict=True):
    table = tables[f"image_interpolation_{kind}"]
    rows, dead = curves(axis, table, "relative_loss")
    drawn += [part.assign(panel=kind) for part in rows]
    name = "Gabor teacher" if kind == "gabor" else "random teachers"
    axis.set(
        xlabel=r"$a$ in $a\,w + (1 - a)\,w^*$",
        xlim=(0, 1.02),
        title=f"{name}, {table.seed.nunique()} seeds",
    )
axes[0].set_ylabel(r"relative loss, $\ln(\mathrm{MSE} / \overline{y}^2)$")
axes[0].legend(loc="upper left", bbox_to_anchor=(0, 0.9))
axes[0].axhline(0, color="0.4", linewidth=0.8)
axes[0].text(
    0.02, -0.3, "error as large as the labels (thin: runs that died)", fontsize=6.5, va="top"
)
style.save(fig, path, drawn, tables)
