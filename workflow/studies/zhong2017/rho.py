"""Z1: rho against the magnitude, per activation, and the terms whose minimum it is."""

import numpy as np

from cnntheory.stats import log_log_slope
from workflow.studies import study, style
from workflow.studies.verdicts import exactly
from workflow.studies.zhong2017.names import name, present

TERMS = {
    "beta_0 - alpha_0^2 - alpha_1^2": r"$\beta_0 - \alpha_0^2 - \alpha_1^2$",
    "beta_2 - alpha_1^2 - alpha_2^2": r"$\beta_2 - \alpha_1^2 - \alpha_2^2$",
    "alpha_0 alpha_2 - alpha_1^2": r"$\alpha_0\alpha_2 - \alpha_1^2$",
    "alpha_0^2": r"$\alpha_0^2$ (not in the minimum)",
}


def judge(tables, claims, rng):
    rows = {key: claim.rows(tables["rho"]) for key, claim in claims.items()}
    square, tanh = rows["Z1-square"], rows["Z1-tanh"]
    most = rows["Z1x"].groupby("activation").value.max()
    told = ", ".join(f"{activation} {value:.3g}" for activation, value in most.items())
    return {
        "Z1-relu": exactly((rows["Z1-relu"].value - (1 / 4 - 1 / (2 * np.pi))).abs().max()),
        "Z1-square": exactly(float(log_log_slope(square.sigma, square.value.to_numpy()))),
        "Z1-tanh": exactly(tanh.sigma[tanh.value.idxmax()]),
        "Z1x": exactly(most.max(), note=f"Largest rho: {told}."),
    }


def draw(findings, tables):
    table = tables["rho"]
    fig, (curves, terms) = style.panels(2, height=2.7)
    rho = table[(table.quantity == "rho") & ~table.activation.isin(["linear", "quadratic"])]
    for i, activation in present(rho):
        rows = rho[rho.activation == activation]
        curves.plot(rows.sigma, rows.value, label=name(activation), **style.look(i))
    slope = f"slope {findings['Z1-square'].text()}"
    curves.text(6, 2, slope, fontsize=6.5, rotation=13, ha="center", va="center")
    curves.set(
        xscale="log",
        yscale="log",
        xlabel=r"magnitude $s$ of a kernel",
        ylim=(1e-13, 1e5),
        ylabel=r"$\rho(s)$",
        title="linear: 0, quadratic: negative",
    )
    curves.legend(loc="lower center", ncols=3)
    tanh = table[table.activation == "tanh"]
    for i, (quantity, label) in enumerate(TERMS.items()):
        rows = tanh[tanh.quantity == quantity]
        terms.plot(rows.sigma, rows.value, label=label, **style.look(i))
    least = tanh[tanh.quantity == "rho"].set_index("sigma").value
    terms.plot(least.index, least, label=r"$\rho$", **style.THEORY)
    top = findings["Z1-tanh"]
    terms.plot(top.value, least[top.value], marker="o", color="0.15", markersize=4)
    terms.text(
        top.value, least[top.value] * 0.12, f"largest at {top.text()}", fontsize=6.5, ha="center"
    )
    terms.set(
        xscale="log",
        yscale="log",
        xlabel=r"magnitude $s$ of a kernel",
        title="terms of tanh",
        ylim=(1e-6, 1e4),
    )
    terms.legend(loc="upper right")
    return fig, [table]


if __name__ == "__main__":
    study.main(judge, draw)
