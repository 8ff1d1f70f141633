"""Claim 2: rigorous duality gaps of networks, from their filters and weights alone.

Prices are exact, over all cells. Studies: ``convex`` (networks of train_convex with the solver's
dual point), ``residual`` (the same networks, the dual point made of their own residual),
``restricted`` (control 2x: networks that are optimal among the cells of a few gates only).
"""

import pandas as pd
from pydantic import Field

from cnntheory.ergen2021 import Network, certify, enumerate_cells, sample_gates, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import POOLING, by_instance, draw_patches, network_from
from workflow.scripts.step import Count


class Options(step.Options):
    """Claim 2: rigorous duality gaps of the networks of average and max pooling."""

    gates: Count = Field(description="random gates, whose cells control 2x knows")


def measure(options, rng, networks, duals, convex):
    networks, duals = by_instance(networks), by_instance(duals)
    rows = []
    for (architecture, seed), group in convex.groupby(["architecture", "seed"], sort=False):
        pooling = POOLING[architecture]
        patches, y = draw_patches(rng, seed, group.iloc[0])
        cells = enumerate_cells(patches, pooling)
        gates = sample_gates(patches.shape[2], options.gates, rng("gates", seed))
        for instance in group.itertuples():
            few = train_convex(patches, y, instance.beta, architecture=pooling, cells=gates).network
            key = (architecture, seed, instance.beta_fraction)
            optimal = Network(*network_from(networks[key]), pooling)
            found = [
                ("convex", optimal, duals[key].value.to_numpy()),
                ("residual", optimal, None),
                ("restricted", few, None),
            ]
            for study, network, dual in found:
                certificate = certify(network, patches, y, instance.beta, dual=dual, cells=cells)
                rows.append(
                    {
                        "architecture": architecture,
                        "study": study,
                        "seed": seed,
                        "beta_fraction": instance.beta_fraction,
                        "objective": certificate.objective,
                        "dual_bound": certificate.dual_bound,
                        "program": instance.program,
                        "gap": (certificate.objective - certificate.dual_bound)
                        / certificate.objective,
                    }
                )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    step.main(Options, measure)
