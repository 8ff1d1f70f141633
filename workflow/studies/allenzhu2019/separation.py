"""P10: how far apart the inputs stay from layer to layer."""

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import (
    by_seed,
    data_of,
    farthest,
    lowest,
    median,
    medians_by,
)


def judge(tables, claims, rng):
    table = tables["separation"]
    table = table.assign(
        share=table.value / (table.separation / 2), match=table.value / table.predicted
    )
    rows = {name: claim.rows(table) for name, claim in claims.items()}
    # A layer beyond 1 / delta of some subsets only is judged on the others.
    shares = {
        layer: median(part.groupby("seed").share.median().to_numpy()[:, None], rng, data_of(part))
        for layer, part in rows["P10"].groupby("layer")
    }
    matches = medians_by(rows["P10b"], "layer", "match", rng)
    deepest = rows["P10x"]
    return {
        "P10": lowest(shares, "At layer {}."),
        "P10b": farthest(matches, claims["P10b"], "At layer {}."),
        "P10x": median(by_seed(deepest, "share"), rng, data_of(deepest)),
        "ratios": table,
        "band": (claims["P10b"].at_least, claims["P10b"].at_most),
        "last": claims["P10b"].given["last"],
    }


def draw(findings, tables):
    table = tables["separation"]
    trials = table.drop_duplicates("seed").sort_values("separation").seed.to_numpy()
    shown = trials[[0, len(trials) // 2, -1]]
    fig, axes = style.panels(len(shown) + 1, height=2.5, sharex=True)
    drawn = []
    for axis, trial in zip(axes, shown, strict=False):
        rows = table[table.seed == trial]
        delta = rows.separation.iloc[0]
        for i, (width, part) in enumerate(rows.groupby("width")):
            part = part.assign(depth=part.layer + 1)
            drawn.append(
                style.curve(axis, part, "depth", "value", i, f"$m = {width}$").assign(trial=trial)
            )
        limit = rows.drop_duplicates("layer")
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
    ratio = findings["ratios"].assign(depth=table.layer + 1)
    for i, (width, part) in enumerate(ratio.groupby("width")):
        drawn.append(style.curve(match, part, "depth", "match", i, f"$m = {width}$"))
    match.axhline(1, **style.THEORY)
    match.axhspan(*findings["band"], color="0.88", zorder=0)
    match.axvline(findings["last"] + 1, color="0.4", linestyle=":", linewidth=0.8)
    match.set(xscale="log", xlabel="$l + 1$", ylabel="measured / recursion", ylim=(0, 1.5))
    match.set_title(f"{len(trials)} trials", loc="right")
    ticks = [x for x in (1, 3, 9, 33) if x <= table.layer.max() + 1]
    for axis in axes:
        axis.set_xticks(ticks, ticks)
        axis.minorticks_off()
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
