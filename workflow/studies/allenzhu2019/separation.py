"""P10: how far apart the inputs stay from layer to layer."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import (
    by_seed,
    data_of,
    farthest,
    lowest,
    median,
    medians_by,
)
from workflow.studies.allenzhu2019.looks import by_width, room, trials


def judge(tables, claims, rng):
    table = tables["separation"]
    table = table.assign(
        share=table.value / (table.separation / 2), match=table.value / table.predicted
    )
    rows = {name: claim.rows(table) for name, claim in claims.items()}
    # A layer beyond 1 / delta of some subsets only is judged on the others, if they are enough.
    enough = claims["P10"].least_seeds
    shares = {
        layer: median(part.groupby("seed").share.median().to_numpy()[:, None], rng, data_of(part))
        for layer, part in rows["P10"].groupby("layer")
        if part.seed.nunique() >= min(enough, rows["P10"].seed.nunique())
    }
    matches = medians_by(rows["P10b"], "layer", "match", rng)
    deepest = rows["P10x"]
    return {
        "P10": lowest(shares, "At layer {}."),
        "P10b": farthest(matches, claims["P10b"], "At layer {}."),
        "P10x": median(by_seed(deepest, "share"), rng, data_of(deepest)),
        "ratios": table,
        "claims": claims,
        "band": (claims["P10b"].at_least, claims["P10b"].at_most),
        "last": claims["P10b"].given["last"],
    }


def draw(findings, tables):
    table, claims = findings["ratios"], findings["claims"]
    table = table.assign(depth=table.layer + 1)
    fig, (one, shares, match) = style.panels(3, height=3.1)
    style.title(one, "a", "inputs come together, at first as the recursion says")
    style.title(shares, "b", "up to depth $1/\\delta$ they stay $\\delta/2$ apart, not far beyond")
    style.title(match, "c", "the recursion is right in the first layers")
    seeds = table.drop_duplicates("seed").sort_values("separation").seed.to_numpy()
    middle = table[table.seed == seeds[len(seeds) // 2]]
    delta, width = middle.separation.iloc[0], table.width.max()
    drawn = []
    for m, part in table.groupby("width"):
        look = by_width(m, label=f"$m = {m}$")
        own = part[part.seed == middle.seed.iloc[0]]
        few = {"markevery": max(1, len(own) // 10)}
        one.plot(own.depth, own.value, **look | few)
        drawn.append(style.curve(match, part, "depth", "match", look, None))
    limit = middle.drop_duplicates("layer")
    one.plot(limit.depth, limit.predicted, label=r"theory: $m \to \infty$", **style.THEORY)
    granted = limit.depth[limit.layer <= 1 / delta].to_numpy()
    half = np.full(len(granted), delta / 2)
    style.bound(one, granted, half, "above").set_label(r"theorem: $\geq \delta/2$")
    one.set(yscale="log", ylabel=r"$\min_{i\neq j}\|(I-\hat h_i \hat h_i^\top)h_j\|$")
    style.corner(one, rf"one trial, $\delta = {delta:.2f}$", "lower left")

    wide = table[table.width == width]
    look = by_width(width)
    drawn.append(style.curve(shares, wide, "depth", "share", look, None))
    deepest = claims["P10x"].rows(wide)
    trials(shares, deepest.depth, deepest.share, style.control())
    shares.plot(deepest.depth.iloc[:1], [deepest.share.median()], **style.control("deepest layer"))
    last = 1 / wide.separation.min() + 1
    style.criterion(shares, at_least=claims["P10"].at_least, span=(None, last), at=0.02)
    shares.set(yscale="log", ylabel=r"least distance / $(\delta/2)$")
    style.plain_ticks(shares, "y")
    style.judged(shares, findings["P10"], "granted,\nleast median {}", (0.97, 0.92))
    text = "control, deepest\n{}"
    style.judged(shares, findings["P10x"], text, (0.03, 0.09), color=style.VERMILLION)

    match.axhline(1, **style.THEORY)
    style.criterion(match, *findings["band"], span=(None, findings["last"] + 1), at=0.02)
    match.set(ylabel="measured / recursion", ylim=(0, 1.5))
    style.judged(match, findings["P10b"], f"$m = {width}$, worst\nmedian {{}}", (0.03, 0.09))
    style.corner(match, f"{len(seeds)} trials")
    names = [x for x in (1, 3, 9, 33) if x <= table.depth.max()]
    for axis in (one, shares, match):
        axis.set(xscale="log", xlabel="$l + 1$, layer plus one")
        axis.set_xticks(names, names)
        axis.xaxis.minorticks_off()
    room(one, below=0.12)
    style.plain_ticks(one, "y")
    room(shares, above=0.12, below=0.12)
    style.legend_below(fig)
    return fig, [*drawn, middle]


if __name__ == "__main__":
    study.main(judge, draw)
