"""Made-up constants of image patches."""

import pandas as pd


def made(claim, good):
    rows = []
    for seed in range(12):
        for phi, gamma in ((0.1, 2.0), (1.0, 0.1)):
            # One teacher decides: its cross-covariances are as large as gamma, at another angle.
            large = not good and seed == 3 and phi == 1.0
            rows.append(dict(seed=seed, phi=phi, gamma=gamma, l_cross=0.35 if large else 0.3))
    return {"image_condition": pd.DataFrame(rows).assign(data="MNIST")}
