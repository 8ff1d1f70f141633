"""Claim Z12: how the samples needed grow with k, t, kappa and r."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, log_log_slope, wilson
from workflow.studies import study, style
from workflow.studies.verdicts import Measured
from workflow.studies.zhong2017.names import look, name, slopes_allowed
from workflow.studies.zhong2017.recovery import crossing

PARAMETERS = {
    "k": ("patch_size", "dimension of a patch $k$"),
    "t": ("kernels", "kernels $t$"),
    "kappa": ("kappa", r"condition number $\kappa$"),
    "r": ("patches", "patches $r$"),
}


def half(samples, shares, level):
    """n at which the share reaches the level; NaN where the grid does not reach across it."""
    across = (shares[..., 0] < level) & (level <= shares.max(axis=-1))
    return np.where(across, crossing(samples, shares, level), np.nan)


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
        shares = np.split(values.mean(axis=axis), edges, axis=-1)
        pairs = zip(grids.values(), shares, strict=True)
        return np.stack([half(*pair, level) for pair in pairs], axis=-1)

    def slope(values, axis):
        return log_log_slope(list(grids), needed(values, axis))

    values = wide.to_numpy(dtype=float)
    low, high = bootstrap(values, rng, needed, together=True)
    interval = bootstrap(values, rng, slope, together=True)
    found = Measured(float(slope(values, 0)), *interval, len(values))
    middle = needed(values, 0)
    told = ", ".join(f"{n:.3g} at {value:g}" for value, n in zip(grids, middle, strict=True))
    return found._replace(note=f"n_50: {told}."), {
        "value": list(grids),
        "n_50": middle,
        "low": low,
        "high": high,
    }


def judge(tables, claims, rng):
    findings = {"needed": {}, "claims": claims}
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


STARTS = {"tensor": "tensor start", "local": "start 10 % off"}
SHORT = {"tensor": "tensor", "local": "10 % off"}
HEIGHT = {"tensor": 0.93, "local": 0.07}  # of what is printed


def kind_look(start, activation, **more):
    return look(activation) | {"label": f"{name(activation)}, {STARTS[start]}"} | more


def draw(findings, tables):
    fig, axes = style.panels(3, rows=2, height=5.2)
    drawn, all_kinds = [], kinds(findings)
    titles = (
        "samples in proportion to the dimension of a patch",
        "and to the number of kernels",
        "the condition number costs no samples",
        "nor do more patches, which the theorem allows",
    )
    for letter, axis, against, text in zip("abcd", axes, PARAMETERS, titles, strict=False):
        style.title(axis, letter, text)
        drawn += draw_needed(axis, findings, against, all_kinds)
    collapsed = {
        "tensor": "the tensor start takes a few samples for each unknown",
        "local": "near the truth as many samples as unknowns suffice",
    }
    for letter, axis, kind in zip("ef", axes[4:], all_kinds, strict=True):
        style.title(axis, letter, collapsed[kind[0]])
        drawn.append(draw_collapse(axis, findings["shares"], kind))
    style.legend_below(fig)
    return fig, drawn


def draw_needed(axis, findings, against, all_kinds):
    """n_50 against one parameter, with the judged slopes and the number of unknowns k t."""
    drawn, column = [], PARAMETERS[against][0]
    shares = findings["shares"]
    for start, activation in all_kinds:
        key = f"Z12-{against}" + ("" if start == "tensor" else f"-{start}")
        needed = findings["needed"][key]
        middle = np.array(needed["n_50"])
        ends = np.clip((middle - needed["low"], needed["high"] - middle), 0, None)
        shown = kind_look(start, activation)
        axis.errorbar(needed["value"], middle, ends, elinewidth=0.8, capsize=1.5, **shown)
        drawn.append(pd.DataFrame(needed).assign(curve=shown["label"], against=against))
        style.judged(axis, findings[key], f"{SHORT[start]}: slope {{}}", (0.03, HEIGHT[start]))
    values = drawn[0]["value"].to_numpy()
    base = {c: shares[c].mode()[0] for c, _ in PARAMETERS.values()} | {column: values}
    unknowns = np.broadcast_to(base["patch_size"] * base["kernels"], values.shape)
    axis.plot(values, unknowns, label=r"theory: as many as unknowns, $k\,t$", **style.THEORY)
    axis.set(xscale="log", yscale="log", xlabel=PARAMETERS[against][1])
    every = np.concatenate([found["n_50"] for found in findings["needed"].values()])
    axis.set_ylim(np.nanmin(every) / 2, 3 * np.nanmax(every))
    axis.set_ylabel("$n_{50}$, samples for half of the trials")
    for (start, _), rows in zip(all_kinds, drawn, strict=True):
        key = f"Z12-{against}" + ("" if start == "tensor" else f"-{start}")
        slopes_allowed(axis, rows.value, rows.n_50, findings["claims"][key])
    style.ticks(axis, values)
    style.plain_ticks(axis, "y")
    return drawn


def draw_collapse(axis, shares, kind):
    """Share recovered against samples per unknown, a thin curve a cell."""
    rows = shares[(shares.start == kind[0]) & (shares.activation == kind[1])]
    rows = rows.assign(per_unknown=rows.samples / rows.unknowns, share=rows.successes / rows.runs)
    for _, cell in rows.groupby(["patch_size", "kernels", "patches", "kappa"]):
        axis.plot(cell.per_unknown, cell.share, color="0.7", linewidth=0.6, zorder=1.5)
    pooled = rows.groupby(rows.per_unknown.round(1))[["successes", "runs"]].sum()
    low, high = np.array([wilson(*cell) for cell in pooled.to_numpy()]).T
    share = pooled.successes / pooled.runs
    ends = np.clip((share - low, high - share), 0, None)
    shown = kind_look(*kind, linestyle="", elinewidth=0.8, capsize=1.5)
    axis.errorbar(pooled.index, share, ends, **shown)
    axis.axvline(1, **style.THEORY)
    axis.set(xscale="log", xlabel=r"samples for each unknown, $n / (k\,t)$", ylim=(-0.05, 1.05))
    axis.set_ylabel("share recovered")
    style.ticks(axis, [0.7, 1, 2, 4])
    style.corner(axis, "grey: each setting", "lower right")
    return rows[[*rows.columns.drop("unknowns")]].assign(curve="share")


if __name__ == "__main__":
    study.main(judge, draw)
