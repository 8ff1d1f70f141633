"""Made-up curves of one neuron over the smoothness of its inputs."""

import pandas as pd

from tests.studies.du2018.curves import curve

ARRIVALS = {0.3: 300, 0.5: 200, 1.0: 100, 2.0: 150}  # beyond 1 nothing is claimed


def made(claim, good):
    def table(dimension):
        rows = []
        for seed in range(20):
            arrivals = dict(ARRIVALS)
            if not good and dimension == 10 and seed == 3:
                arrivals[1.0] = arrivals[0.5]
            for sigma, arrival in arrivals.items():
                rows.append(curve(seed, sigma, 0.1, arrival))
        return pd.concat(rows).assign(dimension=dimension)

    return {f"sgd_neuron_p{p}": table(p) for p in (2, 10)}
