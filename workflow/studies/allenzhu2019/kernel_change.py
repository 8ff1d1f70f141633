"""P13, P14: change of gradient, kernel and linearisation by training, against the width."""

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import highest
from workflow.studies.allenzhu2019.looks import judged, room
from workflow.studies.allenzhu2019.widths import all_against_width, judge_slopes, power, sweep

JUDGED = {
    "P13": ("usual", "gradient_change"),
    "P13b": ("usual", "kernel_change"),
    "P13x": ("small", "kernel_change"),
    "P14": ("usual", "linear_gap"),
    "P14x": ("small", "linear_gap"),
}


def judge(tables, claims, rng):
    table = tables["descent"]
    found = judge_slopes(table, claims, JUDGED, rng)
    both = {"gradient": found["P13"], "kernel": found["P13b"]}
    return found | {"P13c": highest(both, "Of the {}."), "trials": table, "claims": claims}


def draw(findings, tables):
    fig, axes = style.panels(3, height=3.1)
    usual, _ = sweep(findings["trials"])
    drawn = []
    for axis, letter, text, column, ylabel, names in (
        (
            axes[0],
            "a",
            "the gradient changes the less the wider the network",
            "gradient_change",
            r"$\|\nabla f_T - \nabla f_0\|_F \,/\, \|\nabla f_0\|_F$",
            ("P13",),
        ),
        (
            axes[1],
            "b",
            "so does the kernel; with small outputs it changes at every width",
            "kernel_change",
            r"$\|K_T - K_0\|_F \,/\, \|K_0\|_F$",
            ("P13b", "P13x"),
        ),
        (
            axes[2],
            "c",
            "wide networks follow their linearisation; small outputs do not",
            "linear_gap",
            r"$\max_t \|f_t - f^{\rm lin}_t\| \,/\, \|r_0\|$",
            ("P14", "P14x"),
        ),
    ):
        style.title(axis, letter, text)
        drawn += all_against_width(axis, findings, column, ylabel)
        power(axis, usual, column, -1 / 6, r"theorem: at most as $m^{-1/6}$")
        room(axis, above=0.12, below=0.25)
        if column == "gradient_change":
            style.plain_ticks(axis, "y")
        for name in names:
            control = findings["claims"][name].kind == "control"
            judged(axis, findings, name, "slope", (0.97, 0.94) if control else (0.03, 0.09))
    style.legend_below(fig)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
