"""Claims 2, 3: duality gaps and mapped-back networks of every architecture, and their controls."""

import pandas as pd

from workflow.studies import study, style
from workflow.studies.ergen2021.common import FLOOR, excess, judged, name, present, strip
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
        "lucky": f"{(restricted <= claims['2x'].at_most).sum()} of {len(restricted)} certified",
        "bounds": (claims["2"].at_most, claims["3"].at_most),
    }


def draw(findings, tables):
    convex = tables["convex"]
    fig, (gaps, back) = style.panels(2, height=3.5, sharey=True)
    style.title(gaps, "a", "prices over all cells certify the optimum, over ten gates rarely")
    style.title(back, "b", "the network mapped back attains it, one badly scaled does not")
    drawn = draw_gaps(gaps, findings, tables)
    drawn.append(draw_networks(back, findings, tables))
    names = [name(architecture) for _, architecture in present(convex)]
    for axis, bound in zip((gaps, back), findings["bounds"], strict=True):
        style.criterion(axis, at_most=bound, at=0.02)
        axis.set(yscale="log", xticks=range(len(names)), ylim=(FLOOR / 3, 1e2))
        axis.set_xlim(-0.6, len(names) - 0.4)
        axis.set_xticklabels(names, rotation=35, ha="right", rotation_mode="anchor")
    gaps.set_ylabel("duality gap $(p^* - d^*)\\, /\\, p^*$")
    back.set_ylabel("|objective of the network $- p^*$| $/\\, p^*$")
    style.legend_below(fig)
    return fig, drawn


def draw_gaps(axis, findings, tables):
    """Duality gaps of all programs; controls: prices over ten gates."""
    drawn, labels = [], set()
    for place, (_, architecture) in enumerate(present(tables["convex"])):
        rows, known = (
            table[table.architecture == architecture]
            for table in (tables["convex"], tables["certificates"])
        )
        bracketed = architecture in findings["bracketed"]
        kinds = {
            "prices over all cells": (known[known.study == "convex"].gap, style.measured(0)),
            "control: prices over ten gates": (
                known[known.study == "restricted"].gap,
                style.control(),
            ),
        }
        if known.empty:
            label = "between two bounds, not judged" if bracketed else "exact program"
            gap = (rows.objective - rows.dual_bound) / rows.objective
            kinds = {label: (gap, style.measured(6 if bracketed else 1))}
        for label, (gap, look) in kinds.items():
            values = gap.abs().clip(lower=FLOOR)
            strip(axis, place, values, look, None if label in labels else label)
            labels.add(label)
            drawn.append(pd.DataFrame({"value": gap}).assign(curve=label, panel=architecture))
    found = findings["2x"]
    text = "control, largest\n{}" + f"; {findings['lucky']}"
    judged(axis, found, text, (0.98, 0.94), color=style.VERMILLION)
    judged(axis, findings["2"], "all cells: largest {}", (0.02, 0.3))
    judged(axis, findings["2b"], "exact programs: largest {}", (0.98, 0.53))
    return drawn


def draw_networks(axis, findings, tables):
    """Objectives of the networks mapped back; control: another map of the same function."""
    recovered, convex = tables["recovered"], tables["convex"]
    drawn, labels = [], set()
    for place, (_, architecture) in enumerate(present(convex)):
        back = recovered[recovered.architecture == architecture]
        kinds = {
            "square-root map": (back[back.study == "mapped"], style.measured(0)),
            "control: all scale in the filters": (
                back[back.study == "unbalanced"],
                style.control(i=1),
            ),
        }
        if back.empty:
            if architecture in findings["bracketed"]:
                continue
            rows = convex[convex.architecture == architecture]
            kinds = {"exact program": (rows, style.measured(1))}
        for label, (rows, look) in kinds.items():
            values = excess(rows)
            shown = None if label in labels else label
            strip(axis, place, values.abs().clip(lower=FLOOR), look, shown)
            labels.add(label)
            drawn.append(pd.DataFrame({"value": values}).assign(curve=label, panel=architecture))
    text = "control, average pooling,\nlargest {}"
    judged(axis, findings["3x"], text, (0.98, 0.94), color=style.VERMILLION)
    judged(axis, findings["3"], "square-root map: largest {}", (0.02, 0.2))
    judged(axis, findings["3b"], "exact programs: largest {}", (0.98, 0.53))
    return pd.concat(drawn)


if __name__ == "__main__":
    study.main(judge, draw)
