"""P10: how far apart the inputs stay from layer to layer."""

from figures import style

path, tables = style.read()
table = tables["separation"]
subsets = sorted(table.subset.unique())
widest = table.width.max()
fig, axes = style.panels(len(subsets) + 1, height=2.5, sharex=True)
drawn = []
for axis, subset in zip(axes, subsets, strict=False):
    rows = table[table.subset == subset]
    delta = rows.separation.iloc[0]
    for i, (width, part) in enumerate(rows.groupby("width")):
        part = part.assign(depth=part.layer + 1)
        drawn.append(
            style.curve(axis, part, "depth", "value", i, f"$m = {width}$").assign(subset=subset)
        )
    limit = rows[rows.seed == rows.seed.min()].drop_duplicates("layer")
    axis.plot(limit.layer + 1, limit.predicted, label=r"$m \to \infty$", **style.THEORY)
    axis.axhline(delta / 2, color="0.4", linestyle=":", label=r"$\delta/2$")
    axis.axvspan(1, 1 + 1 / delta, color="0.88", zorder=0)
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="$l + 1$",
        ylim=(0.3 * table.value.min(), 1),
    )
    axis.set_title(rf"$\delta = {delta:.2f}$", loc="right")
axes[0].set_ylabel(r"$\min_{i\neq j}\|(I-\hat h_i \hat h_i^\top)h_j\|$")
axes[0].legend(loc="lower left")
for axis in axes[1:-1]:
    axis.tick_params(labelleft=False)
match = axes[-1]
ratio = table.assign(depth=table.layer + 1, match=table.value / table.predicted)
for i, (width, part) in enumerate(ratio.groupby("width")):
    # A trial is a seed and a subset.
    part = part.assign(seed=part.seed * len(subsets) + part.subset)
    drawn.append(style.curve(match, part, "depth", "match", i, f"$m = {width}$"))
match.axhline(1, **style.THEORY)
match.axhspan(0.8, 1.2, color="0.88", zorder=0)
match.axvline(9, color="0.4", linestyle=":", linewidth=0.8)
match.set(xscale="log", xlabel="$l + 1$", ylabel="measured / recursion", ylim=(0, 1.5))
match.set_title("all subsets", loc="right")
ticks = [x for x in (1, 3, 9, 33) if x <= table.layer.max() + 1]
for axis in axes:
    axis.set_xticks(ticks, ticks)
    axis.minorticks_off()
style.save(fig, path, drawn, tables)
