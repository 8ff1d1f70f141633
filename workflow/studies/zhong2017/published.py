"""Claim Z9d: samples that the published tensor initialisation needs, over those of ours."""

import numpy as np

from cnntheory.stats import bootstrap
from workflow.studies import study, style
from workflow.studies.verdicts import Measured
from workflow.studies.zhong2017.names import name
from workflow.studies.zhong2017.recovery import crossing

METHODS = {
    "kcl": "ours",
    "jennrich": "control: ours, another decomposition",
    "published": "published, all patches",
    "first patch": "published, first patch",
}


def ratio(claim, table, rng):
    """n of the peer over n of ours, at each of which the share of successes is the claim's."""
    rows = claim.rows(table)
    rows = rows.assign(success=claim.succeeded(rows))
    methods = [claim.given["ours"], claim.given["peer"]]
    wide = rows.pivot(index="seed", columns=["method", "samples"], values="success")
    values = np.stack([wide[method].to_numpy(dtype=float) for method in methods], axis=1)
    samples = wide[methods[0]].columns.to_numpy()

    def needed(values, axis):
        shares = values.mean(axis=axis)
        return [crossing(samples, row, claim.given["share"]) for row in shares]

    def statistic(values, axis):
        ours, peer = needed(values, axis)
        return peer / ours

    told = []
    for method, n, shares in zip(methods, needed(values, 0), values.mean(axis=0), strict=True):
        sign = "<= " if shares[0] >= claim.given["share"] else ""
        sign = sign if shares.max() >= claim.given["share"] else ">= "
        told.append(f"{METHODS[method]} {sign}{n:,.0f}")
    return Measured(
        statistic(values, 0),
        *bootstrap(values, rng, statistic),
        len(values),
        note=f"Samples for half of the trials: {'; '.join(told)}.",
    )


def judge(tables, claims, rng):
    table = tables["tensor_published"]
    findings = {key: ratio(claim, table, rng) for key, claim in claims.items()}
    findings["key"] = {
        claim.rows(table).activation.iloc[0]: key
        for key, claim in claims.items()
        if claim.kind == "claim"
    }
    findings["error"] = next(iter(claims.values())).given["error"]
    return findings


def draw(findings, tables):
    table = tables["tensor_published"]
    fig, axes = style.panels(len(findings["key"]), height=2.6, sharey=True)
    drawn = []
    for letter, axis, (activation, key) in zip("abcd", axes, findings["key"].items(), strict=True):
        rows = table[table.activation == activation]
        for i, (method, label) in enumerate(METHODS.items()):
            chosen = rows[rows.method == method]
            if len(chosen):
                curve = style.curve(axis, chosen, "samples", "distance", i, label, markers=True)
                drawn.append(curve.assign(activation=activation))
        axis.axhline(findings["error"], color="0.6", linewidth=0.7)
        axis.set(xscale="log", yscale="log", xlabel="samples $n$")
        sign = "at least " if ">=" in findings[key].note or "<=" in findings[key].note else ""
        axis.set_title(
            f"({letter}) {name(activation)}:\n{sign}{findings[key].value:.0f} times the samples",
            loc="left",
        )
    axes[0].set_ylabel(r"$\|W - W^*\|_F \,/\, \|W^*\|_F$")
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=4)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
