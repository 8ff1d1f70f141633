"""Figure 4: true and learned filters, random and Gabor teachers."""

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from workflow.studies import study, style


def draw(findings, tables):
    fig, axes = style.plt.subplots(2, 6, figsize=(style.DOUBLE, 2.75), layout="constrained")
    drawn = []
    for letter, row, kind in zip("ab", axes, ("random", "gabor"), strict=True):
        shown = filters(tables[f"image_filters_{kind}"].query("seed == 0"))
        limit = abs(shown["true"]).max()
        size = round(len(shown["true"]) ** 0.5)
        for axis, (name, weights) in zip(row, shown.items(), strict=True):
            look = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
            picture = axis.imshow(weights.reshape(size, size), **look)
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
            if name.startswith("error"):
                error = np.linalg.norm(weights) / np.linalg.norm(shown["true"])
                axis.set_xlabel(rf"norm {error:.2f} $\|w^*\|$", fontsize=style.SMALL, labelpad=2)
            if letter == "a":
                axis.set_title(name, loc="left", fontsize=7)
            pixels = {"filter": name.replace("\n", " "), "pixel": range(size**2)}
            drawn.append(pd.DataFrame(pixels | {"weight": weights}).assign(teacher=kind))
        teacher = kind.replace("gabor", "Gabor")
        row[0].set_ylabel(rf"$\mathbf{{({letter})}}$ {teacher} teacher")
        fig.colorbar(picture, ax=row, shrink=0.85, label="weight", ticks=MaxNLocator(4))
    fig.suptitle("from near and far, the learned filter resembles the true one", x=0.01, ha="left",
                 fontsize=8)  # fmt: skip
    return fig, drawn


def filters(table):
    """Name to weights: the true filter, and start, learned filter and error from near and far."""
    by_start = {
        distance: {
            name: rows.sort_values("pixel").weight.to_numpy()
            for name, rows in part.groupby("filter")
        }
        for distance, part in table.groupby("start_distance")
    }
    near, far = min(by_start), max(by_start)
    true, start, learned = (by_start[near][name] for name in ("true", "start", "learned"))
    return {
        "true": true,
        f"start,\n$r_0 = {near:g}$": start,
        f"learned,\n$r_0 = {near:g}$": learned,
        f"error,\n$r_0 = {near:g}$": learned - true,
        f"learned,\n$r_0 = {far:g}$": by_start[far]["learned"],
        f"error,\n$r_0 = {far:g}$": by_start[far]["learned"] - true,
    }


if __name__ == "__main__":
    study.main(draw=draw)
