"""Z1: rho against the magnitude, per activation, and the terms whose minimum it is."""

import numpy as np

from cnntheory.stats import log_log_slope
from workflow.studies import study, style
from workflow.studies.verdicts import exactly
from workflow.studies.zhong2017.names import look, name, name_criterion, present

BROKEN = ("linear", "quadratic")
TERMS = {
    "beta_0 - alpha_0^2 - alpha_1^2": r"$\beta_0 - \alpha_0^2 - \alpha_1^2$",
    "beta_2 - alpha_1^2 - alpha_2^2": r"$\beta_2 - \alpha_1^2 - \alpha_2^2$",
    "alpha_0 alpha_2 - alpha_1^2": r"$\alpha_0\alpha_2 - \alpha_1^2$",
    "alpha_0^2": r"$\alpha_0^2$, not in the minimum",
}
RELU = 1 / 4 - 1 / (2 * np.pi)


def judge(tables, claims, rng):
    rows = {key: claim.rows(tables["rho"]) for key, claim in claims.items()}
    square, tanh = rows["Z1-square"], rows["Z1-tanh"]
    most = rows["Z1x"].groupby("activation").value.max()
    told = ", ".join(f"{activation} {value:.3g}" for activation, value in most.items())
    return {
        "Z1-relu": exactly((rows["Z1-relu"].value - RELU).abs().max()),
        "Z1-square": exactly(float(log_log_slope(square.sigma, square.value.to_numpy()))),
        "Z1-tanh": exactly(tanh.sigma[tanh.value.idxmax()]),
        "Z1x": exactly(most.max(), note=f"Largest rho: {told}."),
        "largest between": (claims["Z1-tanh"].at_least, claims["Z1-tanh"].at_most),
    }


def draw(findings, tables):
    table = tables["rho"]
    fig, (curves, broken, terms) = style.panels(
        3, height=2.9, gridspec_kw={"width_ratios": [1.25, 0.9, 1]}
    )
    style.title(curves, "a", "positive for every activation that bends")
    style.title(broken, "b", "without a bend there is none")
    style.title(terms, "c", "tanh bends most at a moderate magnitude")
    rho = table[table.quantity == "rho"]
    draw_activations(curves, rho, findings)
    draw_broken(broken, rho, findings)
    draw_terms(terms, table[table.activation == "tanh"], findings)
    for axis in (curves, broken, terms):
        axis.set_xlabel("magnitude $s$ of a kernel")
    return fig, [table]


def sparse(rows, markers=6):
    """A marker at every so manieth point."""
    return max(1, len(rows) // markers)


def draw_activations(axis, rho, findings):
    rho = rho[~rho.activation.isin([*BROKEN, "cubic"])]
    for activation in present(rho):
        rows = rho[rho.activation == activation]
        axis.plot(rows.sigma, rows.value, markevery=sparse(rows), **look(activation))
    s = np.array([rho.sigma.min(), rho.sigma.max()])
    square = rho[(rho.activation == "squared_relu") & (rho.sigma == s[0])].value.iloc[0]
    axis.plot(s, [RELU, RELU], **style.THEORY)
    axis.plot(s, square * (s / s[0]) ** 2, label="theory", **style.THEORY)
    style.judged(axis, findings["Z1-square"], "squared ReLU: slope {}", (0.03, 0.93))
    axis.set(xscale="log", yscale="log", ylabel=r"$\rho(s)$", xlim=(s[0] / 1.1, s[1] * 1.1))
    axis.set_ylim(top=1e4)
    style.ticks(axis, [0.05, 0.2, 1, 5, 20])
    style.legend_below(axis)


def draw_broken(axis, rho, findings):
    """Signed rho of the activations that break the property, beside two that do not."""
    for activation in ("relu", "tanh"):
        rows = rho[rho.activation == activation]
        axis.plot(rows.sigma, rows.value, markevery=sparse(rows), **look(activation))
    for i, activation in enumerate(BROKEN):
        rows = rho[rho.activation == activation]
        shown = style.control(name(activation), i, markevery=sparse(rows))
        axis.plot(rows.sigma, rows.value, **shown)
    axis.set_xscale("log")
    axis.set_yscale("symlog", linthresh=0.01)
    axis.set(ylabel=r"$\rho(s)$", ylim=(-3e3, 3))
    axis.set_yticks(
        [-1000, -10, -0.1, 0, 0.1],
        ["\N{MINUS SIGN}1000", "\N{MINUS SIGN}10", "\N{MINUS SIGN}0.1", "0", "0.1"],
    )
    style.ticks(axis, [0.05, 1, 20])
    red = {"color": style.VERMILLION}
    style.judged(axis, findings["Z1x"], "control: largest {}", (0.05, 0.08), **red)
    style.legend_below(axis)


def draw_terms(axis, tanh, findings):
    least = tanh[tanh.quantity == "rho"].set_index("sigma").value
    shape = look("tanh", marker="", linewidth=3.5, alpha=0.6) | {"label": r"$\rho$, their minimum"}
    axis.plot(least.index, least, **shape)
    for i, (quantity, label) in enumerate(TERMS.items()):
        rows = tanh[tanh.quantity == quantity]
        shape = style.measured(i, color=str(0.2 + 0.15 * i), linewidth=0.8)
        axis.plot(rows.sigma, rows.value, label=label, markevery=sparse(rows), **shape)
    low, high = findings["largest between"]
    style.criterion(axis, low, high, label="", along="x")
    name_criterion(axis, "criterion: largest here")
    top = findings["Z1-tanh"]
    axis.plot(top.value, least[top.value], marker="*", color=style.INK, markersize=7, zorder=7)
    style.judged(axis, top, "largest\nat {}", (0.97, 0.93))
    axis.set(xscale="log", yscale="log", ylim=(1e-6, 10))
    style.ticks(axis, [0.05, 0.2, 1, 5, 20])
    style.legend_below(axis)


if __name__ == "__main__":
    study.main(judge, draw)
