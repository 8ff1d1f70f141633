"""Claim 2: gamma, L and lambda_max(A_{w,-w*})/phi, measured, on their closed forms."""

import numpy as np

from figures import style

path, tables = style.read()
table = tables["smoothness"]
table = table[table.law != "mixture"].assign(degrees=lambda t: np.degrees(t.phi))
fig, axes = style.panels(3)
drawn = []
titles = {
    "gamma": r"$\gamma(\phi)$",
    "L": r"$L(\phi)$",
    "wrong": r"$\lambda_{\max}(A_{w,-w^*}) / \phi$",
}
cells = list(table.groupby(["law", "dimension"]))
for axis, (quantity, title) in zip(axes, titles.items(), strict=True):
    for i, ((law, p), rows) in enumerate(cells):
        rows = rows[rows.quantity == quantity]
        # The sphere's constants are the Gaussian's divided by p: all on one scale.
        scale = (p if law == "sphere" else 1) / (rows.phi if quantity == "wrong" else 1)
        rows = rows.assign(
            value=rows.rayleigh_quotient * scale,
            largest=rows.eigenvalue * scale,
            exact=rows.closed_form * scale,
        )
        shift = (i - 2.5) * 0.7  # degrees, so that the markers do not hide each other
        wide = rows.pivot(index="seed", columns="degrees", values="value")
        median, low, high = style.median_band(wide.to_numpy())
        axis.errorbar(
            wide.columns + shift,
            median,
            (median - low, high - median),
            linestyle="",
            marker=style.MARKERS[i],
            markersize=2.8,
            color=style.COLOURS[i],
            elinewidth=0.7,
            label=f"{law}, $p = {p}$",
        )
        drawn.append(
            rows.groupby("degrees")[["value", "largest", "exact"]]
            .mean()
            .reset_index()
            .assign(quantity=quantity, curve=f"{law}, p = {p}")
        )
        if p == max(table.dimension):
            biased = rows.groupby("degrees").largest.mean()
            axis.plot(
                biased.index,
                biased,
                color=style.COLOURS[i],
                linewidth=0.6,
                linestyle=":",
                label=f"{law}, $p = {p}$, sample eigenvalue (biased)",
            )
    exact = rows.drop_duplicates("degrees").sort_values("degrees")
    axis.plot(exact.degrees, exact.exact, label="closed form", **style.THEORY)
    axis.set(
        xlabel=r"angle $\phi$ (degrees)",
        title=title if quantity != "L" else rf"{title}, {table.seed.nunique()} seeds",
        xticks=range(0, 91, 30),
    )
axes[2].axhline(1 / np.pi, color="0.5", linewidth=0.7)
axes[2].text(88, 1 / np.pi, r"tight $\beta = 1/\pi$", fontsize=6.5, ha="right", va="bottom")
axes[0].set_ylabel(r"value (sphere: $\times\, p$)")
handles, labels = axes[0].get_legend_handles_labels()
fig.legend(handles, labels, loc="outside lower center", ncols=4)
style.save(fig, path, drawn, tables)
