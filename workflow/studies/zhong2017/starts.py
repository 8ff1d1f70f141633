"""Claim Z11: objective against iterations for the three starts, and how many of them arrive."""

import numpy as np
import pandas as pd
from scipy import stats

from cnntheory.stats import wilson
from workflow.studies import study, style
from workflow.studies.verdicts import exactly
from workflow.studies.zhong2017.names import name as activation_name

STARTS = {"tensor": "tensor", "random": "random", "local": "10 % off"}
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
    findings = {"shares": found, "recovered": criterion.given["recovered"]}
    for key in ("Z11", "Z11x"):
        table = tables[claims[key].given["table"]]
        counts = recoveries(table, claims[key].succeeded(table))
        findings[key] = more_often(counts, table.seed.nunique())
    findings["Z11b"], findings["searched"] = somewhere(claims["Z11b"], tables["starts"])
    return findings


def draw(findings, tables):
    fig, axes = style.plt.subplots(2, 3, figsize=(style.DOUBLE, 4.8), layout="constrained")
    objectives = [axes[0, 0], axes[0, 1], axes[1, 0], axes[1, 1]]
    drawn = []
    for axis, problem in zip(objectives, PROBLEMS, strict=True):
        drawn += draw_objective(axis, tables[f"{problem}_curves"], problem)
        activation, t, n = setting(tables[problem])
        axis.set_title(f"{activation}, $k = t = {t}$, $n = {n}$", loc="right", fontsize=7)
    objectives[0].set_ylabel("objective $f_D(W)$")
    objectives[2].set_ylabel("objective $f_D(W)$")
    seeds = tables[PROBLEMS[-1]].seed.nunique()
    objectives[0].legend(loc="lower left", title=f"median of {seeds} trials")
    drawn += draw_bars(axes[0, 2], findings, tables, seeds)
    draw_luck(axes[1, 2], tables, findings["recovered"])
    for letter, axis in zip("abcdef", axes.ravel(), strict=True):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
    return fig, drawn


def setting(table):
    """Activation, number of kernels and samples of a problem, as the figure writes them."""
    first = table.iloc[0]
    return activation_name(first.activation), first.kernels, f"{first.samples / 1000:g}\\,000"


def draw_objective(axis, table, problem):
    table = table.assign(iteration=table.iteration + 1)
    drawn = []
    for i, (start, label) in enumerate(STARTS.items()):
        rows = table[table.start == start]
        wide = rows.pivot(index="iteration", columns="seed", values="loss").clip(lower=1e-14)
        axis.plot(wide, color=style.COLOURS[i], linewidth=0.35, alpha=0.35, rasterized=True)
        axis.plot(wide.median(axis=1), label=label, **style.look(i))
        drawn.append(
            wide.quantile([0.1, 0.5, 0.9], axis=1)
            .T.set_axis(["low", "median", "high"], axis=1)
            .reset_index()
            .assign(curve=label, problem=problem)
        )
    axis.set(xscale="log", yscale="log", ylim=(1e-12, None), xlabel="iterations + 1")
    return drawn


def draw_bars(axis, findings, tables, seeds):
    drawn = []
    for i, (start, label) in enumerate(STARTS.items()):
        rows = pd.DataFrame([findings["shares"][problem].loc[start] for problem in PROBLEMS])
        at = np.arange(len(PROBLEMS)) + 0.27 * (i - 1)
        axis.bar(
            at,
            rows.share,
            width=0.25,
            color=style.COLOURS[i],
            edgecolor="0.15",
            linewidth=0.5,
            hatch=("", "////", "....")[i],
            label=label,
        )
        reach = (rows.share - rows.low, rows.high - rows.share)
        axis.errorbar(at, rows.share, reach, linestyle="", color="0.1", elinewidth=0.9)
        shares = {"share": rows.share, "low": rows.low, "high": rows.high}
        drawn.append(pd.DataFrame({"curve": label, "problem": PROBLEMS} | shares))
    axis.set(
        xticks=range(len(PROBLEMS)),
        ylim=(0, 1.35),
        yticks=np.arange(0, 1.1, 0.25),
        ylabel=f"share with error $\\leq$ {findings['recovered']:g}",
        title=f"{seeds} trials a bar",
        xlabel="activation, $t$, samples $n$",
    )
    labels = [setting(tables[problem]) for problem in PROBLEMS]
    axis.set_xticklabels([f"{phi}\n$t = {t}$\n${n}$" for phi, t, n in labels], fontsize=6)
    axis.set_axisbelow(True)
    axis.grid(axis="x", visible=False)
    axis.legend(loc="upper center", ncols=3, handlelength=1.2, columnspacing=0.8)
    return drawn


def draw_luck(axis, tables, recovered):
    """Error after descent against the error of the start, a point a trial."""
    for i, (start, label) in enumerate(STARTS.items()):
        for problem in PROBLEMS:
            rows = tables[problem][tables[problem].start == start]
            axis.plot(
                rows.start_error,
                rows.max_error.clip(lower=1e-8),
                linestyle="",
                marker=style.MARKERS[i],
                markersize=2.6,
                markerfacecolor="none",
                markeredgewidth=0.6,
                color=style.COLOURS[i],
                label=label if problem == PROBLEMS[0] else None,
            )
    axis.axhline(recovered, **style.THEORY)
    axis.set(
        xscale="log",
        yscale="log",
        xlabel="error of the start",
        ylabel="error after descent",
        title="all four problems",
    )
    axis.legend(loc="center left", handlelength=1)


if __name__ == "__main__":
    study.main(judge, draw)
