"""Claim 11: what the cones are worth, and what a network with the relaxed weights costs."""

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, drops, excess, judged, median, strip
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    relaxed = drops(tables["relaxations"])
    seeds = relaxed.seed.nunique()
    unmatched = claims["11x"].rows(relaxed)
    strict, halved = (claims[claim].rows(relaxed) for claim in ("11", "11b"))
    typical = median(halved["drop"].to_numpy(), rng)
    (small,) = halved.beta.unique()
    return {
        "11": exactly(strict["drop"].min(), seeds=seeds),
        "11b": typical,
        "11x": exactly(
            unmatched.miss.max(),
            seeds=seeds,
            note=f"Median drop of the value at beta = {small:g}: {typical.value:.2g}.",
        ),
        "medians": {**strict.groupby("beta")["drop"].median(), small: typical.value},
        "half": claims["11b"].at_least,
        "bound": claims["11x"].at_most,
        "drops": relaxed[(relaxed.pooling == "average") & (relaxed.study == "no cones")],
    }


def draw(findings, tables):
    table = tables["relaxations"]
    average = table[table.pooling == "average"]
    fig, (lost, missed) = style.panels(2, height=3.0)
    median, half = findings["11b"], findings["half"]
    sure = median.low >= half or median.high < half
    by = f", in the median by {'more' if median.low >= half else 'less'} than half" if sure else ""
    style.title(lost, "a", f"without the cones the value drops{by}")
    style.title(missed, "b", "and no network has the lower value")
    drops, betas = findings["drops"], sorted(average.beta.unique())
    for place, beta in enumerate(betas):
        values = drops[drops.beta == beta]["drop"]
        label = None if place else "an instance"
        strip(lost, place, values, style.measured(0), label, 0.5)
        middle = findings["medians"][beta]
        more = {"label": None if place else "median", "color": style.INK, "linewidth": 1.4}
        lost.plot([place - 0.33, place + 0.33], [middle] * 2, **more)
        whole = average[(average.study == "all") & (average.beta == beta)]
        kinds = (
            ("with the cones", excess(whole).abs(), style.measured(0)),
            ("control: without the cones", drops[drops.beta == beta].miss, style.control()),
        )
        for i, (label, values, look) in enumerate(kinds):
            where = place + 0.4 * (i - 0.5)
            values = values.clip(lower=FLOOR)
            strip(missed, where, values, look, None if place else label, 0.3)
    # The median is judged at the smaller beta.
    style.criterion(lost, half, label="", span=(-0.45, 0.45))
    quiet = {"fontsize": style.SMALL, "color": style.QUIET, "va": "top"}
    lost.text(-0.43, 0.985, "criterion of the median", **quiet)
    style.judged(lost, median, "median {}", (0.03, 0.06))
    judged(lost, findings["11"], "least {}", (0.97, 0.06))
    style.criterion(missed, at_most=findings["bound"])
    judged(missed, findings["11x"], "control, largest {}", (0.03, 0.95), color=style.VERMILLION)
    lost.set(ylim=(0, 1), ylabel="($p^* -$ value without cones) / $p^*$")
    missed.set(yscale="log", ylim=(FLOOR / 3, 1e5), ylabel="|network $-$ value| / value")
    for axis in (lost, missed):
        axis.set_xticks(range(len(betas)), [rf"$\beta = {beta:g}$" for beta in betas])
        axis.set_xlim(-0.5, len(betas) - 0.5)
        style.legend_below(axis)
    return fig, [average, drops]


if __name__ == "__main__":
    study.main(judge, draw)
