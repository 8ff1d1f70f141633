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
    fig, (sides, ratios) = style.panels(2, height=2.9)
    style.title(
        sides, "a", r"on images $\gamma$ is far below $6 L_{\mathrm{cross}}$ at every angle"
    )
    style.title(ratios, "b", "the theorem's condition fails by orders of magnitude")
    shown = [(findings, tables["image_condition"])]
    if "Fashion-MNIST" in findings:
        again = tables["Fashion-MNIST"]["image_condition"]
        shown.append((findings["Fashion-MNIST"], again))
    drawn = []
    for i, (found, table) in enumerate(shown):
        data = table.data.iloc[0]
        # The colours of the two data sets in all figures.
        look = style.measured(2 * i)
        wide = table.pivot(index="seed", columns="phi", values="gamma")
        degrees, area = np.degrees(wide.columns), {"color": look["color"], "alpha": style.BAND}
        sides.fill_between(degrees, wide.min(), wide.max(), **area)
        sides.plot(degrees, wide.median(), **look, label=rf"$\gamma(\phi)$, {data}")
        cross = 6 * table.groupby("seed").l_cross.max()
        sides.axhspan(cross.min(), cross.max(), **area | {"alpha": 0.4}, linewidth=0)
        needed = rf"needed: $6 L_{{\mathrm{{cross}}}}$, {data}"
        # Below the first strip, above the second, in case they touch.
        at, offset, side = ((cross.min(), -2, "top"), (cross.max(), 2, "bottom"))[i]
        said = {"va": side, "textcoords": "offset points", "fontsize": style.SMALL}
        sides.annotate(needed, (1, at), (0, offset), **said)
        values = np.sort(found["ratios"].to_numpy())
        places = i + 0.2 * np.linspace(-1, 1, len(values))
        ratios.plot(places, values, **look | {"linestyle": ""})
        found = found["7c"]
        text = f"{found.value:.1e}".replace("e-0", r"\cdot 10^{-") + "}"
        ratios.annotate(f"median ${text}$", (i, values.max()), (0, 8), textcoords="offset points",
                        ha="center", fontsize=style.SMALL)  # fmt: skip
        drawn += [table, shown[i][0]["ratios"].rename("ratio").reset_index().assign(data=data)]
    style.criterion(ratios, findings["asked"])
    sides.set(xscale="log", yscale="log", xlabel=r"angle $\phi$ (degrees)")
    sides.set_ylim(top=300)
    sides.set_xticks([0.1, 1, 10, 90], ["0.1", "1", "10", "90"])
    sides.set_ylabel("second moments of the patches")
    style.corner(sides, f"{table.seed.nunique()} teachers, median and range", "lower right")
    ratios.set(yscale="log", xlim=(-0.5, len(shown) - 0.5), ylim=(None, 100))
    ratios.set_ylabel(r"largest $\gamma(\phi)\ /\ 6 L_{\mathrm{cross}}$")
    ratios.set_xticks(range(len(shown)), [table.data.iloc[0] for _, table in shown])
    style.legend_below(fig)
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
