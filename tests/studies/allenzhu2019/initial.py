"""Made-up norms of networks at initialisation."""

import numpy as np
import pandas as pd

from cnntheory.allenzhu2019.initialisation import log_growth
from tests.studies.allenzhu2019.grids import grid


def made(claim, good):
    tables = [norms(claim, good), backward(2.0, 1.08 if good else 1.12), backward(3.0, 5.0)]
    products = grid(seed=list(range(12)), study="product", width=512, depth=[2, 8, 32])
    products = products.assign(value=products.depth ** (0.58 if good else 0.62))
    seeds = list(range(12))
    other = grid(seed=seeds, study="variances", width=512, layer=[0, 2], variance=[1.0, 2.0])
    other = other.assign(value=7.0)
    return {"initial": pd.concat([*tables, products, other], ignore_index=True)}


def norms(claim, good):
    """log ||h_l||^2 is plus or minus its root mean square, in turn."""
    axes = dict(width=[64, 128, 512], layer=[0, 3, 8], variance=[1.0, 2.0])
    direct = grid(seed=list(range(30)), study="direct", draws=100, **axes)
    networks = grid(seed=list(range(120)), study="norms", **axes)
    table = pd.concat([direct, networks], ignore_index=True)
    growth = {width: log_growth(int(width)) for width in table.width.unique()}
    mean, variance = np.transpose([growth[width] for width in table.width])
    terms = table.layer + 1
    law = np.sqrt(terms * variance + (terms * mean) ** 2)
    table = table.assign(predicted=law)
    judged = table.study == ("norms" if claim in ("P9d", "P9x") else "direct")
    in_width, in_layer, ratio = -0.5, 0.5, np.ones(len(table))
    if claim in ("P9", "P9x"):
        in_width = np.where(table.layer == 3, -0.56 if good else -0.58, -0.5)
    if claim == "P9b":
        in_layer = 0.59 if good else 0.61
    if claim == "P9c":
        worst = (table.width == 128) & (table.layer == 8)
        ratio[worst] = 1.04 if good else 1.06
    rms = np.sqrt(5 / 128) * (table.width / 128) ** in_width * (table.layer + 1) ** in_layer
    if claim == "P9c":
        rms = law * ratio
    # Rows of another width or variance are not judged: neither width nor layer matters there.
    other = 2.0 if claim == "P9x" else 1.0
    rms = rms.where(judged & (table.width >= 128) & (table.variance != other), 3.0)
    if claim == "P9d":  # every layer adds or takes as much
        scale = np.where(table.width == 512, 1.15 if good else 1.3, 1.0) * np.sqrt(5 / table.width)
        rms = rms.where(~judged | (table.variance != 2), scale)
        signs = (-1.0) ** table.seed * table.layer.map({0: 1, 3: 2, 8: 3})
        return table.assign(value=np.where(judged, np.exp(rms / 2 * signs), rms))
    signed = np.exp(rms / 2 * (-1.0) ** table.seed)
    return table.assign(value=np.where(table.study == "direct", rms, signed))


def backward(variance, worst):
    """Norms of backward vectors, `worst` in one cell of those from width 256 on."""
    table = grid(
        seed=list(range(12)), study="backward", width=[128, 256, 512], layer=[1, 2], depth=2
    )
    value = np.where(table.width >= 256, 1.0, 2.0)
    value[(table.width == 512) & (table.layer == 2)] = worst
    return table.assign(variance=variance, value=value)
