"""Figure 3b: SGD of a convolutional filter over the closeness of the patches.

The paper's panel, base sigma = 1, lies outside Theorem 3.1 but for equal patches; a second panel
has a base law where the theorem applies.
"""

import numpy as np

from cnntheory.du2018.laws import patch_mixture
from cnntheory.du2018.rates import distance_angle
from cnntheory.du2018.smoothness import patch_constants, patch_growth
from workflow.studies import study, style
from workflow.studies.du2018.hitting import iterations_to, share_increasing
from workflow.studies.verdicts import exactly


def judge(tables, claims, rng):
    claim, control = claims["8"], claims["8x"]
    times = iterations_to(claim.given["error"], claim.rows(tables["sgd_patches_p2"])).to_numpy()
    same = iterations_to(control.given["error"], control.rows(tables["sgd_patches_p2"])).to_numpy()
    shuffled = rng.permuted(same, axis=1)
    return {
        "8": exactly(share_increasing(times), seeds=len(times)),
        "8x": exactly(share_increasing(shuffled), seeds=len(shuffled)),
    }


def applies(base_sigma, patch_sigma, patches=5):
    """Whether gamma(phi_0) > 6 L_cross at the panel's start, ||w_0 - w*|| = ||w*|| / 2."""
    law = patch_mixture(base_sigma, patch_sigma, patches)
    gamma = patch_constants(law, np.array([distance_angle(0.5)])).gamma[0]
    return gamma > 6 * patch_growth(law)[1]


def draw(findings, tables):
    fig, axes = style.panels(2, height=2.5)
    drawn = []
    for axis, name in zip(axes, ("sgd_patches_p2", "sgd_close_patches_p2"), strict=True):
        table = tables[name]
        base = table.base_sigma.iloc[0]
        for i, (sigma, rows) in enumerate(table.groupby("sigma")):
            where = "inside" if applies(base, sigma) else "outside"
            label = style.sigma_label(sigma, r"\sigma_2") + f", {where}"
            # Below 1e-13 the distance is rounding.
            rows = rows[rows.filter_error > 1e-13]
            drawn.append(
                style.curve(axis, rows, "epoch", "filter_error", i, label).assign(base_sigma=base)
            )
        axis.set(
            yscale="log",
            xlabel="epoch",
            title=rf"base $\sigma = {base:g}$, $p = 2$, {table.seed.nunique()} seeds",
        )
        axis.legend(loc="lower left", title="Theorem 3.1's condition")
    axes[0].set_ylabel(r"$\|w_t - w^*\| / \|w^*\|$")
    return fig, drawn


if __name__ == "__main__":
    study.main(judge, draw)
