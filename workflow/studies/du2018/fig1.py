"""Figure 1 (b), (c), measured: patches of one image are close; their mass around the teacher."""

import numpy as np

from workflow.studies import study, style

LOOKS = {
    "MNIST images": style.measured(0),
    "MNIST patches": style.measured(0),
    "patches of different images": style.measured(3, marker="^"),
    "Gaussian patches": style.measured(6, marker="D"),
}


def draw(findings, tables):
    table = tables["patch_geometry"].assign(degrees=lambda t: np.degrees(t.phi))
    fig, (close, mass) = style.panels(2, height=2.9)
    style.title(close, "a", "patches of one image are close, but so are those of different ones")
    style.title(mass, "b", "the mass lies at right angles to the teacher, not along it")
    drawn = []
    for axis, quantity in ((close, "to average"), (mass, "to teacher")):
        shades = iter((style.INK, "0.5"))
        for law, rows in table[table.quantity == quantity].groupby("law", sort=False):
            if law.startswith("mixture"):
                label = f"law of Figure 3a: {law}".replace("sigma", r"$\sigma$")
                look = style.THEORY | {"color": next(shades), "label": label}
                axis.plot(rows.degrees, rows.density, **look)
                drawn.append(rows[["degrees", "density"]].assign(curve=law))
            else:
                i = len(axis.lines)
                look = LOOKS.get(law, style.measured(i))
                drawn.append(style.curve(axis, rows, "degrees", "density", look, law))
            drawn[-1] = drawn[-1].assign(panel=quantity)
        axis.set(xlim=(0, 180), ylim=(0, None), xticks=range(0, 181, 45))
        axis.set_ylabel("density (1/rad)")
        style.legend_below(axis, ncols=1)
    close.set_xlabel("angle of a patch to the average patch (degrees)")
    mass.set_xlabel(r"angle of a patch to the teacher $w^*$ (degrees)")
    style.corner(mass, f"{table.seed.nunique()} teachers", "upper right")
    return fig, drawn


if __name__ == "__main__":
    study.main(draw=draw)
