"""P12: how far the weights move, against the width."""

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import farthest, medians_by
from workflow.studies.allenzhu2019.widths import against_width, finish, judge_slopes, sweep

JUDGED = {
    "P12": ("usual", "spectral_movement"),
    "P12b": ("usual", "movement"),
    "P12x": ("small", "movement"),
}


def judge(tables, claims, rng):
    table = tables["descent"]
    table = table.assign(ratio=table.movement / table.predicted_movement)
    ratios = medians_by(claims["P12c"].rows(table), "width", "ratio", rng)
    found, slopes = judge_slopes(table, claims, JUDGED, rng)
    return found | {
        "P12c": farthest(ratios, claims["P12c"]),
        "slopes": slopes,
        "trials": table,
        "band": (claims["P12c"].at_least, claims["P12c"].at_most),
    }


def draw(findings, tables):
    usual, small = sweep(findings["trials"])
    slopes = findings["slopes"]
    fig, (spectral, frobenius, ratio) = style.panels(3, height=2.6)
    drawn = []
    for axis, column, ylabel in (
        (spectral, "spectral_movement", r"$\max_l \|W_l - W_l(0)\|_2$"),
        (frobenius, "movement", r"$\|W - W(0)\|_F$"),
    ):
        drawn.append(against_width(axis, usual, column, 0, "measured", slopes["usual", column]))
        drawn.append(
            against_width(
                axis, small, column, 1, r"$B/\sqrt{m}$", slopes["small", column], fill="none"
            )
        )
        finish(axis, usual, ylabel)
        axis.set_ylim(bottom=usual[column].min() / 12)

    drawn.append(against_width(ratio, usual, "ratio", 0, "measured", None))
    ratio.axhline(1, **style.THEORY)
    ratio.axhspan(*findings["band"], color="0.88", zorder=0)
    finish(ratio, usual, r"$\|W-W(0)\|_F \,/\, \sqrt{r_0^\top K_0^{-1} r_0}$")
    ratio.set(yscale="linear")
    ratio.get_legend().remove()
    ratio.set_title(f"{len(usual[usual.width == usual.width.min()])} trials a width")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
