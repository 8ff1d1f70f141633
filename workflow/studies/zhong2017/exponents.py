"""Claim Z12: how the samples needed grow with k, t, kappa and r."""

import numpy as np

from cnntheory.stats import bootstrap, log_log_slope, wilson
from workflow.studies import study, style
from workflow.studies.verdicts import Measured
from workflow.studies.zhong2017.names import name
from workflow.studies.zhong2017.recovery import crossing

PARAMETERS = {
    "k": ("patch_size", "dimension of a patch $k$"),
    "t": ("kernels", "kernels $t$"),
    "kappa": ("kappa", r"condition number $\kappa$"),
    "r": ("patches", "patches $r$"),
}


def half(samples, shares, level):
    """n at which the share reaches the level; NaN where the grid does not reach across it."""
    if not shares[0] < level <= shares.max():
        return np.nan
    return crossing(samples, shares, level)


def exponent(rows, parameter, level, rng):
    """Log-log slope of n_50 against a parameter, and n_50 at each of its values."""
    wide = rows.pivot(index="seed", columns=[parameter, "samples"], values="success")
    grids = {
        value: cells.columns.get_level_values("samples").to_numpy()
        for value, cells in wide.T.groupby(level=parameter)
        for cells in [cells.T]
    }
    edges = np.cumsum([len(grid) for grid in grids.values()])[:-1]

    def needed(values, axis):
        shares = np.split(values.mean(axis=axis), edges)
        return np.array([half(*pair, level) for pair in zip(grids.values(), shares, strict=True)])

    def slope(values, axis):
        return float(log_log_slope(list(grids), needed(values, axis)))

    values = wide.to_numpy(dtype=float)
    low, high = bootstrap(values, rng, needed)
    found = Measured(slope(values, 0), *bootstrap(values, rng, slope), len(values))
    middle = needed(values, 0)
    told = ", ".join(f"{n:.3g} at {value:g}" for value, n in zip(grids, middle, strict=True))
    return found._replace(note=f"n_50: {told}."), {
        "value": list(grids),
        "n_50": middle,
        "low": low,
        "high": high,
    }


def judge(tables, claims, rng):
    findings = {"needed": {}}
    for key, claim in claims.items():
        rows = claim.rows(tables["exponents"])
        rows = rows.assign(success=claim.succeeded(rows))
        parameter = PARAMETERS[claim.given["against"]][0]
        findings[key], findings["needed"][key] = exponent(
            rows, parameter, claim.given["share"], rng
        )
    table = tables["exponents"]
    first = next(iter(claims.values()))
    findings["shares"] = (
        table.assign(success=first.succeeded(table), unknowns=table.patch_size * table.kernels)
        .groupby(["start", "activation", "patch_size", "kernels", "patches", "kappa", "samples"])
        .agg(successes=("success", "sum"), runs=("success", "size"), unknowns=("unknowns", "first"))
        .reset_index()
    )
    return findings


def kinds(findings):
    """The pairs of start and activation, in the order of the claims."""
    shares = findings["shares"]
    return list(dict.fromkeys(zip(shares.start, shares.activation, strict=True)))


def label(start, activation):
    return f"{name(activation)}, {start} start"


def draw(findings, tables):
    fig, axes = style.plt.subplots(2, 3, figsize=(style.DOUBLE, 4.6), layout="constrained")
    axes = axes.ravel()
    drawn = []
    all_kinds = kinds(findings)
    for axis, (against, (_, text)) in zip(axes, PARAMETERS.items(), strict=False):
        drawn += draw_needed(axis, findings, against, all_kinds)
        axis.set_xlabel(text)
    for axis, kind in zip(axes[4:], all_kinds, strict=True):
        drawn.append(draw_collapse(axis, findings["shares"], kind))
        axis.set_title(label(*kind), loc="right")
    for letter, axis in zip("abcdef", axes, strict=True):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")
    return fig, drawn


def draw_needed(axis, findings, against, all_kinds):
    """n_50 against one parameter, with the judged slopes and the number of unknowns k t."""
    drawn = []
    for i, (start, activation) in enumerate(all_kinds):
        key = f"Z12-{against}" + ("" if start == "tensor" else f"-{start}")
        needed = findings["needed"][key]
        middle = np.array(needed["n_50"])
        axis.errorbar(
            needed["value"],
            middle,
            (middle - needed["low"], needed["high"] - middle),
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            label=f"{start} start: {findings[key].text()}",
        )
        drawn.append(
            style.pd.DataFrame(needed).assign(curve=label(start, activation), against=against)
        )
    shares = findings["shares"]
    column = PARAMETERS[against][0]
    values = drawn[0]["value"].to_numpy()
    base = {c: shares[c].mode()[0] for c, _ in PARAMETERS.values()} | {column: values}
    unknowns = np.broadcast_to(base["patch_size"] * base["kernels"], values.shape)
    axis.plot(values, unknowns, label="unknowns $k\\,t$", **style.THEORY)
    axis.set(xscale="log", yscale="log", ylabel="$n_{50}$, samples for half of the trials")
    axis.set_xticks(values, [f"{value:g}" for value in values])
    axis.minorticks_off()
    axis.legend(title="slope of $n_{50}$", loc="best")
    return drawn


def draw_collapse(axis, shares, kind):
    """Share recovered against samples per unknown, a thin curve a cell."""
    rows = shares[(shares.start == kind[0]) & (shares.activation == kind[1])]
    rows = rows.assign(per_unknown=rows.samples / rows.unknowns, share=rows.successes / rows.runs)
    for _, cell in rows.groupby(["patch_size", "kernels", "patches", "kappa"]):
        axis.plot(cell.per_unknown, cell.share, color="0.6", linewidth=0.7, marker=".")
    pooled = rows.groupby(rows.per_unknown.round(1))[["successes", "runs"]].sum()
    low, high = np.array([wilson(*cell) for cell in pooled.to_numpy()]).T
    share = pooled.successes / pooled.runs
    axis.errorbar(
        pooled.index,
        share,
        (share - low, high - share),
        marker="o",
        linestyle="",
        color=style.COLOURS[0],
        label="all cells",
    )
    axis.axvline(1, label="as many as unknowns", **style.THEORY)
    axis.set(xscale="log", xlabel="samples per unknown, $n / (k\\,t)$", ylabel="share recovered")
    ticks = [1, 2, 4]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()
    axis.legend(loc="lower right")
    return rows[[*rows.columns.drop("unknowns")]].assign(curve="share")


if __name__ == "__main__":
    study.main(judge, draw)
