"""Claim 7c, Theorem 3.1: gamma and 6 L_cross of image patches."""

import numpy as np

from workflow.studies import study, style
from workflow.studies.verdicts import Measured


def judge(tables, claims, rng):
    table = tables["image_condition"]
    by_teacher = table.groupby("seed")
    ratios = by_teacher.gamma.max() / (6 * by_teacher.l_cross.max())
    found = Measured(
        float(ratios.median()),
        float(ratios.min()),
        float(ratios.max()),
        len(ratios),
        table.data.iloc[0],
        f"Largest over teachers: {ratios.max():.2g}.",
    )
    return {"7c": found, "ratios": ratios, "asked": claims["7c"].at_least}


def draw(findings, tables):
    fig, (sides, ratios) = style.panels(2, height=2.6)
    shown = [(findings, tables["image_condition"])]
    if "Fashion-MNIST" in findings:
        again = tables["Fashion-MNIST"]["image_condition"]
        shown.append((findings["Fashion-MNIST"], again))
    drawn = []
    for i, (found, table) in enumerate(shown):
        data = table.data.iloc[0]
        wide = table.pivot(index="seed", columns="phi", values="gamma")
        degrees = np.degrees(wide.columns)
        sides.fill_between(
            degrees, wide.min(), wide.max(), color=style.COLOURS[2 * i], alpha=style.BAND
        )
        sides.plot(degrees, wide.median(), label=rf"$\gamma(\phi)$, {data}", **style.look(2 * i))
        cross = 6 * table.groupby("seed").l_cross.max()
        sides.axhspan(cross.min(), cross.max(), color=style.COLOURS[2 * i], alpha=style.BAND)
        look = style.THEORY | {"linestyle": ("--", ":")[i]}
        sides.axhline(cross.median(), label=rf"$6 L_{{\mathrm{{cross}}}}$, {data}", **look)
        values = np.sort(found["ratios"].to_numpy())
        places = i + 0.2 * np.linspace(-1, 1, len(values))
        ratios.plot(
            places, values, linestyle="", marker=style.MARKERS[i], color=style.COLOURS[2 * i]
        )
        drawn += [table, found["ratios"].rename("ratio").reset_index().assign(data=data)]
    ratios.axhline(findings["asked"], color="0.6")
    ratios.text(len(shown) - 0.55, 0.6 * findings["asked"], "asked for", ha="right", va="top")
    sides.set(xscale="log", yscale="log", xlabel=r"angle $\phi$ (degrees)", title="both sides")
    sides.set_xticks([0.1, 1, 10, 90], ["0.1", "1", "10", "90"])
    sides.set_ylabel("second moments of the patches")
    fig.legend(*sides.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    ratios.set(
        yscale="log",
        ylabel=r"largest $\gamma(\phi)\ /\ 6 L_{\mathrm{cross}}$",
        xlim=(-0.5, len(shown) - 0.5),
        title="the theorem does not apply",
    )
    ratios.set_xticks(range(len(shown)), [table.data.iloc[0] for _, table in shown])
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
