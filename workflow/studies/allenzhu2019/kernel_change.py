"""P13, P14: change of gradient, kernel and linearisation by training, against the width."""

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import highest
from workflow.studies.allenzhu2019.widths import (
    against_width,
    finish,
    judge_slopes,
    power,
    replica,
    sweep,
)

JUDGED = {
    "P13": ("usual", "gradient_change"),
    "P13b": ("usual", "kernel_change"),
    "P13x": ("small", "kernel_change"),
    "P14": ("usual", "linear_gap"),
    "P14x": ("small", "linear_gap"),
}


def judge(tables, claims, rng):
    table = tables["descent"]
    found, slopes = judge_slopes(table, claims, JUDGED, rng)
    both = {"gradient": found["P13"], "kernel": found["P13b"]}
    return found | {"P13c": highest(both, "Of the {}."), "slopes": slopes, "trials": table}


def draw(findings, tables):
    usual, small = sweep(findings["trials"])
    slopes = findings["slopes"]
    fig, axes = style.panels(3, height=3)
    drawn = []
    for axis, column, ylabel in zip(
        axes,
        ("gradient_change", "kernel_change", "linear_gap"),
        (
            r"$\|\nabla f_T - \nabla f_0\|_F \,/\, \|\nabla f_0\|_F$",
            r"$\|K_T - K_0\|_F \,/\, \|K_0\|_F$",
            r"$\max_t \|f_t - f^{\rm lin}_t\| \,/\, \|r_0\|$",
        ),
        strict=True,
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
        power(axis, usual, column, -1 / 6, "theorem: slope -1/6")
        finish(axis, usual, ylabel)
        axis.set_ylim(bottom=usual[column].min() / 60)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
