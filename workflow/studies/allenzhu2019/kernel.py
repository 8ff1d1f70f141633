"""The tangent kernel at initialisation beside its infinite-width limit."""

import numpy as np

from workflow.studies import study, style


def draw(findings, tables):
    table = tables["kernel"]
    fig, (ends, gap) = style.panels(2, height=2.5)
    drawn = []
    for i, (name, label) in enumerate((("max", r"$\lambda_{\max}$"), ("min", r"$\lambda_{\min}$"))):
        drawn.append(
            style.curve(ends, table, "width", f"lambda_{name}", i, f"{label}$(K)/m$", markers=True)
        )
        ends.axhline(table[f"limit_{name}"].iloc[0], **style.THEORY)
    ends.plot([], [], label=r"$m \to \infty$, closed form", **style.THEORY)
    curve = style.curve(gap, table, "width", "kernel_gap", 2, "measured", markers=True)
    drawn.append(curve)
    middle = curve.iloc[len(curve) // 2]
    gap.plot(
        curve.width,
        middle["median"] * np.sqrt(middle.width / curve.width),
        label="slope -1/2",
        **style.THEORY,
    )
    widths = sorted(table.width.unique())
    for axis in (ends, gap):
        axis.set(xscale="log", yscale="log", xlabel="width $m$")
        axis.set_xticks(widths[::2], widths[::2])
        axis.minorticks_off()
        axis.legend()
    ends.set(ylabel="eigenvalue over the width", title=f"{table.seed.nunique()} networks")
    ends.set_ylim(top=3 * table.lambda_max.max())
    gap.set(ylabel=r"$\|K/m - K_\infty\|_F \,/\, \|K_\infty\|_F$")
    gap.set_yticks([0.1, 0.2, 0.5], ["0.1", "0.2", "0.5"])
    gap.minorticks_off()
    return fig, drawn


if __name__ == "__main__":
    study.main(draw=draw)
