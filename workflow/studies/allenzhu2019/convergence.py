"""P1: gradient descent converges linearly, at the rate of the kernel frozen at the start."""

import numpy as np

from cnntheory import images
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import (
    farthest,
    least,
    lowest,
    medians_by,
    with_least,
)
from workflow.studies.allenzhu2019.looks import (
    by_width,
    first_trials,
    judged,
    quartiles,
    second,
    trials,
)


def judge(tables, claims, rng):
    table = tables["descent"]
    # A narrow network's kernel is singular: its rate is compared with that of infinite width.
    singular = table.lambda_min <= 1e-10 * table.lambda_max
    table = table.assign(
        rate_ratio=table.measured_rate / table.predicted_rate,
        limit_ratio=table.measured_rate / table.limit_rate,
        ratio=table.measured_rate / np.where(singular, table.limit_rate, table.predicted_rate),
        singular=singular,
    )

    def narrow(rows):
        return least(rows, "limit_ratio", note=f"Largest {rows.limit_ratio.max():.2g}.")

    found = {
        "P1": lambda rows: lowest(medians_by(rows, "width", "straightness", rng)),
        "P1b": lambda rows: farthest(medians_by(rows, "width", "rate_ratio", rng), claims["P1b"]),
        "P1c": lambda rows: with_least(
            lowest(medians_by(rows, "width", "rate_ratio", rng, part=0.25)), rows.rate_ratio
        ),
        "P1x": narrow,
    }
    findings = {name: found[name](claim.rows(table)) for name, claim in claims.items()}
    findings["rates"] = table
    if "P1b" in claims:
        findings |= {
            "band": (claims["P1b"].at_least, claims["P1b"].at_most),
            "control": set(claims["P1x"].rows(table).width),
            "claims": claims,
            "judged": claims["P1b"].rows(table).width.min(),
            "widest": claims["P1b"].rows(table).width.max(),
        }
    return findings


def draw(findings, tables):
    table, curves = findings["rates"], tables["descent_curves"]
    fig, axes = style.panels(3, rows=2, height=5.0)
    losses, (straight, rates, ends) = axes[:3], axes[3:]
    drawn = []

    shown = spread(set(table.width), len(losses))
    texts = (
        "a very narrow network gets stuck",
        "a wider one falls much as the frozen kernel says",
        "the widest follows it more closely",
    )
    for axis, letter, width, text in zip(losses, "abc", shown, texts, strict=False):
        style.title(axis, letter, f"$m = {width}$: {text}")
        rows = first_trials(curves[curves.width == width])
        alone = width in findings["control"]
        look = style.control(f"$m = {width}$") if alone else by_width(width, label="measured")
        for number, (_, trial) in enumerate(rows.groupby(["seed", "subset"])):
            few = {"markevery": max(1, len(trial) // 5), "markersize": 3}
            few |= {"label": "_another"} if number else {}
            axis.plot(trial.iteration, trial.relative_loss, **look | few)
            label = None if number else "theory: frozen kernel"
            axis.plot(trial.iteration, trial.predicted_loss, label=label, **style.THEORY)
        axis.set(yscale="log", xlabel="iteration", ylim=(1e-9, 5))
        drawn.append(rows.assign(panel=f"({letter})"))
    losses[0].set_ylabel("$F_t / F_0$")

    style.title(straight, "d", "in the end the loss falls by the same factor in every step")
    style.title(rates, "e", "at about the rate of the frozen kernel")
    style.title(ends, "f", "whose least eigenvalue is positive where the network is wide")
    again = findings.get(images.FASHION)
    for axis, column in ((straight, "straightness"), (rates, "ratio")):
        for (width, alone), rows in table.groupby(["width", "singular"]):
            look = style.control() if alone else by_width(width)
            trials(axis, rows.width, rows[column], look)
            axis.plot(width, rows[column].median(), "_", color=style.INK, markersize=11, zorder=6)
        if again:
            second(axis, 1.2 * again["rates"].width, again["rates"][column])
    if again:
        drawn.append(again["rates"].assign(panel="(d), (e)"))
    straight.plot([], [], "_", color=style.INK, markersize=9, label="median")
    claim = findings["claims"]["P1"]
    wide = findings["judged"] / 2**0.5  # halfway to the next narrower width
    low = table[table.width >= findings["judged"]].straightness.min()
    straight.set(ylim=(min(0.9, low - 0.02), 1.005), ylabel="$R^2$ of $\\log F$ against $t$")
    style.criterion(straight, at_least=claim.at_least, span=(wide, None), at=0.08, inside=False)
    judged(straight, findings, "P1", "least median\n", (0.97, 0.14), digits=3)
    narrow = table[table.singular].straightness
    if below := (narrow < straight.get_ylim()[0]).sum():
        look = {"fontsize": style.SMALL, "color": style.VERMILLION, "va": "bottom"}
        text = f"control:\n{below} of {narrow.count()}\nbelow"
        straight.text(0.03, 0.03, text, transform=straight.transAxes, **look)

    reach = (wide, findings["widest"] * 2**0.5)
    style.criterion(rates, *findings["band"], span=reach, label="")
    rates.axhline(1, **style.THEORY)
    rates.set(ylabel="rate / that of the frozen kernel")
    rates.set(ylim=(-1.8, max(4.2, 1.8 * table.ratio.max())))
    drawn.append(
        quartiles(rates, table[~table.singular], "ratio", findings["claims"]["P1c"].at_least, wide)
    )
    judged(rates, findings, "P1b", "farthest median\n", (0.97, 0.89))
    judged(rates, findings, "P1c", "least lower quartile\n", (0.97, 0.12))
    asked = findings["claims"]["P1x"].at_least
    text = f"control:\nleast {{}}\n(\N{GREATER-THAN OR EQUAL TO} {asked:g})"
    style.judged(rates, findings["P1x"], text, (0.03, 0.68), color=style.VERMILLION)

    regular = table[~table.singular]
    for i, (column, symbol) in enumerate(
        (("lambda_max", r"$\lambda_{\max}$"), ("lambda_min", r"$\lambda_{\min}$"))
    ):
        rows = regular if column == "lambda_min" else table
        look = style.measured(i + 1)
        trials(ends, rows.width, rows[column], look)
        median = rows.groupby("width")[column].median()
        ends.plot(median.index, median, **look | {"label": symbol})
    ends.set(yscale="log", ylabel="eigenvalue of $K_0$ over $m$")
    for axis in (straight, rates, ends):
        axis.set(xscale="log", xlabel="width $m$")
        style.ticks(axis, table.width, apart=0.12)
    style.legend_below(fig)
    return fig, [*drawn, table.drop(columns=["rate_ratio", "limit_ratio"]).assign(panel="(d)-(f)")]


def spread(values, count):
    """At most `count` of sorted values, evenly spread and with both ends."""
    values = sorted(set(values))
    picks = np.linspace(0, len(values) - 1, min(count, len(values)))
    return [values[round(pick)] for pick in picks]


if __name__ == "__main__":
    study.main(judge, draw)
