"""Figure 4: true and learned filters, random and Gabor teachers."""

import pandas as pd

from workflow.studies import study, style


def draw(findings, tables):
    fig, axes = style.plt.subplots(2, 6, figsize=(style.DOUBLE, 2.5), layout="constrained")
    drawn = []
    for row, kind in zip(axes, ("random", "gabor"), strict=True):
        table = tables[f"image_filters_{kind}"]
        seed = 0
        start = table.start_distance.min()
        chosen = table[(table.seed == seed) & (table.start_distance == start)]
        filters = {
            name: rows.sort_values("pixel").weight.to_numpy()
            for name, rows in chosen.groupby("filter")
        }
        far = table[(table.seed == seed) & (table.start_distance == table.start_distance.max())]
        filters["learned, far"] = (
            far[far["filter"] == "learned"].sort_values("pixel").weight.to_numpy()
        )
        size = round(len(filters["true"]) ** 0.5)
        limit = abs(filters["true"]).max()
        shown = {
            "true": filters["true"],
            f"start, $r_0 = {start:g}$": filters["start"],
            f"learned, $r_0 = {start:g}$": filters["learned"],
            "error": filters["learned"] - filters["true"],
            f"learned, $r_0 = {far.start_distance.iloc[0]:g}$": filters["learned, far"],
            "error ": filters["learned, far"] - filters["true"],
        }
        for axis, (name, weights) in zip(row, shown.items(), strict=True):
            picture = axis.imshow(
                weights.reshape(size, size), cmap="RdBu_r", vmin=-limit, vmax=limit
            )
            axis.set(xticks=[], yticks=[], title=name.strip())
            axis.grid(False)
            drawn.append(
                pd.DataFrame(
                    {
                        "teacher": kind,
                        "filter": name.strip(),
                        "pixel": range(size**2),
                        "weight": weights,
                    }
                )
            )
        row[0].set_ylabel(f"{kind.capitalize() if kind == 'gabor' else kind} teacher")
        fig.colorbar(picture, ax=row, shrink=0.85, label="weight")
    return fig, drawn


if __name__ == "__main__":
    study.main(draw=draw)
