"""Claims 2, 3: duality gaps and mapped-back networks of every architecture, and their controls."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, excess, name, present
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    recovered, certified, convex = tables["recovered"], tables["certificates"], tables["convex"]
    seeds = convex.seed.nunique()
    dual = (convex.objective - convex.dual_bound) / convex.objective
    others = claims["2b"].rows(convex)
    residual = certified[certified.study == "residual"].gap
    restricted = claims["2x"].rows(certified).gap
    # What has no certificate at all is bracketed between two bounds.
    semi = convex[~convex.architecture.isin({*certified.architecture, *others.architecture})]
    brackets = dual[semi.index].groupby(semi.architecture).max()
    unbalanced = excess(claims["3x"].rows(recovered)).abs()
    return {
        "2": exactly(
            claims["2"].rows(certified).gap.max(),
            seeds=seeds,
            note=f"From the networks' own residuals alone: {residual.max():.1g}.",
        ),
        "2b": exactly(
            dual[others.index].max(),
            seeds=seeds,
            note="Not judged: "
            + ", ".join(f"{name} {gap:.1g}" for name, gap in brackets.items())
            + ", between an upper and a lower bound.",
        ),
        "2x": exactly(
            restricted.max(),
            seeds=seeds,
            note=f"Median gap {restricted.median():.2g}; certified by luck: "
            f"{(restricted <= claims['2x'].at_most).sum()} of {len(restricted)}.",
        ),
        "3": exactly(excess(claims["3"].rows(recovered)).abs().max(), seeds=seeds),
        "3b": exactly(excess(claims["3b"].rows(convex)).abs().max(), seeds=seeds),
        "3x": exactly(
            unbalanced.max(), seeds=seeds, note=f"Median difference {unbalanced.median():.2g}."
        ),
        "bracketed": set(semi.architecture),
        "bounds": (claims["2"].at_most, claims["3"].at_most),
    }


def strip(axis, place, values, i, label=None):
    """One value an instance, spread a little around its place."""
    spread = np.linspace(-0.13, 0.13, len(values))
    axis.plot(
        place + spread,
        np.clip(np.abs(values), FLOOR, None),
        linestyle="",
        marker=style.MARKERS[i],
        markersize=2.6,
        color=style.COLOURS[i],
        label=label,
    )


def draw(findings, tables):
    recovered, certified = tables["recovered"], tables["certificates"]
    convex = tables["convex"]
    fig, axes = style.panels(2, height=3.0, sharey=True)
    drawn = []

    names = [name(architecture) for _, architecture in present(convex)]
    for place, (_, architecture) in enumerate(present(convex)):
        rows = convex[convex.architecture == architecture]
        known = certified[certified.architecture == architecture]
        dual = (
            known[known.study == "convex"].gap
            if len(known)
            else 1 - rows.dual_bound / rows.objective
        )
        judged = architecture not in findings["bracketed"]
        strip(
            axes[0],
            place,
            dual,
            0 if judged else 3,
            {0: "exact program", 4: "bracketed"}.get(place),
        )
        drawn.append(rows.assign(quantity="gap", value=1 - rows.dual_bound / rows.objective))
        few = known[known.study == "restricted"]
        if len(few):
            strip(axes[0], place, few.gap, 1, "cells of ten gates (2x)" if not place else None)
        back = recovered[recovered.architecture == architecture]
        if len(back):
            mapped = excess(back[back.study == "mapped"])
            strip(axes[1], place, mapped, 0, "square-root map" if not place else None)
            plain = excess(back[back.study == "unbalanced"])
            strip(axes[1], place, plain, 1, "all scale in $u$ (3x)" if not place else None)
        elif judged:
            strip(axes[1], place, excess(rows), 0)
    for axis, bound in zip(axes, findings["bounds"], strict=True):
        axis.axhline(bound, **style.THEORY)
        axis.set(yscale="log", xticks=range(len(names)), ylim=(FLOOR / 3, 1e7))
        axis.set_xticklabels(names, rotation=35, ha="right", rotation_mode="anchor")
        axis.legend(loc="upper left", ncols=2, columnspacing=1, handletextpad=0.3)
    axes[0].set(ylabel="duality gap $(p^* - d^*)\\, /\\, p^*$")
    axes[1].set(ylabel="|objective of the network $- p^*$| $/\\, p^*$")
    return fig, [*drawn, recovered, certified]


if __name__ == "__main__":
    study.main(judge, draw)
