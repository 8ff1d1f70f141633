"""Claim Z11: objective against iterations for the three starts, and how many of them arrive."""

import numpy as np
import pandas as pd
from scipy import stats

from cnntheory.stats import wilson
from workflow.studies import study, style
from workflow.studies.verdicts import exactly
from workflow.studies.zhong2017.names import look, name, name_criterion, present

LOOKS = {"tensor": 0, "random": 1, "local": 3}  # not those of the activations in (f)
RUNS = 8  # drawn thin, from the best to the worst
STARTS = {"tensor": "tensor start", "random": "random start", "local": "start 10 % off"}
PROBLEMS = ("starts_relu_12", "starts_relu_8", "starts_erf_5", "starts_erf_5_few")


def recoveries(table, good):
    """Runs recovered, runs, share and its Wilson interval, a row a start."""
    counts = good.groupby(table.start).agg(["sum", "size"])
    low, high = np.array([wilson(*count) for count in counts.to_numpy()]).T
    return counts.assign(share=counts["sum"] / counts["size"], low=low, high=high)


def more_often(found, seeds):
    """Fisher's exact test of more recoveries from tensor than from random starts."""
    rows = found.loc[["tensor", "random"]]
    counts = np.column_stack([rows["sum"], rows["size"] - rows["sum"]])
    told = ", ".join(f"{start} {share:.0%}" for start, share in found.share.items())
    return exactly(
        stats.fisher_exact(counts, alternative="greater").pvalue,
        seeds=seeds,
        note=f"Recovered: {told}.",
    )


def somewhere(claim, table):
    """Least p-value over all settings, times their number, and the shares by setting and start."""
    rows = claim.rows(table)
    setting = ["activation", "patch_size", "kernels", "kappa", "samples"]
    rows = rows.assign(good=claim.succeeded(rows))
    found = {key: recoveries(cell, cell.good) for key, cell in rows.groupby(setting)}
    tests = {key: more_often(cell, 0).value for key, cell in found.items()}
    best = min(tests, key=tests.get)
    shares = pd.concat(found, names=setting).reset_index()
    whole = shares.groupby("start")[["sum", "size"]].sum()
    told = [f"{start} {share:.1%}" for start, share in (whole["sum"] / whole["size"]).items()]
    where = "{}, k = {}, t = {}, kappa = {:g}, n = {}".format(*best)
    there = ", ".join(f"{start} {share:.0%}" for start, share in found[best].share.items())
    note = f"Recovered in all: {', '.join(told)}; most in favour: {there} ({where})."
    value = min(min(tests.values()) * len(tests), 1.0)
    return exactly(value, seeds=rows.seed.nunique(), note=note), shares


def judge(tables, claims, rng):
    criterion = claims["Z11"]
    found = {key: recoveries(tables[key], criterion.succeeded(tables[key])) for key in PROBLEMS}
    findings = {"shares": found, "claims": claims}
    for key in ("Z11", "Z11x"):
        table = tables[claims[key].given["table"]]
        counts = recoveries(table, claims[key].succeeded(table))
        findings[key] = more_often(counts, table.seed.nunique())
    findings["Z11b"], findings["searched"] = somewhere(claims["Z11b"], tables["starts"])
    return findings


def draw(findings, tables):
    fig, axes = style.panels(3, rows=2, height=4.9)
    titles = (
        "ReLU, twelve kernels: many random starts stick",
        "eight kernels: few do",
        "twelve kernels: random starts arrive less often",
        "erf, five kernels: none sticks",
        "a poor tensor start is slow and arrives too",
        "on samples the tensor start helps nowhere",
    )
    for letter, axis, text in zip("abcdef", axes, titles, strict=True):
        style.title(axis, letter, text)
    drawn = []
    for axis, problem in zip(axes[[0, 1, 3, 4]], PROBLEMS, strict=True):
        drawn.append(draw_objective(axis, tables[f"{problem}_curves"], problem))
        activation, t, n = setting(tables[problem])
        style.corner(axis, f"{activation}\n$k = t = {t}$\n$n = {n}$", "lower left")
    for axis in axes[[0, 3]]:
        axis.set_ylabel("objective $f_D(W)$")
    drawn += draw_recovered(axes[2], findings, tables)
    drawn.append(draw_settings(axes[5], findings))
    style.legend_below(fig)
    return fig, drawn


def setting(table):
    """Activation, number of kernels and samples of a problem, as the figure writes them."""
    first = table.iloc[0]
    return name(first.activation), first.kernels, f"{first.samples / 1000:g}\\,000"


def chance(finding):
    """A p-value for a figure, the small ones as powers."""
    if finding.value >= 0.001:
        return f"$p = {finding.value:.2g}$"
    factor, power = f"{finding.value:.0e}".split("e")
    return f"$p = {factor} \\cdot 10^{{{int(power)}}}$"


