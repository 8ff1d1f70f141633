"""Samples that recover the teacher, by dimension and by method."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap, wilson
from workflow.studies import study, style
from workflow.studies.together.widths import share
from workflow.studies.verdicts import Measured, exactly
from workflow.studies.zhong2017.exponents import exponent
from workflow.studies.zhong2017.names import slopes_allowed

METHODS = {"tensor": "tensor start", "random": "random start", "convex": "convex program"}


def difference(claim, table, rng):
    """Share of one method less that of another on the same data sets, mean over the cells."""
    rows = claim.rows(table)
    rows = rows.assign(success=claim.succeeded(rows).astype(float))
    wide = rows.pivot(index="seed", columns=["method", "patch_size", "samples"], values="success")
    if wide.empty:
        return exactly(np.nan)
    values = (wide[claim.given["method"]] - wide[claim.given["beside"]]).to_numpy()
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
        elif "beside" in claim.given:
            findings[name] = difference(claim, table, rng)
        else:
            findings[name] = share(claim.succeeded(claim.rows(table)))
    first = next(iter(claims.values()))
    table = table.assign(success=first.succeeded(table), ratio=table.samples / table.patch_size)
    cells = table.groupby(["method", "patch_size", "ratio"]).success.agg(["sum", "size", "mean"])
    return findings | {"cells": cells.reset_index(), "claims": claims}


def draw(findings, tables):
    fig = style.plt.figure(figsize=(style.DOUBLE, 5.4), layout="constrained")
    axes = fig.subplot_mosaic([["a", "a", "b", "b", "c", "c"], ["d", "d", "d", "e", "e", "e"]])
    style.title(axes["a"], "a", f"tensor start: half at {an_entry(findings, 'T30-tensor')}")
    style.title(axes["b"], "b", f"random start: half at {an_entry(findings, 'T30-random')}")
    style.title(axes["c"], "c", "convex program: none is lost in the end")
    style.title(axes["d"], "d", "in proportion to the length of a patch")
    style.title(axes["e"], "e", "in the end the convex program is surest")
    cells = findings["cells"]
    for letter, method in zip("abc", METHODS, strict=True):
        shown = draw_map(axes[letter], cells, method)
    bar = fig.colorbar(shown, ax=[axes[letter] for letter in "abc"], shrink=0.8, pad=0.01)
    bar.set_label("share recovered")
    drawn = draw_needed(axes["d"], findings)
    return fig, [cells, *drawn, draw_shares(axes["e"], findings)]


def an_entry(findings, name):
    """Samples an entry at which half are recovered, over the lengths of a patch, in words."""
    needed = findings["needed"][name]
    ratios = np.array(needed["n_50"]) / needed["value"]
    return f"{np.nanmin(ratios):.1f} to {np.nanmax(ratios):.1f} samples an entry"


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


def draw_shares(axis, findings):
    """Shares over all dimensions, with what is judged of them."""
    cells = findings["cells"]
    pooled = (
        cells[cells.method != "span"]
        .groupby(["method", "ratio"])[["sum", "size"]]
        .sum()
        .reset_index()
    )
    low, high = np.transpose([wilson(*cell) for cell in pooled[["sum", "size"]].to_numpy()])
    pooled = pooled.assign(share=pooled["sum"] / pooled["size"], low=low, high=high)
    looks = {
        "tensor": style.measured(0, label="tensor start"),
        "random": style.measured(1, label="random start"),
        "convex": style.measured(2, label="convex program"),
        "local": style.control("near the teacher"),
    }
    for i, (method, look) in enumerate(looks.items()):
        rows = pooled[pooled.method == method]
        ends = np.clip((rows.share - rows.low, rows.high - rows.share), 0, None)
        x = rows.ratio * 1.02 ** (i - 1.5)
        axis.errorbar(x, rows.share, ends, elinewidth=0.8, capsize=1.5, **look)
    last = pooled.ratio.max()
    style.criterion(axis, findings["claims"]["T31"].at_least, label="", span=(last / 1.12, None))
    for name, text, y, colour in (
        ("T32x", "control: gain {}", 0.16, style.VERMILLION),
        ("T32", "tensor: gain {}", 0.06, style.MEASURED[0]),
    ):
        style.judged(axis, findings[name], text, (0.98, y), color=colour)
    axis.set(xscale="log", ylabel="share recovered")
    axis.set_xlabel("samples an entry $n / p$ (grey: criterion)")
    axis.set(ylim=(-0.05, 1.05), xlim=(pooled.ratio.min() / 1.1, last * 1.15))
    style.ticks(axis, pooled.ratio)
    style.legend_below(axis, ncols=2)
    return pooled


if __name__ == "__main__":
    study.main(judge, draw)
