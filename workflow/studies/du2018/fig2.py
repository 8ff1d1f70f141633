"""Figure 2: (a) the four regions; (b)-(d) gamma, L and the wrong region's eigenvalue from data."""

import numpy as np
import pandas as pd

from workflow.studies import study, style

# Region to its name and colour.
REGIONS = {
    "both": (r"$S(w, w^*)$", "#9ecae1"),
    "wrong": (r"$S(w, -w^*)$", "#fdd0a2"),
    "missed": (r"$S(-w, w^*)$", "#fee6ce"),
    "none": (r"$S(-w, -w^*)$", "#f0f0f0"),
}
PANELS = {
    "gamma": (r"$\gamma(\phi)$", "on images $\\gamma$ is almost nothing"),
    "L": ("$L(\\phi)$", "$L$ falls with the angle"),
    "wrong": (r"$\lambda_{\max}(A_{w,-w^*})$", "the wrong region grows with the angle"),
}


def draw(findings, tables):
    table = tables["regions"].assign(degrees=lambda t: np.degrees(t.phi))
    fig, (regions, *curves) = style.panels(2, rows=2, height=4.9)
    style.title(regions, "a", "the regions of the plane of $w$ and $w^*$")
    drawn = [draw_regions(regions)]
    # In units of the largest value met: images and unit vectors differ in scale.
    scale = table.groupby(["law", "seed"]).value.transform("max")
    table = table.assign(value=table.value / scale)
    for letter, axis, (quantity, (symbol, seen)) in zip("bcd", curves, PANELS.items(), strict=True):
        style.title(axis, letter, seen)
        for law, rows in table[table.quantity == quantity].groupby("law", sort=False):
            if rows.seed.nunique() > 1:
                look = style.measured(0, marker="", label=law)
                drawn.append(style.curve(axis, rows, "degrees", "value", look, law))
            else:
                shade = {"color": style.INK if law == "Gaussian" else "0.5"}
                label = f"theory: {law}".replace("sigma", r"$\sigma$")
                axis.plot(rows.degrees, rows.value, label=label, **style.THEORY | shade)
                drawn.append(rows[["degrees", "value"]].assign(curve=f"theory: {law}"))
            drawn[-1] = drawn[-1].assign(panel=quantity)
        axis.set(xlabel=r"angle $\phi$ (degrees)", ylabel=f"{symbol} / largest value")
        axis.set(xticks=range(0, 181, 45), xlim=(0, 180))
    curves[0].set(yscale="log", ylim=(1e-8, 2))
    style.legend_below(fig)
    seeds = table.groupby("law").seed.nunique().max()
    style.corner(curves[0], f"images: {seeds} teachers", "lower left")
    return fig, drawn


def draw_regions(axis):
    """The plane around the circle, by region, for w at 60 degrees from w*."""
    angle, last = np.radians(60), np.pi / 2
    edges = {
        "both": (angle - last, last),
        "wrong": (last, angle + last),
        "none": (angle + last, 3 * last),
        "missed": (3 * last, 2 * np.pi + angle - last),
    }
    for region, (start, end) in edges.items():
        name, colour = REGIONS[region]
        turn, middle = np.linspace(start, end, 50), (start + end) / 2
        axis.fill([0, *np.cos(turn)], [0, *np.sin(turn)], color=colour, linewidth=0)
        place = 1.12 * np.array([np.cos(middle), np.sin(middle)])
        side = "left" if place[0] > 0 else "right"
        axis.text(*place, name, ha=side, va="center", fontsize=style.SMALL)
    for direction, label in ((angle, "$w$"), (0.0, "$w^*$")):
        tip = 0.62 * np.array([np.cos(direction), np.sin(direction)])
        axis.annotate("", tip, (0, 0), arrowprops={"arrowstyle": "->", "color": "0.15"})
        axis.text(*(1.22 * tip), label, ha="center", va="center")
        edge = np.array([-np.sin(direction), np.cos(direction)])
        axis.plot([-edge[0], edge[0]], [-edge[1], edge[1]], color="0.5", linewidth=0.7)
    axis.set(aspect="equal", xlim=(-1.9, 1.9), ylim=(-1.25, 1.25))
    axis.set_axis_off()
    return pd.DataFrame(edges, index=["start", "end"]).T.reset_index(names="panel")


if __name__ == "__main__":
    study.main(draw=draw)
