"""Z7: least eigenvalue of the population loss's Hessian against the distance from the truth."""

from figures import style
from figures.zhong2017.names import name, present

path, tables = style.read()
table = tables["basin"]
fig, (share, monotone) = style.panels(2, height=2.6)
drawn = []
seeds, directions = table.seed.nunique(), table.direction.nunique()
for i, activation in present(table):
    rows = table[table.activation == activation]
    positive = (rows.smallest > 0).groupby([rows.seed, rows.radius]).mean().rename("share")
    mean = positive.groupby("radius").mean()
    share.plot(mean.index, mean, marker=style.MARKERS[i], label=name(activation), **style.look(i))
    drawn.append(mean.reset_index().assign(activation=activation))
    inner = rows[rows.radius > 0].groupby(["seed", "radius"]).monotonicity.min().reset_index()
    if inner.monotonicity.notna().any():
        drawn.append(
            style.curve(
                monotone, inner, "radius", "monotonicity", i, name(activation), markers=True
            )
        )
share.axvspan(0, 0.05, color="0.9", zorder=0)
share.text(0.06, 0.08, "Z7: convex up to 0.05", fontsize=6.5)
share.set(
    xlabel=r"radius $\|W - W^*\|_F / \|W^*\|_F$",
    ylim=(-0.03, 1.06),
    ylabel="share of directions, convex",
    title=f"{seeds} teachers x {directions} directions",
)
share.legend(loc="center right", bbox_to_anchor=(1, 0.38))
monotone.axhline(0, color="0.4", linewidth=0.8)
monotone.set(
    xlabel=r"radius $\|W - W^*\|_F / \|W^*\|_F$",
    title="gradient monotonicity",
    ylabel=r"$\min \langle \nabla f, W - W^* \rangle / \|W - W^*\|^2$",
)
monotone.set_ylim(bottom=-0.02)
monotone.legend(loc="upper right")
style.save(fig, path, drawn, tables)
