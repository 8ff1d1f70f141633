"""P12: how far the weights move, against the width."""

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import farthest, medians_by
from workflow.studies.allenzhu2019.widths import (
    against_width,
    finish,
    judge_slopes,
    replica,
    sweep,
)

JUDGED = {
    "P12": ("usual", "spectral_movement"),
    "P12b": ("usual", "movement"),
    "P12x": ("small", "movement"),
}


def judge(tables, claims, rng):
    table = tables["descent"]
    table = table.assign(ratio=table.movement / table.predicted_movement)
    found, slopes = judge_slopes(table, claims, JUDGED, rng)
    claim = claims["P12c"]
    ratios = medians_by(claim.rows(table), "width", "ratio", rng)
    return found | {
        "P12c": farthest(ratios, claim),
        "slopes": slopes,
        "trials": table,
        "band": (claim.at_least, claim.at_most),
    }


def draw(findings, tables):
    usual, small = sweep(findings["trials"])
    slopes = findings["slopes"]
    fig, (spectral, frobenius, ratio) = style.panels(3, height=3)
    drawn = []
    for axis, column, ylabel in (
        (spectral, "spectral_movement", r"$\max_l \|W_l - W_l(0)\|_2$"),
        (frobenius, "movement", r"$\|W - W(0)\|_F$"),
    ):
        drawn.append(against_width(axis, usual, column, 0, "measured", slopes["usual", column]))
        drawn.append(
            against_width(
                axis,
                small,
                column,
                3,
                r"control: $B/\sqrt{m}$",
                slopes["small", column],
                fill="none",
            )
        )
        drawn += replica(axis, findings, column)
        finish(axis, usual, ylabel)
        axis.set_ylim(bottom=usual[column].min() / 40)

    drawn.append(against_width(ratio, usual, "ratio", 0, "measured", None))
    drawn += replica(ratio, findings, "ratio")
    ratio.axhline(1, **style.THEORY)
    ratio.axhspan(*findings["band"], color="0.88", zorder=0)
    finish(ratio, usual, r"$\|W-W(0)\|_F \,/\, \sqrt{r_0^\top K_0^{-1} r_0}$")
    ratio.set(yscale="linear")
    ratio.get_legend().remove()
    ratio.set_title(f"{len(usual[usual.width == usual.width.min()])} trials a width")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
