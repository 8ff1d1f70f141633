"""Claim Z9d: samples that the published tensor initialisation needs, over those of ours."""

import numpy as np
import pandas as pd

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.verdicts import Measured
from workflow.studies.zhong2017.names import name, name_criterion
from workflow.studies.zhong2017.recovery import crossing

METHODS = {
    "kcl": "ours",
    "published": "published, all patches",
    "first patch": "published, first patch",
    "jennrich": "ours, another decomposition",
}
SAID = {
    True: "the published recipe needs many times the samples",
    False: "it does not get there with the samples that we have",
}


def ratio(claim, table, rng):
    """n of the peer over n of ours, at which the share of successes is the claim's, and both."""
    rows = claim.rows(table)
    rows = rows.assign(success=claim.succeeded(rows))
    methods = [claim.given["ours"], claim.given["peer"]]
    wide = rows.pivot(index="seed", columns=["method", "samples"], values="success")
    values = np.stack([wide[method].to_numpy(dtype=float) for method in methods], axis=1)
    samples = wide[methods[0]].columns.to_numpy()

    def needed(values, axis):
        return crossing(samples, values.mean(axis=axis), claim.given["share"])

    def statistic(values, axis):
        ours, peer = np.moveaxis(needed(values, axis), -1, 0)
        return peer / ours

    told, found = [], needed(values, 0)
    for method, n, shares in zip(methods, found, values.mean(axis=0), strict=True):
        sign = "<= " if shares[0] >= claim.given["share"] else ""
        sign = sign if shares.max() >= claim.given["share"] else ">= "
        told.append(f"{METHODS[method]} {sign}{n:,.0f}")
    measured = Measured(
        float(statistic(values, 0)),
        *bootstrap(values, rng, statistic, together=True),
        len(values),
        note=f"Samples for half of the trials: {'; '.join(told)}.",
    )
    return measured, found


def judge(tables, claims, rng):
    table = tables["tensor_published"]
    ratios = {key: ratio(claim, table, rng) for key, claim in claims.items()}
    findings = {key: measured for key, (measured, _) in ratios.items()}
    findings["needed"] = {key: needed for key, (_, needed) in ratios.items()}
    findings["at_least"] = {key: claim.at_least for key, claim in claims.items()}
    findings["key"] = {
        claim.rows(table).activation.iloc[0]: key
        for key, claim in claims.items()
        if claim.kind == "claim"
    }
    findings["error"] = next(iter(claims.values())).given["error"]
    return findings


def draw(findings, tables):
    table = tables["tensor_published"]
    fig, axes = style.panels(2, rows=2, height=5.2, sharex=True, sharey=True)
    drawn = []
    for letter, axis, (activation, key) in zip("abcd", axes, findings["key"].items(), strict=True):
        rows = table[table.activation == activation]
        style.title(axis, letter, f"{name(activation)}: {SAID['>=' not in findings[key].note]}")
        drawn.append(draw_errors(axis, rows).assign(activation=activation))
        draw_needed(axis, findings, key)
    for axis in axes[2:]:
        axis.set_xlabel("samples $n$")
    for axis in axes[::2]:
        axis.set_ylabel(r"$\|W - W^*\|_F \,/\, \|W^*\|_F$")
    red = {"color": style.VERMILLION, "digits": 1}
    text = "control: {} times the samples"
    style.judged(axes[0], findings["Z9dx"], text, (0.03, 0.14), **red)
    style.corner(axes[0], f"{table.seed.nunique()} trials", "upper right")
    style.legend_below(fig)
    return fig, drawn


def draw_errors(axis, rows):
    """Median error with its band, a method a curve; another decomposition is the control."""
    drawn = []
    for i, (method, label) in enumerate(METHODS.items()):
        chosen = rows[rows.method == method]
        if len(chosen):
            shown = style.measured(i, label=label)
            shown = style.control(label, i) if method == "jennrich" else shown
            drawn.append(style.curve(axis, chosen, "samples", "distance", shown, None))
    axis.set(xscale="log", yscale="log", ylim=(0.005, 8))
    return pd.concat(drawn)


def draw_needed(axis, findings, key):
    """From our sample size to the published one at the error asked for, and the least factor."""
    (ours, peer), error = findings["needed"][key], findings["error"]
    beyond = {mark for mark in (">=", "<=") if mark in findings[key].note}
    arrow = {
        "arrowstyle": "->" if beyond else "<->",
        "color": style.INK,
        "shrinkA": 0,
        "shrinkB": 0,
    }
    axis.annotate("", (peer, error), (ours, error), arrowprops=arrow, zorder=6)
    least = findings["at_least"][key]
    style.criterion(axis, least * ours, label="", along="x", span=(None, error))
    name_criterion(axis, f"criterion: {least:g} times our samples or more to an error of {error:g}")
    text = ("at least " if beyond else "") + "{} times the samples"
    style.judged(axis, findings[key], text, (0.03, 0.06), digits=0)


if __name__ == "__main__":
    study.main(judge, draw)
