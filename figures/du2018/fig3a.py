"""Figure 3a: SGD of one neuron over smoothness levels, p = 2 and 10."""

from figures import style

path, tables = style.read()
fig, axes = style.panels(2, sharey=True)
drawn = []
for axis, name in zip(axes, ("sgd_neuron_p2", "sgd_neuron_p10"), strict=True):
    table = tables[name]
    for i, (sigma, rows) in enumerate(table.groupby("sigma")):
        # Below 1e-13 the distance is rounding.
        rows = rows[rows.filter_error > 1e-13]
        drawn.append(
            style.curve(axis, rows, "epoch", "filter_error", i, style.sigma_label(sigma)).assign(
                panel=name
            )
        )
    p, seeds = table.dimension.iloc[0], table.seed.nunique()
    axis.set(yscale="log", xlabel="epoch", title=f"$p = {p}$, {seeds} seeds")
    axis.set_ylim(1e-13, 1)
axes[0].set_ylabel(r"$\|w_t - w^*\| / \|w^*\|$")
axes[1].legend(title="spread of the angle to $\\pm w^*$", ncols=2, loc="lower left")
style.save(fig, path, drawn, tables)
