"""Claim 13: the optimum along the path of beta, and the threshold beta_max."""

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, judged, strip
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    table = tables["threshold"]
    seeds = table.seed.nunique()
    ascent, sampled = (
        ((table.beta_max - table[found]) / table.beta_max).abs() for found in ("ascent", "sampled")
    )
    return {
        "13": exactly(ascent.max(), seeds=seeds),
        "13b": exactly(claims["13b"].succeeded(table).mean(), seeds=seeds),
        "13x": exactly(sampled.max(), seeds=seeds),
        "bound": claims["13"].at_most,
    }


def draw(findings, tables):
    table, threshold = tables["path"], tables["threshold"]
    fig, (along, edge, found) = style.panels(3, height=3.0, width_ratios=(1.2, 0.9, 1))
    style.title(along, "a", "more weight decay brings the optimum to the zero network")
    style.title(edge, "b", "it is zero at the threshold, not below")
    always = findings["13"].value <= findings["bound"]
    where = "" if always else " in most instances"
    style.title(found, "c", f"ascent finds the threshold{where}, random directions do not")
    drawn, poolings = [], list(table.pooling.unique())
    for i, pooling in enumerate(poolings):
        rows, look = table[table.pooling == pooling], style.measured(i)
        label = f"{pooling} pooling"
        drawn.append(style.curve(along, rows, "beta_fraction", "objective", look, label))
        own = threshold[threshold.pooling == pooling]
        for place, quantity in enumerate(("filters_below", "filters_at")):
            strip(edge, place + 0.36 * (i - 0.5), own[quantity], look, None, 0.26)
        kinds = (("ascent", look, None), ("sampled", style.control(i=i), None))
        for place, (quantity, look, label) in enumerate(kinds):
            error = (1 - own[quantity] / own.beta_max).abs().clip(lower=FLOOR)
            strip(found, place + 0.36 * (i - 0.5), error, look, label, 0.26)
    along.axhline(1, label="theory: zero network", **style.THEORY)
    along.set(xscale="log", yscale="log", xlabel=r"$\beta / \beta_{\max}$")
    along.set_ylabel("optimum / objective of zero")
    edge.set_xticks([0, 1], ["just below\n$\\beta_{\\max}$", "at\n$\\beta_{\\max}$"])
    edge.set(ylabel="filters of the optimal network", xlim=(-0.5, 1.5))
    edge.set_ylim(-0.2, threshold.filters_below.max() + 0.8)
    edge.set_yticks(range(threshold.filters_below.max() + 1))
    share = findings["13b"].value
    style.judged(edge, findings["13b"], f"{share:.0%} of the instances", (0.97, 0.95))
    style.criterion(found, at_most=findings["bound"])
    names = ["ascent", "control: random\ndirections"]
    found.set_xticks([0, 1], names)
    found.plot([], [], **style.control("largest over random directions", linestyle=""))
    found.set(yscale="log", ylim=(FLOOR / 3, 10), xlim=(-0.5, 1.5))
    found.set_ylabel(r"|found $- \beta_{\max}| / \beta_{\max}$")
    judged(found, findings["13"], "largest {}", (0.03, 0.3))
    judged(found, findings["13x"], "largest {}", (0.03, 0.95), color=style.VERMILLION)
    style.legend_below(fig)
    return fig, [*drawn, table, threshold]


if __name__ == "__main__":
    study.main(judge, draw)
