"""P1: gradient descent converges linearly, at the rate of the kernel frozen at the start."""

import numpy as np

from cnntheory import images
from workflow.studies import study, style
from workflow.studies.allenzhu2019.common import farthest, least, lowest, medians_by
from workflow.studies.allenzhu2019.looks import descent_numbers, first_trials, spread, ticks

SHOWN = 4  # widths whose curves are drawn


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
        "P1c": lambda rows: least(rows, "rate_ratio"),
        "P1x": narrow,
    }
    findings = {name: found[name](claim.rows(table)) for name, claim in claims.items()}
    findings["rates"] = table
    if "P1b" in claims:
        findings |= {
            "band": (claims["P1b"].at_least, claims["P1b"].at_most),
            "least": claims["P1c"].at_least,
            "judged": claims["P1b"].rows(table).width.min(),
        }
    return findings


def draw(findings, tables):
    table, curves = findings["rates"], tables["descent_curves"]
    numbers = descent_numbers(table)
    fig = style.plt.figure(figsize=(style.DOUBLE, 4.6), layout="constrained")
    above, below = fig.subfigures(2, 1)
    drawn = []

    chosen = spread(numbers, SHOWN)
    losses = np.atleast_1d(above.subplots(1, len(chosen), sharey=True))
    for axis, width in zip(losses, chosen, strict=True):
        rows = first_trials(curves[curves.width == width])
        look = style.look(numbers[width]) | {"linestyle": "-"}
        for number, (_, trial) in enumerate(rows.groupby(["seed", "subset"])):
            first = number == 0
            axis.plot(
                trial.iteration, trial.relative_loss, label="measured" if first else None, **look
            )
            axis.plot(
                trial.iteration,
                trial.predicted_loss,
                label="frozen kernel" if first else None,
                **style.THEORY | {"linewidth": 0.9},
            )
        axis.set(yscale="log", xlabel="iteration", ylim=(1e-9, 5))
        axis.set_title(f"$m = {width}$")
        drawn.append(rows.assign(panel="a"))
    losses[0].set_title("(a)", loc="left", fontweight="bold")
    losses[0].set_ylabel("$F_t / F_0$")
    losses[0].legend(loc="lower left")

    rates, ends = below.subplots(1, 2)
    rates.axhspan(*findings["band"], color="0.88", zorder=0)
    rates.axhline(1, **style.THEORY)
    for (width, alone), rows in table.groupby(["width", "singular"]):
        i = numbers[width]
        rates.plot(
            width * np.geomspace(0.88, 1.14, len(rows)),
            rows.ratio,
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            fillstyle="none" if alone else "full",
            markersize=3,
            alpha=0.7,
        )
        rates.plot(width, rows.ratio.median(), marker="_", color="0.1", markersize=13, zorder=6)
    rates.plot([], [], linestyle="", marker="_", color="0.1", markersize=9, label="median")
    if found := findings.get(images.FASHION):
        again = found["rates"]
        rates.plot(
            1.28 * again.width,
            again.ratio,
            linestyle="",
            marker="x",
            color="0.45",
            markersize=3,
            markeredgewidth=0.7,
            label=images.FASHION,
        )
        drawn.append(again.assign(panel="b"))
    rates.plot(
        [],
        [],
        linestyle="",
        marker="o",
        fillstyle="none",
        color="0.4",
        label="singular kernel:\nover the rate of\ninfinite width",
    )
    rates.axhline(findings["least"], color="0.5", linewidth=0.8, linestyle=":")
    judged = findings["judged"] / 2**0.5  # halfway to the next narrower width
    rates.axvline(judged, color="0.5", linewidth=0.8, linestyle=":")
    rates.text(judged * 1.1, 0.02, "judged", fontsize=6.5, transform=rates.get_xaxis_transform())
    rates.set(
        xscale="log",
        xlabel="width $m$",
        ylabel=r"measured rate / $-2\log(1 - \eta\lambda_{\min})$",
        ylim=(-0.05, max(2.05, 1.05 * table.ratio.max())),
    )
    rates.legend(loc="upper left", handlelength=1)
    rates.set_title("(b)", loc="left", fontweight="bold")
    rates.set_title(f"{len(table)} trials", loc="right")
    drawn.append(table.drop(columns=["rate_ratio", "limit_ratio"]).assign(panel="b"))

    regular = table[~table.singular]
    for i, (column, symbol) in enumerate(
        (("lambda_max", r"$\lambda_{\max}$"), ("lambda_min", r"$\lambda_{\min}$"))
    ):
        rows = regular if column == "lambda_min" else table
        ends.plot(
            rows.width,
            rows[column],
            linestyle="",
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            markersize=2.6,
            alpha=0.4,
            fillstyle="none",
        )
        median = rows.groupby("width")[column].median()
        ends.plot(median.index, median, marker=style.MARKERS[i], label=symbol, **style.look(i))
    ends.set(xscale="log", yscale="log", xlabel="width $m$", ylabel="eigenvalue of $K_0$ over $m$")
    ends.set_title("(c)", loc="left", fontweight="bold")
    ends.legend(loc="lower right")
    for axis in (rates, ends):
        ticks(axis, numbers)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
