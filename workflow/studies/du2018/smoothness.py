"""Claim 2: gamma, L and lambda_max(A_{w,-w*})/phi, measured, on their closed forms."""

import numpy as np
import pandas as pd
from scipy import stats

from workflow.studies import study, style
from workflow.studies.verdicts import Measured

LEVEL = 0.95


def judge(tables, claims, rng):
    table = tables["smoothness"]
    table = table.assign(relative=table.rayleigh_quotient / table.closed_form - 1)
    # The laws of the control have a level of their own.
    judged, broken = (deviations(claims[name].rows(table)) for name in ("2", "2x"))
    return {
        "2": largest(judged),
        "2b": growth(claims["2b"].rows(table)),
        "2x": largest(broken),
        "deviations": pd.concat([judged, broken]),
        "most": claims["2"].at_most,
        "band": (claims["2b"].at_least, claims["2b"].at_most),
    }


def deviations(rows):
    """Of every cell the relative deviation's size, with intervals that hold for all at once."""
    cells, seeds = (
        rows.groupby(["law", "dimension", "quantity", "phi"]).relative,
        rows.seed.nunique(),
    )
    size = cells.mean().abs()
    reach = stats.t.isf((1 - LEVEL) / 2 / len(size), seeds - 1) * cells.sem()
    low = (size - reach).clip(lower=0)
    return pd.DataFrame({"size": size, "low": low, "high": size + reach, "seeds": seeds})


def largest(found):
    """The deviation that may be largest, by the end of its interval."""
    worst = found.loc[found.high.idxmax()]
    return Measured(*worst[["size", "low", "high"]], int(worst.seeds))


def growth(rows):
    """Wrong region's eigenvalue over phi, at the smallest phi, in units of the tight beta."""
    # The tight beta is 1/pi, divided by p on the sphere. The ratio falls with phi.
    rows = rows[rows.phi == rows.phi.min()]
    tight = np.where(rows.law == "gaussian", 1, 1 / rows.dimension) / np.pi
    ratio = (rows.rayleigh_quotient / rows.phi / tight).groupby(rows.seed).mean()
    mean, seeds = ratio.mean(), len(ratio)
    reach = stats.t.isf((1 - LEVEL) / 2, seeds - 1) * ratio.sem()
    return Measured(mean, mean - reach, mean + reach, seeds)


QUANTITIES = {
    "gamma": (r"$\gamma(\phi)$", "$\\gamma$ falls as in theory"),
    "L": (r"$L(\phi)$", "$L$ falls, too"),
    "wrong": (r"$\lambda_{\max}(A_{w,-w^*}) / \phi$", "the wrong region grows with the tight rate"),
}


def looks(cells):
    """Law and dimension to the look of a curve, laws told apart by colour and marker."""
    known, colours = {}, {"gaussian": 0, "sphere": 3}
    for i, (law, p) in enumerate(cells):
        if law == "mixture":
            known[law, p] = style.control(r"mixture, $\sigma = 0.2$", linestyle="")
        else:
            name = law.replace("gaussian", "Gaussian")
            look = {"marker": style.MARKERS[i], "linestyle": "", "label": f"{name}, $p = {p}$"}
            known[law, p] = style.measured(colours[law], **look)
    return known


def draw(findings, tables):
    table = tables["smoothness"].assign(degrees=lambda t: np.degrees(t.phi))
    fig, (*axes, strip) = style.panels(2, rows=2, height=5)
    known = looks(table[["law", "dimension"]].drop_duplicates().itertuples(index=False, name=None))
    drawn = []
    for letter, axis, (quantity, (symbol, seen)) in zip(
        "abc", axes, QUANTITIES.items(), strict=True
    ):
        style.title(axis, letter, seen)
        drawn += draw_quantity(axis, table[table.quantity == quantity], quantity, known)
        axis.set(xlabel=r"angle $\phi$ (degrees)", ylabel=symbol, xticks=range(0, 91, 30))
    axes[0].set_ylabel(axes[0].get_ylabel() + r" (sphere: $\times\, p$)")
    style.corner(axes[0], f"{table.seed.nunique()} seeds", "upper right")
    style.criterion(
        axes[2],
        *(share / np.pi for share in findings["band"]),
        label="criterion at the least angle",
        inside=False,
    )
    axes[2].set_ylim(top=0.37)
    axes[2].axhline(1 / np.pi, color=style.INK, linewidth=0.6)
    style.judged(axes[2], findings["2b"], r"over $1/\pi$: {}", (0.03, 0.1))
    style.title(strip, "d", "no quantity is 10 % off, but for the control")
    drawn.append(draw_deviations(strip, findings, known))
    style.legend_below(fig)
    return fig, drawn


def draw_quantity(axis, table, quantity, known):
    """One of the three quantities on its closed form, a law and dimension a look."""
    drawn = []
    for i, ((law, p), rows) in enumerate(table.groupby(["law", "dimension"])):
        # The sphere's constants are the Gaussian's divided by p: all on one scale.
        scale = (p if law != "gaussian" else 1) / (rows.phi if quantity == "wrong" else 1)
        rows = rows.assign(value=rows.rayleigh_quotient * scale, exact=rows.closed_form * scale)
        wide = rows.pivot(index="seed", columns="degrees", values="value")
        median, low, high = style.median_band(wide.to_numpy())
        shift = (i - 2.5) * 0.7  # degrees, so that the markers do not hide each other
        look = known[law, p] | {"markersize": 2.8}
        ends = (median - low, high - median)
        axis.errorbar(wide.columns + shift, median, ends, elinewidth=0.7, **look)
        means = rows.groupby("degrees")[["value", "exact"]].mean().reset_index()
        drawn.append(means.assign(quantity=quantity, curve=f"{law}, p = {p}"))
        if law != "mixture":
            exact = rows.drop_duplicates("degrees").sort_values("degrees")
    axis.plot(exact.degrees, exact.exact, label="theory: closed form", **style.THEORY)
    return drawn


def draw_deviations(axis, findings, known):
    """What is judged: how far from the closed forms the data allow a quantity to be."""
    found = findings["deviations"].reset_index()
    laws = ["gaussian", "sphere", "mixture"]
    for (law, p), rows in found.groupby(["law", "dimension"]):
        places = laws.index(law) + np.linspace(-0.3, 0.3, len(rows))
        axis.plot(rows.high, places, **known[law, p] | {"markersize": 2.5})
    style.criterion(axis, at_most=findings["most"], along="x", inside=False, at=0.5)
    style.judged(axis, findings["2"], "largest: {}", (0.03, 0.95), digits=3)
    style.judged(
        axis, findings["2x"], "largest: {}", (0.97, 0.04), digits=2, color=style.VERMILLION
    )
    axis.set(xscale="log", xlabel="relative deviation from the closed form, at most")
    axis.set_yticks(range(3), ["Gaussian", "sphere", "control:\nmixture"])
    axis.set_ylim(2.6, -0.8)
    return found


if __name__ == "__main__":
    study.main(judge, draw)
