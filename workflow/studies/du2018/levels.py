"""Claim 5: iterations against ((L(0) + 4 beta)/gamma)^2, at one step and at the theorem's own."""

import numpy as np
import pandas as pd
from scipy import stats

from cnntheory.stats import bootstrap, log_log_slope
from workflow.studies import study, style
from workflow.studies.verdicts import Measured

RULES = {"fixed": "5b", "theorem": "5c"}


def judge(tables, claims, rng):
    seeds, found, correlations, shuffled = tables["levels"].seed.nunique(), {}, {}, {}
    permuted = {}
    for rule, claim in RULES.items():
        wide = by_complexity(claims[claim].rows(tables["levels"]))
        complexity, iterations = wide.columns.to_numpy(), wide.to_numpy()
        permuted[rule] = rng.permutation(complexity)
        ranks = centred_ranks(np.stack([complexity, permuted[rule]]))

        def of_mean(rows, axis, complexity=complexity, ranks=ranks):
            """Spearman correlation, the same with the levels permuted, log-log slope."""
            mean = rows.mean(axis=axis)
            rank = centred_ranks(mean)
            lengths = (ranks**2).sum(axis=1) * (rank**2).sum(axis=-1, keepdims=True)
            slope = log_log_slope(complexity, mean)
            return np.concatenate([rank @ ranks.T / np.sqrt(lengths), slope[..., None]], axis=-1)

        interval = bootstrap(iterations, rng, of_mean, together=True)
        measured = zip(of_mean(iterations, 0), *interval, strict=True)
        correlations[rule], shuffled[rule], found[claim] = (
            Measured(*map(float, number), seeds) for number in measured
        )
    return found | {
        "5": min(correlations.values(), key=lambda measured: measured.value),
        "5x": max(shuffled.values(), key=lambda measured: measured.value),
        "correlations": correlations,
        "permuted": permuted,
        "least": claims["5"].at_least,
        "slopes": {
            rule: (claims[claim].at_least, claims[claim].at_most) for rule, claim in RULES.items()
        },
    }


def centred_ranks(values):
    """Ranks along the last axis, less their mean; Spearman's correlation is that of ranks."""
    return stats.rankdata(values, axis=-1) - (values.shape[-1] + 1) / 2


def by_complexity(rows):
    """Iterations, a row a seed and a column a level, by increasing condition number."""
    return rows.pivot(index="seed", columns="complexity", values="iterations")


def draw(findings, tables):
    table = tables["levels"]
    fig, (*axes, order) = style.panels(3, height=3)
    step = table[table.rule == "fixed"].step.iloc[0]
    style.title(axes[0], "a", rf"one step $\eta = {step:g}$: iterations grow as the square root")
    style.title(axes[1], "b", "the theorem's own step: in proportion")
    style.title(order, "c", "the order of the levels is nearly that of the theorem")
    drawn = [
        draw_rule(axis, table, rule, findings, slope)
        for axis, rule, slope in zip(axes, ("fixed", "theorem"), (0.5, 1.0), strict=True)
    ]
    axes[0].set_ylabel("iterations")
    style.corner(axes[0], f"{table.seed.nunique()} seeds", "upper left")
    drawn.append(draw_order(order, table, findings))
    style.legend_below(fig)
    return fig, drawn


def draw_rule(axis, table, rule, findings, theory):
    """Iterations against the condition number, a level a colour, and the slopes allowed."""
    rows = table[table.rule == rule].sort_values("complexity")
    wide = by_complexity(rows)
    median, low, high = style.median_band(wide.to_numpy())
    x, colours = wide.columns.to_numpy(), style.sequential(table.sigma)
    sigmas = rows.drop_duplicates("complexity").sigma.to_numpy()
    for at, sigma, *y in zip(x, sigmas, median, low, high, strict=True):
        look = style.measured(0, linestyle="", color=colours[sigma], label=style.sigma_label(sigma))
        axis.errorbar(at, y[0], [[y[0] - y[1]], [y[2] - y[0]]], elinewidth=0.8, **look)
    mean = wide.mean().to_numpy()

    def line(slope):
        return np.exp(np.log(mean).mean() + slope * (np.log(x) - np.log(x).mean()))

    axis.plot(x, line(theory), **style.THEORY)
    # Lines of the slopes that the criterion allows, through the middle of the levels.
    low, high = findings["slopes"][rule]
    axis.fill_between(x, line(low), line(high), color="0.9", linewidth=0, zorder=0.5)
    text = f"slope {{}}\ntheory (dashed): {theory:g}\ncriterion (grey): {low:g} to {high:g}"
    style.judged(axis, findings[RULES[rule]], text, (0.97, 0.08))
    axis.set(xscale="log", yscale="log", xlabel=r"$((L(0) + 4\beta)\,/\,\gamma(\phi_0))^2$")
    style.plain_ticks(axis)
    return rows.groupby(["rule", "sigma", "complexity"]).iterations.median().reset_index()


def draw_order(axis, table, findings):
    """Ranks of the mean iterations against those of the condition number, true and permuted."""
    drawn, shift = [], {"fixed": -0.08, "theorem": 0.08}
    for i, (rule, name) in enumerate((("fixed", "one step"), ("theorem", "theorem's step"))):
        wide = by_complexity(table[table.rule == rule])
        slow = stats.rankdata(wide.mean())
        for levels, look in (
            (findings["permuted"][rule], style.control("levels permuted" if i == 0 else None, i)),
            (wide.columns.to_numpy(), style.measured(i, label=name)),
        ):
            ranks = stats.rankdata(levels)
            axis.plot(ranks + shift[rule], slow, **look | {"linestyle": ""})
            drawn.append(pd.DataFrame({"rule": rule, "rank": ranks, "rank_iterations": slow}))
    text = f"rank correlation {{}}\n(at least {findings['least']:g})"
    top = 1.45 * len(slow)
    style.judged(axis, findings["5"], text, (0.03, 0.92))
    style.judged(axis, findings["5x"], "permuted: {}", (0.03, 0.79), color=style.VERMILLION)
    axis.set(ylim=(0, top), yticks=range(1, len(slow) + 1, 2), xticks=range(1, len(slow) + 1, 2))
    axis.set(xlabel="rank of the condition number", ylabel="rank of the iterations")
    return pd.concat(drawn)


if __name__ == "__main__":
    study.main(judge, draw)
