"""Made-up scans of the loss, and iterates of the methods beside Lanczos."""

import numpy as np
import pandas as pd

from tests.studies.allenzhu2019.grids import grid

RUNS = dict(network=["ResNet", "plain"], labels=["true", "noisy"], seed=[0, 1, 2])


def made(claim, good):
    return {"summary": summary(claim, good), "curvature": curvature(good)}


def summary(claim, good):
    panels = grid(**RUNS, epoch=[1, 10, 30, 32, 40], point="trained", square_gradient=1.0)
    early = panels.epoch < 21
    one = (panels.network == "plain") & (panels.seed == 1) & (panels.epoch == 10)
    fall = np.full(len(panels), 2e-3)
    share, residual = np.where(early, 0.45, 3.0), np.where(early, 0.28, 0.9)
    if claim == "P16" and not good:
        fall[one] = 5e-4
    if claim == "P16b" and not good:
        share[one] = 0.55
    if claim == "P16c":
        # The median over both early panels is their mean.
        share[panels.epoch == 1] = 0.2
        share[panels.epoch == 10] = 0.75 if good else 0.85
    if claim == "P16d" and not good:
        residual[one] = 0.32
    panels = panels.assign(
        fall_gradient=fall,
        fall_curved=share,
        square_curved=share,
        square_best=1.0,
        ritz_residual=residual,
        smallest=-1.0,
    )
    saddle = panels[panels.epoch == 1].assign(
        epoch=0,
        point="saddle",
        fall_gradient=0.0,
        fall_curved=0.5,
        square_curved=9.0,
        ritz_residual=9.0,
    )
    if claim == "P16x":
        saddle["fall_gradient"] = 2e-3 if good else 5e-4
        panels["fall_gradient"] = 0.0 if good else 1.0
    return pd.concat([panels, saddle], ignore_index=True).assign(loss=1.0)


def curvature(good):
    table = grid(
        **RUNS,
        epoch=10,
        method=["Lanczos", "Oja", "Neon2"],
        products=[0, 300],
        kinked_quotient=-2.0,
    )
    # The last iterates are judged, the first ones are the other way round.
    one = (table.network == "plain") & (table.seed == 1)
    last = table.products == 300
    quotient = np.where(one, 0.55 if good else 0.45, 0.9)
    quotient[~last & (table.method == "Oja")] = 0.1
    quotient[table.method == "Lanczos"] = 1.0
    fall = 2e-3 * np.where(one, 0.45 if good else 0.55, 0.3)
    return table.assign(
        quotient=-quotient, cosine=1.0, fall_curved=np.where(last, fall, 2e-3 * 0.9)
    )
