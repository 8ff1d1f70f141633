"""Claim 4, Theorem 2.2: drop of ||w - w*||^2 per step over its guarantee eta gamma / 2."""

import pandas as pd

from workflow.studies import study, style
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    trials = tables["rate"].drop_duplicates(["law", "rule", "seed"])
    seeds = trials.seed.nunique()
    unstable = claims["4x"].rows(trials)
    share = claims["4x"].succeeded(unstable).mean()
    note = f"Share of runs that converge: {share:.0%}."
    constant = trials[trials.rule != "theorem"]
    constant = constant.assign(eta=constant.rule.astype(float))
    return {
        "4": exactly(claims["4"].rows(trials).margin.min(), seeds=seeds),
        "4b": exactly(claims["4b"].rows(trials).sharper_margin.min(), seeds=seeds),
        "4x": exactly(unstable.margin.max(), seeds=seeds, note=note),
        "constant steps": constant.groupby(["law", "eta"]).margin.agg(["min", "max"]),
        # Of the ratio to eta gamma / 2; the sharper guarantee is three times the stated one.
        "stated": claims["4"].at_least,
        "sharper": 3 * claims["4b"].at_least,
    }


def draw(findings, tables):
    table = tables["rate"]
    fig, (steps, margins) = style.panels(2, height=2.9)
    style.title(steps, "a", "the theorem's step: every drop is above both guarantees")
    style.title(margins, "b", "far larger steps cross the guarantees, Gaussian inputs first")
    drawn = [*draw_steps(steps, table, findings), *draw_margins(margins, findings)]
    style.legend_below(fig)
    return fig, drawn


def bounds(axis, findings, at):
    """What is guaranteed, by the theorem and by the sharper form of its proof."""
    side = "left" if at < 0.5 else "right"
    note = {"textcoords": "offset points", "fontsize": style.SMALL, "ha": side, "va": "top"}
    for name, said in (
        ("stated", r"theorem: $\eta\gamma/2$"),
        ("sharper", r"sharper: $3\eta\gamma/2$"),
    ):
        style.bound(axis, None, findings[name], "above", at=at)
        # Below the line: the curves run above.
        grid = axis.get_yaxis_transform()
        axis.annotate(said, (at, findings[name]), (0, -3), xycoords=grid, color=style.INK, **note)


def draw_steps(axis, table, findings):
    """Drop over the guarantee at every step: median and range of the seeds."""
    drawn = []
    for i, (law, rows) in enumerate(table[table.rule == "theorem"].groupby("law", sort=False)):
        rows = rows.assign(ratio=rows["drop"] / rows.bound)
        wide = rows.pivot(index="seed", columns="iteration", values="ratio").dropna(axis=1)
        part = pd.DataFrame(
            {
                "iteration": wide.columns,
                "median": wide.median(),
                "low": wide.min(),
                "high": wide.max(),
            }
        )
        look = style.measured(i, markevery=0.15, label=law.replace("sigma", r"$\sigma$"))
        axis.fill_between(part.iteration + 1, part.low, part.high, color=look["color"],
                          alpha=style.BAND, linewidth=0)  # fmt: skip
        axis.plot(part.iteration + 1, part["median"], **look)
        drawn.append(part.assign(curve=law))
    bounds(axis, findings, 0.03)
    style.corner(axis, f"{table.seed.nunique()} seeds, median and range", "upper right")
    style.judged(axis, findings["4"], "least: {} of the theorem's", (0.97, 0.85))
    style.judged(axis, findings["4b"], "{} of the sharper", (0.97, 0.78))
    axis.set(xscale="log", yscale="log", ylim=(0.6, 300), xlabel="iteration + 1")
    axis.set_ylabel(r"drop $1 - e_{t+1}^2 / e_t^2$, over $\eta\gamma/2$")
    style.plain_ticks(axis, "y")
    return drawn


def draw_margins(axis, findings):
    """Least drop over the guarantee against a constant step; the control is unstable."""
    drawn = []
    constant = findings["constant steps"]
    for i, (law, rows) in enumerate(constant.groupby(level="law", sort=False)):
        rows = rows.droplevel("law").reset_index()
        stable = rows if law != "Gaussian" else rows[rows.eta <= 4]
        axis.plot(stable.eta, stable["min"], **style.measured(i))
        unstable = rows[~rows.index.isin(stable.index)]
        if len(unstable):
            axis.plot(unstable.eta, unstable["max"], **style.control(r"Gaussian, $\eta > 4$"))
        drawn.append(rows.assign(curve=law, panel="constant steps"))
    bounds(axis, findings, 0.98)
    style.judged(
        axis, findings["4x"], "control, best seed: {}", (0.5, 0.06), color=style.VERMILLION
    )
    lowest = constant["min"].min()
    axis.set(xlim=(0, 4.9), ylim=(lowest - 0.6, 5.2), xticks=range(5))
    axis.set(xlabel=r"constant step $\eta$", ylabel="least over steps and seeds")
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
