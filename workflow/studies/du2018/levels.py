"""Claim 5: iterations against ((L(0) + 4 beta)/gamma)^2, at one step and at the theorem's own."""

import numpy as np
from scipy import stats

from cnntheory.stats import bootstrap, log_log_slope
from workflow.studies import study, style
from workflow.studies.verdicts import Measured

RULES = {"fixed": "5b", "theorem": "5c"}


def judge(tables, claims, rng):
    seeds, found, correlations, shuffled = tables["levels"].seed.nunique(), {}, {}, {}
    for rule, claim in RULES.items():
        wide = by_complexity(claims[claim].rows(tables["levels"]))
        complexity, iterations = wide.columns.to_numpy(), wide.to_numpy()
        ranks = centred_ranks(np.stack([complexity, rng.permutation(complexity)]))

        def of_mean(rows, axis, complexity=complexity, ranks=ranks):
            """Spearman correlation, the same with the levels permuted, log-log slope."""
            mean = rows.mean(axis=axis)
            rank = centred_ranks(mean)
            spearman = ranks @ rank / np.sqrt((ranks**2).sum(axis=1) * (rank @ rank))
            return np.array([*spearman, log_log_slope(complexity, mean)])

        measured = zip(of_mean(iterations, 0), *bootstrap(iterations, rng, of_mean), strict=True)
        correlations[rule], shuffled[rule], found[claim] = (
            Measured(*map(float, number), seeds) for number in measured
        )
    return found | {
        "5": min(correlations.values(), key=lambda measured: measured.value),
        "5x": max(shuffled.values(), key=lambda measured: measured.value),
        "correlations": correlations,
    }


def centred_ranks(values):
    """Ranks along the last axis, less their mean; Spearman's correlation is that of ranks."""
    return stats.rankdata(values, axis=-1) - (values.shape[-1] + 1) / 2


def by_complexity(rows):
    """Iterations, a row a seed and a column a level, by increasing condition number."""
    return rows.pivot(index="seed", columns="complexity", values="iterations")


def draw(findings, tables):
    table = tables["levels"]
    fig, axes = style.panels(2)
    drawn = []
    titles = {
        "fixed": rf"one step, $\eta = {table[table.rule == 'fixed'].step.iloc[0]:g}$",
        "theorem": "theorem's step",
    }
    for axis, (rule, title) in zip(axes, titles.items(), strict=True):
        rows = table[table.rule == rule].sort_values("complexity")
        wide = by_complexity(rows)
        median, low, high = style.median_band(wide.to_numpy())
        x = wide.columns.to_numpy()
        axis.errorbar(
            x,
            median,
            (median - low, high - median),
            linestyle="",
            marker="o",
            color=style.COLOURS[0],
            elinewidth=0.8,
        )
        sigmas = rows.drop_duplicates("complexity").sigma.to_numpy()
        # Levels closer than 15 % share a label; labels stand in turn below and above.
        groups = np.split(np.arange(len(x)), np.flatnonzero(np.diff(np.log(x)) > 0.15) + 1)
        for i, group in enumerate(groups):
            names = [r"\infty" if np.isinf(s) else f"{s:g}" for s in sigmas[group]]
            axis.annotate(
                rf"$\sigma = {', '.join(names)}$",
                (x[group[-1]], median[group[-1]]),
                (5, -8) if i % 2 == 0 else (-5, 6),
                fontsize=6,
                textcoords="offset points",
                ha="left" if i % 2 == 0 else "right",
            )
        theory = {"fixed": 0.5, "theorem": 1.0}[rule]
        mean = wide.mean().to_numpy()
        line = np.exp(np.log(mean).mean() + theory * (np.log(x) - np.log(x).mean()))
        axis.plot(x, line, label=f"slope {theory:g} (theory)", **style.THEORY)
        axis.set(
            xscale="log",
            yscale="log",
            title=f"{title}: slope {findings[RULES[rule]].text()}",
            xlabel=r"$((L(0) + 4\beta)\,/\,\gamma(\phi_0))^2$",
        )
        axis.set_xticks([30, 100, 300, 1000], ["30", "100", "300", "1000"])
        ticks = {"fixed": [10, 20, 50, 100], "theorem": [100, 300, 1000, 3000]}[rule]
        axis.set_yticks(ticks, [str(tick) for tick in ticks])
        axis.minorticks_off()
        axis.legend(loc="upper left")
        drawn.append(
            rows.groupby(["rule", "sigma", "complexity"]).iterations.median().reset_index()
        )
    axes[0].set_ylabel(f"iterations ({table.seed.nunique()} seeds)")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
