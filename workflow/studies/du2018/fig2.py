"""Figure 2: (a) the four regions; (b)-(d) gamma, L and the wrong region's eigenvalue from data."""

import numpy as np
import pandas as pd

from workflow.studies import study, style


def draw(findings, tables):
    table = tables["regions"].assign(degrees=lambda t: np.degrees(t.phi))
    fig, axes = style.plt.subplots(2, 2, figsize=(style.DOUBLE, 4.4), layout="constrained")
    regions, *curves = axes.ravel()
    for letter, axis in zip("abcd", axes.ravel(), strict=True):
        axis.set_title(f"({letter})", loc="left", fontweight="bold")

    # (a) Inputs around the circle, coloured by region, for w at 60 degrees from w*.
    angle = np.radians(60)
    turn = np.linspace(0, 2 * np.pi, 96, endpoint=False)
    on, star = np.cos(turn - angle) >= 0, np.cos(turn) >= 0
    parts = [
        (on & star, r"$S(w, w^*)$"),
        (on & ~star, r"$S(w, -w^*)$"),
        (~on & star, r"$S(-w, w^*)$"),
        (~on & ~star, r"$S(-w, -w^*)$"),
    ]
    for i, (where, label) in enumerate(parts):
        regions.plot(
            np.cos(turn[where]),
            np.sin(turn[where]),
            linestyle="",
            markersize=2.6,
            marker=style.MARKERS[i],
            color=style.COLOURS[i],
            label=label,
        )
    for direction, label in ((angle, "$w$"), (0.0, "$w^*$")):
        tip = 0.72 * np.array([np.cos(direction), np.sin(direction)])
        regions.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "->", "color": "0.15"})
        regions.text(*(1.15 * tip), label, ha="center", va="center")
        edge = 1.0 * np.array([-np.sin(direction), np.cos(direction)])
        regions.plot([-edge[0], edge[0]], [-edge[1], edge[1]], color="0.6", linewidth=0.7)
    regions.set(aspect="equal", xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), xticks=[], yticks=[])

    regions.grid(False)
    for side in regions.spines.values():
        side.set_visible(False)
    regions.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), handlelength=1)

    drawn = [
        pd.DataFrame(
            {
                "degrees": np.degrees(turn),
                "curve": np.select(
                    [where for where, _ in parts], [label for _, label in parts], ""
                ),
                "panel": "regions",
            }
        )
    ]
    names = {
        "gamma": r"$\gamma(\phi)$",
        "L": r"$L(\phi)$",
        "wrong": r"wrong region, $\lambda_{\max}(A_{w,-w^*})$",
    }
    for axis, (quantity, name) in zip(curves, names.items(), strict=True):
        for i, (law, rows) in enumerate(
            table[table.quantity == quantity].groupby("law", sort=False)
        ):
            # In units of the largest value met: images and unit vectors differ in scale.
            scale = table[table.law == law].groupby("seed").value.max()
            rows = rows.assign(value=rows.value / rows.seed.map(scale))
            drawn.append(
                style.curve(
                    axis, rows, "degrees", "value", i, law.replace("sigma", r"$\sigma$")
                ).assign(panel=quantity)
            )
        axis.set(
            xlabel=r"angle $\phi$ (degrees)",
            title=name,
            xticks=range(0, 181, 45),
            ylabel="in units of the largest value",
        )
    curves[0].set_yscale("log")
    curves[0].set_ylim(1e-7, 3)
    fig.legend(*curves[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig, drawn


if __name__ == "__main__":
    study.main(draw=draw)
