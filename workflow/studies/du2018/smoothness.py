"""Claim 2: gamma, L and lambda_max(A_{w,-w*})/phi, measured, on their closed forms."""

import numpy as np
from scipy import stats

from workflow.studies import study, style
from workflow.studies.verdicts import Measured, exactly

LEVEL = 0.95


def judge(tables, claims, rng):
    table = tables["smoothness"]
    table = table.assign(difference=table.rayleigh_quotient - table.closed_form)
    return {
        "2": largest_deviation(claims["2"].rows(table)),
        "2b": growth(claims["2b"].rows(table)),
        "2x": largest_deviation(claims["2x"].rows(table)),
    }


def largest_deviation(rows):
    """Largest |t| over the cells, in units of the critical value for as many tests."""
    cells, seeds = rows.groupby(["law", "dimension", "quantity", "phi"]), rows.seed.nunique()
    error = cells.difference.std() / np.sqrt(seeds)
    deviation = (cells.difference.mean().abs() / error).where(error > 0)
    critical = stats.t.isf((1 - LEVEL) / 2 / len(deviation), seeds - 1)
    return exactly(deviation.max() / critical, seeds=seeds)


def growth(rows):
    """Wrong region's eigenvalue over phi, at the smallest phi, in units of the tight beta."""
    # The tight beta is 1/pi, divided by p on the sphere. The ratio falls with phi.
    rows = rows[rows.phi == rows.phi.min()]
    tight = np.where(rows.law == "gaussian", 1, 1 / rows.dimension) / np.pi
    ratio = (rows.rayleigh_quotient / rows.phi / tight).groupby(rows.seed).mean()
    mean, seeds = ratio.mean(), len(ratio)
    reach = stats.t.isf((1 - LEVEL) / 2, seeds - 1) * ratio.sem()
    return Measured(mean, mean - reach, mean + reach, seeds)


def draw(findings, tables):
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
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
