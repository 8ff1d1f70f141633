"""The tangent kernel at initialisation beside its infinite-width limit."""

import numpy as np

from workflow.studies import study, style


def draw(findings, tables):
    table = tables["kernel"]
    fig, (ends, gap) = style.panels(2, height=2.7)
    style.title(ends, "a", "the ends of the spectrum approach the closed form")
    style.title(gap, "b", "the kernel too, as slowly as $1/\\sqrt{m}$")
    drawn = []
    for i, (name, label) in enumerate((("max", r"$\lambda_{\max}$"), ("min", r"$\lambda_{\min}$"))):
        look = style.measured(i + 1)
        drawn.append(style.curve(ends, table, "width", f"lambda_{name}", look, f"{label}$(K)/m$"))
        ends.axhline(table[f"limit_{name}"].iloc[0], **style.THEORY)
    ends.plot([], [], label=r"theory: $m \to \infty$", **style.THEORY)
    curve = style.curve(gap, table, "width", "kernel_gap", style.measured(0), "measured")
    middle = len(curve) // 2
    line = curve["median"].iloc[middle] * np.sqrt(curve.width.iloc[middle] / curve.width)
    gap.plot(curve.width, line, label="theory: slope $-1/2$", **style.THEORY)
    for axis in (ends, gap):
        axis.set(xscale="log", yscale="log", xlabel="width $m$")
        style.ticks(axis, table.width)
        style.legend_below(axis)
    ends.set(ylabel="eigenvalue over the width")
    gap.set(ylabel=r"$\|K/m - K_\infty\|_F \,/\, \|K_\infty\|_F$")
    style.plain_ticks(gap, "y")
    style.corner(gap, f"{table.seed.nunique()} networks")
    return fig, [*drawn, curve]


if __name__ == "__main__":
    study.main(draw=draw)
