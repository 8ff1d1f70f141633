"""Figure 1 (b), (c), measured: patches of one image are close; their mass around the teacher."""

import numpy as np

from workflow.studies import study, style


def draw(findings, tables):
    table = tables["patch_geometry"].assign(degrees=lambda t: np.degrees(t.phi))
    fig, (close, mass) = style.panels(2)
    drawn = []
    for axis, quantity in ((close, "to average"), (mass, "to teacher")):
        rows = table[table.quantity == quantity]
        # Data first, then the laws of the theory.
        for i, (law, curve) in enumerate(rows.groupby("law", sort=False)):
            drawn.append(
                style.curve(
                    axis, curve, "degrees", "density", i, law.replace("sigma", r"$\sigma$")
                ).assign(panel=quantity)
            )
        axis.set(xlim=(0, 180), ylim=(0, None), xticks=range(0, 181, 45))
        axis.legend(loc="upper right")
    seeds = table.seed.nunique()
    close.set(
        xlabel="angle of a patch to the average patch (degrees)",
        ylabel="density (1/rad)",
        title="closeness to the average patch",
    )
    mass.set(
        xlabel=r"angle of a patch to the teacher $w^*$ (degrees)",
        ylabel="density (1/rad)",
        title=f"where the mass lies ({seeds} random teachers)",
    )
    close.set_ylim(0, 2.9)
    mass.set_ylim(0, 3.6)
    return fig, drawn


if __name__ == "__main__":
    study.main(draw=draw)
