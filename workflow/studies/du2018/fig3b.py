"""Figure 3b: SGD of a convolutional filter over the closeness of the patches.

The paper's panel, base sigma = 1, lies outside Theorem 3.1 but for equal patches; a second panel
has a base law where the theorem applies.
"""

import numpy as np
import pandas as pd

from cnntheory.du2018.laws import patch_mixture
from cnntheory.du2018.rates import distance_angle
from cnntheory.du2018.smoothness import patch_constants, patch_growth
from workflow.studies import study, style
from workflow.studies.du2018.hitting import iterations_to, share_increasing
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    claim, control = claims["8"], claims["8x"]
    times = iterations_to(claim.given["error"], claim.rows(tables["sgd_patches_p2"]))
    spreads, times = times.columns, times.to_numpy()
    same = iterations_to(control.given["error"], control.rows(tables["sgd_patches_p2"])).to_numpy()
    shuffled = rng.permuted(same, axis=1)
    return {
        "8": exactly(share_increasing(times), seeds=len(times)),
        "8x": exactly(share_increasing(shuffled), seeds=len(shuffled)),
        "times": pd.DataFrame(times, columns=spreads),
        "shuffled": pd.DataFrame(shuffled, columns=spreads),
        "error": claim.given["error"],
    }


def applies(base_sigma, patch_sigma, patches=5):
    """Whether gamma(phi_0) > 6 L_cross at the panel's start, ||w_0 - w*|| = ||w*|| / 2."""
    law = patch_mixture(base_sigma, patch_sigma, patches)
    gamma = patch_constants(law, np.array([distance_angle(0.5)])).gamma[0]
    return gamma > 6 * patch_growth(law)[1]


def draw(findings, tables):
    fig, (*axes, hits) = style.panels(3, height=3.1)
    drawn, names = [], ("sgd_patches_p2", "sgd_close_patches_p2")
    seen = ("the paper's law: closer is faster", "a narrower law: all nearly alike")
    for letter, axis, name, text in zip("ab", axes, names, seen, strict=True):
        table = tables[name]
        base = table.base_sigma.iloc[0]
        style.title(axis, letter, text)
        colours = style.sequential(table.sigma)
        for i, (sigma, rows) in enumerate(table.groupby("sigma")):
            inside = applies(base, sigma)
            label = style.sigma_label(sigma, r"\sigma_2") + (" *" if inside else "")
            # Below 1e-13 the distance is rounding.
            rows = rows[rows.filter_error > 1e-13]
            look = style.measured(i, color=colours[sigma])
            drawn.append(style.curve(axis, rows, "epoch", "filter_error", look, label))
            drawn[-1] = drawn[-1].assign(base_sigma=base)
        axis.set(yscale="log", xlabel="epoch", ylim=(None, 1))
        style.corner(axis, rf"$\sigma = {base:g}$, {table.seed.nunique()} seeds", "lower left")
        style.legend_below(axis, ncols=2)
    axes[0].set_ylabel(r"$\|w_t - w^*\| / \|w^*\|$")
    style.title(hits, "c", "times grow with the spread; shuffled ones do not")
    drawn += draw_hits(hits, findings)
    return fig, drawn


def draw_hits(axis, findings):
    """Iterations to the error that is judged, a line a seed; shuffled labels as control."""
    drawn = []
    shown = {
        "shuffled": style.control("spreads shuffled"),
        "times": style.measured(0, label="seeds, median"),
    }
    for name, look in shown.items():
        times = findings[name]
        for run in times.to_numpy():
            axis.plot(range(len(run)), run, color=look["color"], linewidth=0.4, alpha=0.45)
        axis.plot(range(times.shape[1]), times.median(), **look)
        rows = times.melt(var_name="sigma_2", value_name="iterations")
        drawn.append(rows.assign(curve=name))
    spreads = findings["times"].columns
    labels = [r"$\infty$" if np.isinf(spread) else f"{spread:g}" for spread in spreads]
    axis.set_xticks(range(len(labels)), labels)
    axis.set_xlabel(r"spread $\sigma_2$ of the patches")
    axis.set_ylabel(f"iterations to error {findings['error']:g}")
    reached = findings["times"].to_numpy()
    reached = reached[np.isfinite(reached)]
    if reached.size:
        axis.set_yscale("log")
        axis.set_ylim(top=3 * reached.max())
        style.plain_ticks(axis, "y")
    style.judged(axis, findings["8"], "seeds in order: {}", (0.03, 0.95))
    style.judged(axis, findings["8x"], "shuffled: {}", (0.03, 0.86), color=style.VERMILLION)
    style.legend_below(axis)
    return drawn


if __name__ == "__main__":
    study.main(judge, draw)
