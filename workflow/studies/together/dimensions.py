"""Samples that recover the teacher, by dimension and by method."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.verdicts import Measured
from workflow.studies.zhong2017.exponents import exponent
from workflow.studies.zhong2017.names import slopes_allowed

METHODS = {"tensor": "tensor start", "random": "random start", "convex": "convex program"}
DIFFERENCES = {
    "T31-2": "convex program,\n$p = 2$",
    "T31-3": "convex program,\n$p = 3$",
    "T31x": "the same beside\na local start",
    "T32": "tensor start,\nall $p$",
    "T32x": "local start,\nall $p$",
}


def difference(claim, table, rng):
    """Share of one method less that of another on the same data sets, mean over the cells."""
    rows = claim.rows(table)
    rows = rows.assign(success=claim.succeeded(rows).astype(float))
    wide = rows.pivot(index="seed", columns=["method", "patch_size", "samples"], values="success")
    lost = (wide[claim.given["method"]] - wide[claim.given["beside"]]).dropna(
        axis="columns", how="all"
    )
    values = lost.dropna().to_numpy()
    return Measured(values.mean(), *bootstrap(values, rng, grand_mean), len(values))


def grand_mean(values, axis):
    """Over the data sets and the cells."""
    return values.mean(axis=axis).mean()


def judge(tables, claims, rng):
    table = tables["dimensions"]
    findings = {"needed": {}}
    for name, claim in claims.items():
        if "share" in claim.given:
            rows = claim.rows(table)
            rows = rows.assign(success=claim.succeeded(rows))
            findings[name], findings["needed"][name] = exponent(
                rows, "patch_size", claim.given["share"], rng
            )
        else:
            findings[name] = difference(claim, table, rng)
    first = next(iter(claims.values()))
    table = table.assign(success=first.succeeded(table), ratio=table.samples / table.patch_size)
    cells = table.groupby(["method", "patch_size", "ratio"]).success.agg(["mean", "size"])
    return findings | {"cells": cells.reset_index(), "claims": claims}


def draw(findings, tables):
    fig = style.plt.figure(figsize=(style.DOUBLE, 4.6), layout="constrained")
    axes = fig.subplot_mosaic([["a", "a", "b", "b", "c", "c"], ["d", "d", "d", "e", "e", "e"]])
    style.title(axes["a"], "a", "tensor start: five samples an entry")
    style.title(axes["b"], "b", "random start: the same")
    style.title(axes["c"], "c", "convex program: three")
    style.title(axes["d"], "d", "in proportion to the length of a patch")
    style.title(axes["e"], "e", "the convex program does with fewer")
    cells = findings["cells"]
    for letter, method in zip("abc", METHODS, strict=True):
        shown = draw_map(axes[letter], cells, method)
    bar = fig.colorbar(shown, ax=[axes[letter] for letter in "abc"], shrink=0.8, pad=0.01)
    bar.set_label("share recovered")
    drawn = draw_needed(axes["d"], findings)
    return fig, [cells, *drawn, draw_differences(axes["e"], findings)]


def draw_map(axis, cells, method):
    """Shares in per cent, by samples an entry and length of a patch."""
    every = cells[cells.method != "span"]
    share = cells[cells.method == method].pivot(index="ratio", columns="patch_size", values="mean")
    share = share.reindex(index=sorted(set(every.ratio)), columns=sorted(set(every.patch_size)))
    shown = axis.imshow(share, cmap="cividis", vmin=0, vmax=1, origin="lower", aspect="auto")
    for (row, column), value in np.ndenumerate(share.to_numpy()):
        look = {"color": "1" if value < 0.55 else "0", "fontsize": style.SMALL}
        text = "" if np.isnan(value) else f"{100 * value:.0f}"
        axis.text(column, row, text, ha="center", va="center", **look)
    if missing := int(share.isna().all().sum()):
        x = share.shape[1] - missing / 2 - 0.5
        axis.text(
            x,
            (len(share) - 1) / 2,
            "too many cells",
            ha="center",
            va="center",
            fontsize=style.SMALL,
            color=style.QUIET,
        )
    axis.set(xlabel="length of a patch $p$", ylabel="samples an entry $n / p$")
    axis.set_xticks(range(share.shape[1]), share.columns)
    axis.set_yticks(range(share.shape[0]), [f"{ratio:g}" for ratio in share.index])
    axis.grid(False)
    return shown


def draw_needed(axis, findings):
    """n_50 against p, with the judged slopes and the order of the theorem."""
    looks = {
        "T30-tensor": style.measured(0, label="tensor start"),
        "T30-random": style.measured(1, label="random start"),
        "T30x": style.control("span known"),
    }
    drawn = []
    for (name, look), height in zip(looks.items(), (0.94, 0.86, 0.06), strict=True):
        needed = findings["needed"][name]
        middle = np.array(needed["n_50"])
        ends = np.clip((middle - needed["low"], needed["high"] - middle), 0, None)
        axis.errorbar(needed["value"], middle, ends, elinewidth=0.8, capsize=1.5, **look)
        drawn.append(pd.DataFrame(needed).assign(curve=look["label"]))
        side = 0.03 if height > 0.5 else 0.97
        style.judged(
            axis,
            findings[name],
            f"{look['label']}: slope {{}}",
            (side, height),
            color=look["color"],
        )
    values = np.array(drawn[0].value)
    axis.plot(values, 2 * values, label="theory: unknowns, $2p$", **style.THEORY)
    axis.set(xscale="log", yscale="log", xlabel="length of a patch $p$")
    axis.set_ylabel("$n_{50}$, samples for half")
    every = pd.concat(drawn)
    axis.set_ylim(np.nanmin(every.low) / 2, 3 * np.nanmax(every.high))
    slopes_allowed(axis, drawn[1].value, drawn[1].n_50, findings["claims"]["T30-random"])
    style.ticks(axis, values)
    style.plain_ticks(axis, "y")
    style.legend_below(axis, ncols=2)
    return drawn


def draw_differences(axis, findings):
    """Judged differences of shares beside their criteria."""
    rows = []
    for y, (name, text) in enumerate(DIFFERENCES.items()):
        found, claim = findings[name], findings["claims"][name]
        low, high = claim.at_least, 1 if claim.at_most is None else claim.at_most
        axis.barh(y, high - low, left=low, height=0.8, color="0.9", zorder=0.5)
        look = style.control() if claim.kind == "control" else style.measured(0)
        ends = [[found.value - found.low], [found.high - found.value]]
        axis.errorbar(found.value, y, xerr=ends, elinewidth=0.8, capsize=1.5, **look)
        rows.append({"quantity": text, "value": found.value, "low": found.low, "high": found.high})
    axis.axvline(0, color="0.7", linewidth=0.7, zorder=0.6)
    axis.set_yticks(range(len(rows)), DIFFERENCES.values(), fontsize=style.SMALL)
    axis.invert_yaxis()
    axis.set(xlim=(-1, 1), xlabel="share recovered, less that of the other start")
    axis.grid(axis="y", visible=False)
    style.corner(axis, "grey: criterion", "upper left")
    return pd.DataFrame(rows)


if __name__ == "__main__":
    study.main(judge, draw)
