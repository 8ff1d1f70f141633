"""Claim 8: max beside average pooling: sign patterns, optima and the ordering constraints."""

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, drops, excess, judged, median, strip
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    relaxed = drops(tables["relaxations"])
    seeds = relaxed.seed.nunique()
    ordering, unordered = (claims[claim].rows(relaxed) for claim in ("8", "8x"))
    merged = claims["8b"].rows(tables["arrangements"])
    return {
        "8": typical_drop(ordering, rng),
        "8b": exactly((merged.cells / merged.formula).max(), seeds=merged.seed.nunique()),
        "8x": exactly(
            unordered.miss.max(),
            seeds=seeds,
            note=f"Least drop of the value {unordered['drop'].min():.2g}.",
        ),
        "least": claims["8"].at_least,
        "bound": claims["8x"].at_most,
        "merged": merged,
        "relaxed": relaxed[relaxed.study == "no ordering"],
    }


def typical_drop(rows, rng):
    """Median over the seeds of what is lost at the beta where least is, with its interval."""
    lost = rows.groupby("seed")["drop"].min().to_numpy()
    note = f"Least {lost.min():.2g}."
    return median(lost, rng, note=note)


def draw(findings, tables):
    table, counts = tables["relaxations"], tables["arrangements"]
    fig, (patterns, lost, missed) = style.panels(3, height=3.1, width_ratios=(1.2, 1, 1))
    style.title(patterns, "a", "max pooling has far fewer patterns than its bound")
    style.title(lost, "b", "without the ordering the value drops")
    style.title(missed, "c", "and no network has the lower value")
    drawn = draw_patterns(patterns, findings, counts)
    relaxed, betas = findings["relaxed"], sorted(table.beta.unique())
    for place, beta in enumerate(betas):
        rows = relaxed[relaxed.beta == beta]
        label = None if place else "an instance"
        strip(lost, place, rows["drop"], style.measured(0), label, 0.5)
        whole = table[(table.pooling == "max") & (table.study == "all") & (table.beta == beta)]
        kinds = (
            ("with the ordering", excess(whole).abs(), style.measured(0)),
            ("control: without", rows.miss, style.control()),
        )
        for i, (label, values, look) in enumerate(kinds):
            values = values.clip(lower=FLOOR)
            where = place + 0.4 * (i - 0.5)
            strip(missed, where, values, look, None if place else label, 0.3)
    style.criterion(lost, findings["least"], at=0.02)
    style.judged(lost, findings["8"], "median {}", (0.97, 0.95))
    style.criterion(missed, at_most=findings["bound"])
    text = "control: largest {}"
    judged(missed, findings["8x"], text, (0.97, 0.6), color=style.VERMILLION)
    lost.set(ylim=(0, 1), ylabel="($p^* -$ value without ordering) / $p^*$")
    missed.set(yscale="log", ylim=(FLOOR / 3, 1e5), ylabel="|network $-$ value| / value")
    for axis in (lost, missed):
        axis.set_xticks(range(len(betas)), [rf"$\beta = {beta:g}$" for beta in betas])
        axis.set_xlim(-0.5, len(betas) - 0.5)
        style.legend_below(axis, ncols=1)
    return fig, [*drawn, relaxed]


def draw_patterns(axis, findings, counts):
    """Numbers of patterns of max and average pooling, in units of the bound of the former."""
    merged, drawn = findings["merged"], []
    for i, (h, own) in enumerate(merged.groupby("patch_size")):
        K = own.patches.iloc[0]
        average = counts[
            (counts.study == "general") & (counts.patch_size == h) & (counts.patches == K)
        ]
        bound = own.groupby("samples").formula.mean()
        for values, pooling, more in (
            (own, "max", {}),
            (average, "average", {"markerfacecolor": "white", "linewidth": 0.7}),
        ):
            ratio = (values.groupby("samples").cells.mean() / bound).dropna().rename("ratio")
            look = style.measured(i, label=f"{pooling}, $h = {h}$")
            axis.plot(ratio.index, ratio, **look | more)
            drawn.append(ratio.reset_index().assign(quantity=pooling, patch_size=h))
    style.bound(axis, None, 1, "below", "bound for max pooling", at=0.04)
    axis.set(xscale="log", yscale="log", ylabel="sign patterns / bound", ylim=(None, 1.5))
    axis.set(xlabel=f"samples $n$, $K = {merged.patches.iloc[0]}$")
    style.ticks(axis, merged.samples)
    style.plain_ticks(axis, "y")
    judged(axis, findings["8b"], "max: largest {}", (0.97, 0.69))
    style.legend_below(axis, ncols=2)
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
