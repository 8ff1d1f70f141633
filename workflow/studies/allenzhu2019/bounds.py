"""Proven beside measured: width, number of steps, radius."""

import numpy as np
import pandas as pd

from workflow.studies import study, style

LOOKS = {
    "measured": {"color": style.MEASURED[0]},
    "proven": {"color": "white", "edgecolor": style.INK, "linestyle": ":"},
}
TAKEAWAYS = {
    "width $m$": "a few dozen are enough",
    "steps $T$": "hundreds are enough",
    r"movement $\|W - W^{(0)}\|_2$": "far outside the proven radius",
}


def draw(findings, tables):
    rows = compare(findings, tables["success"], tables["descent"])
    fig, axes = style.plt.subplots(3, 1, figsize=(style.SINGLE, 3.0), layout="constrained")
    for axis, (what, part) in zip(axes, rows.groupby("quantity", sort=False), strict=True):
        part = part.set_index("kind").value
        known = part[np.isfinite(part)]
        low = 10.0 ** (np.floor(np.log10(known.min())) - 1)
        for y, kind in enumerate(("measured", "proven")):
            value = part[kind]
            if not np.isfinite(value):  # no width that was tried fits the images
                text = f"{kind}: none of those tried"
                axis.text(1.5 * low, y, text, va="center", fontsize=style.SMALL)
                continue
            axis.barh(y, value - low, left=low, height=0.7, **LOOKS[kind])
            inside = value > low * (known.max() / low) ** 0.6
            axis.annotate(
                f"{kind}: {number(value)}",
                (value, y),
                (-3 if inside else 3, 0),
                textcoords="offset points",
                ha="right" if inside else "left",
                va="center",
                fontsize=style.SMALL,
                color="white" if inside and kind == "measured" else style.INK,
            )
        axis.set(xscale="log", xlim=(low, known.max() * 3), yticks=[])
        style.title(axis, None, f"{what}: {TAKEAWAYS[what]}")
        axis.grid(False)
        axis.spines["left"].set_visible(False)
        axis.minorticks_off()
    return fig, [rows]


def compare(given, success, descent):
    """Rows ``quantity, kind, value``."""
    n, depth = given["images"], descent.depth.iloc[0]
    delta, width = descent.separation.median(), descent.width.max()
    wide = descent[descent.width == width]

    def product(name):
        images, layers, apart = given[name]
        return float(n) ** images * float(depth) ** layers / delta**apart

    fits = success[success.samples == n].assign(fits=success.end_loss <= given["tolerance"])
    share = fits.groupby("width").fits.mean()
    enough = share[share >= given["share"]].index
    log = np.log(1 / wide.end_loss.median())
    images, layers, apart = given["radius"]
    radius = delta**apart / (n**images * depth**layers * np.log(width) ** 3)
    found = [
        ("width $m$", "measured", enough.min() if len(enough) else np.nan),
        ("width $m$", "proven", product("width")),
        ("steps $T$", "measured", wide.iterations.median()),
        ("steps $T$", "proven", product("steps") * log),
        (r"movement $\|W - W^{(0)}\|_2$", "measured", wide.spectral_movement.median()),
        (r"movement $\|W - W^{(0)}\|_2$", "proven", radius),
    ]
    return pd.DataFrame(found, columns=["quantity", "kind", "value"])


def number(value):
    """``230`` or ``2 x 10^39`` in mathematical type."""
    if 0.01 <= value < 1e5:
        return f"{value:.3g}"
    exponent = int(np.floor(np.log10(value)))
    return f"${value / 10.0**exponent:.0f} \\times 10^{{{exponent}}}$"


if __name__ == "__main__":
    study.main(draw=draw)
