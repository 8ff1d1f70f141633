"""P12: how far the weights move, against the width."""

from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import farthest, medians_by, slope_of_means
from workflow.studies.allenzhu2019.looks import judged, room
from workflow.studies.allenzhu2019.widths import (
    against_width,
    all_against_width,
    finish,
    power,
    replica,
    sweep,
)

JUDGED = {"P12": "spectral_movement", "P12b": "movement", "P12x": "movement"}


def judge(tables, claims, rng):
    table = tables["descent"]
    table = table.assign(ratio=table.movement / table.predicted_movement)
    found = {
        name: slope_of_means(at_equal_demand(claims[name].rows(table), y), "width", y, rng)
        for name, y in JUDGED.items()
        if name in claims
    }
    claim = claims["P12c"]
    ratios = medians_by(claim.rows(table), "width", "ratio", rng)
    return found | {
        "P12c": farthest(ratios, claim),
        "trials": table,
        "claims": claims,
        "from": claim.rows(table).width.min(),
    }


def at_equal_demand(rows, y):
    """A movement over what the images and the residual at the start ask of a network's limit.

    Both are drawn with the network; they make trials differ, and have no width.
    """
    return rows.assign(**{y: rows[y] / rows.limit_movement})


def draw(findings, tables):
    fig, (spectral, frobenius, ratio) = style.panels(3, height=3)
    style.title(spectral, "a", "layers move as $1/\\sqrt{m}$ in spectral norm")
    style.title(frobenius, "b", "so do all together; with small outputs they do not")
    style.title(ratio, "c", "the kernel at the start says how far, to a few per cent")
    usual, _ = sweep(findings["trials"])
    drawn = []
    for axis, column, ylabel in (
        (spectral, "spectral_movement", r"$\max_l \|W_l - W_l(0)\|_2$"),
        (frobenius, "movement", r"$\|W - W(0)\|_F$"),
    ):
        drawn += all_against_width(axis, findings, column, ylabel)
        power(axis, usual, column, -1 / 2, r"theory: $1/\sqrt{m}$", **style.THEORY)
        room(axis, above=0.25, below=0.25)
    judged(spectral, findings, "P12", "slope at equal demand:\n", (0.03, 0.1))
    judged(frobenius, findings, "P12b", "slope at equal demand:\n", (0.03, 0.1))
    judged(frobenius, findings, "P12x", "slope at equal demand:\n", (0.97, 0.9))

    look = style.measured(0)
    drawn.append(against_width(ratio, usual, "ratio", look, "measured"))
    drawn += replica(ratio, findings, "ratio")
    ratio.axhline(1, **style.THEORY)
    claim = findings["claims"]["P12c"]
    style.criterion(ratio, claim.at_least, claim.at_most, span=(findings["from"], None))
    finish(ratio, usual, r"$\|W-W(0)\|_F \,/\, \sqrt{r_0^\top K_0^{-1} r_0}$")
    ratio.set(yscale="linear")
    ratio.set_ylim(bottom=0.86)
    judged(ratio, findings, "P12c", "farthest median", (0.97, 0.08))
    style.legend_below(fig)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