def most_allowed(wins, runs, level):
    """Most successes of random starts, in as many runs, beside which the test speaks for tensor."""
    for others in range(wins, -1, -1):
        counts = [[wins, runs - wins], [others, runs - others]]
        if stats.fisher_exact(counts, alternative="greater").pvalue <= level:
            return others
    return -1


def draw_objective(axis, table, problem):
    """Objective against iterations: the median over trials, and some of them thin."""
    table = table.assign(iteration=table.iteration + 1)
    drawn = []
    for start, label in STARTS.items():
        rows = table[table.start == start]
        wide = rows.pivot(index="iteration", columns="seed", values="loss").clip(lower=1e-14)
        shown = style.measured(LOOKS[start], label=label, markevery=max(1, len(wide) // 6))
        order = wide.iloc[-1].sort_values(kind="stable").index
        few = wide.iloc[::2][order[np.linspace(0, len(order) - 1, RUNS).astype(int)]]
        axis.plot(few, color=shown["color"], linewidth=0.4, alpha=0.5, zorder=1.5)
        axis.plot(wide.index, wide.median(axis=1), **shown)
        drawn.append(
            wide.quantile([0.1, 0.5, 0.9], axis=1)
            .T.set_axis(["low", "median", "high"], axis=1)
            .reset_index()
            .assign(curve=label, problem=problem)
        )
    axis.set(xscale="log", yscale="log", ylim=(1e-12, 1e2), xlabel="iterations + 1")
    return pd.concat(drawn)


def draw_recovered(axis, findings, tables):
    """Shares recovered by start, with Wilson intervals, and the most that random ones may reach."""
    drawn, claims = [], findings["claims"]
    judged = {claims[key].given["table"]: key for key in ("Z11", "Z11x")}
    for i, (start, label) in enumerate(STARTS.items()):
        for place, problem in enumerate(PROBLEMS):
            row = findings["shares"][problem].loc[start]
            shown = style.measured(LOOKS[start], label=label if place == 0 else None)
            if judged.get(problem) == "Z11x":
                text = "an easy problem" if start == "random" else None
                shown = style.control(text, LOOKS[start])
            at = place + 0.25 * (i - 1)
            ends = np.clip([[row.share - row.low], [row.high - row.share]], 0, None)
            axis.errorbar(at, row.share, ends, elinewidth=0.9, **shown | {"linestyle": ""})
            drawn.append(row.to_frame().T.assign(curve=label, problem=problem))
    for place, problem in enumerate(PROBLEMS):
        if problem in judged:
            finding, claim = findings[judged[problem]], claims[judged[problem]]
            won = findings["shares"][problem].loc["tensor"]
            most = most_allowed(int(won["sum"]), int(won["size"]), claim.at_most) / won["size"]
            style.criterion(axis, at_most=most, label="", span=(place - 0.12, place + 0.12))
            colour = style.VERMILLION if claim.kind == "control" else style.INK
            where = {"ha": "center", "va": "bottom", "fontsize": style.SMALL}
            axis.text(place, 1.04, chance(finding), color=colour, **where)
    name_criterion(axis)
    axis.set(ylim=(0, 1.15), yticks=np.arange(0, 1.1, 0.25), ylabel="share recovered")
    firsts = [tables[problem].iloc[0] for problem in PROBLEMS]
    words = [f"{name(row.activation)}\n{row.kernels}\n{row.samples / 1000:g}" for row in firsts]
    axis.set_xlabel("kernels, thousands of samples")
    axis.set_xticks(range(len(PROBLEMS)), words)
    axis.set(xlim=(-0.8, len(PROBLEMS) - 0.45))
    axis.grid(axis="x", visible=False)
    return drawn


def draw_settings(axis, findings):
    """Shares of the tensor starts against those of random ones, a point a setting."""
    searched, claim = findings["searched"], findings["claims"]["Z11b"]
    keys = ["activation", "patch_size", "kernels", "kappa", "samples"]
    wide = searched.pivot(index=keys, columns="start", values="share").reset_index()
    for activation in present(wide):
        rows = wide[wide.activation == activation]
        shown = look(activation) | {"linestyle": "", "alpha": 0.8, "markersize": 4.5}
        axis.plot(rows.random, rows.tensor, **shown)
    axis.plot([0, 1], [0, 1], color=style.QUIET, linewidth=0.8, label="as often from both")
    runs = int(searched["size"].max())
    wins = np.arange(runs + 1)
    most = np.array([most_allowed(won, runs, claim.at_most / len(wide)) for won in wins])
    reached = most >= 0
    axis.fill_betweenx(
        wins[reached] / runs, -0.05, most[reached] / runs, color="0.9", linewidth=0, zorder=0.5
    )
    name_criterion(axis)
    style.corner(axis, f"{len(wide)} settings, least {chance(findings['Z11b'])}", "lower right")
    axis.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), xlabel="share recovered, random starts")
    axis.set_ylabel("share recovered, tensor starts")
    return wide.assign(curve="searched")


if __name__ == "__main__":
    study.main(judge, draw)
