"""Claim 2: rigorous duality gaps of networks, from their filters and weights alone.

Prices are exact, over all cells. Studies: ``convex`` (networks of train_convex with the solver's
dual point), ``residual`` (the same networks, the dual point made of their own residual),
``restricted`` (control 2x: networks that are optimal among the cells of a few gates only).
"""

import pandas as pd

from cnntheory.ergen2021 import certify, enumerate_cells, sample_gates, train_convex
from workflow.scripts import step
from workflow.scripts.ergen2021.problems import draw_patches, network_from


def run():
    args = step.arguments(
        __doc__,
        ["table"],
        networks=[step.Path],
        duals=[step.Path],
        convex=[step.Path],
        seed=int,
        gates=int,
    )
    rows = []
    for stored, points, table in zip(args.networks, args.duals, args.convex, strict=True):
        networks = dict(list(step.read_table(stored).groupby(["seed", "beta_fraction"])))
        duals = dict(list(step.read_table(points).groupby(["seed", "beta_fraction"])))
        for (seed, _), group in step.read_table(table).groupby(["seed", "samples"]):
            first = group.iloc[0]
            pooling = "max" if first.architecture == "max" else "average"
            patches, y = draw_patches(
                args.seed, seed, first.samples, first.dimension, first.patch_size
            )
            cells = enumerate_cells(patches, pooling)
            rng = step.generator(args.seed, "certify", "gates", seed)
            gates = sample_gates(patches.shape[2], args.gates, rng)
            for instance in group.itertuples():
                few = train_convex(
                    patches, y, instance.beta, pooling=pooling, arrangements=gates
                ).network
                key = (seed, instance.beta_fraction)
                optimal = network_from(networks[key])
                found = [
                    ("convex", optimal, duals[key].value.to_numpy()),
                    ("residual", optimal, None),
                    ("restricted", (few.filters, few.weights), None),
                ]
                for study, weights, dual in found:
                    certificate = certify(
                        *weights, patches, y, instance.beta, pooling, dual=dual, cells=cells
                    )
                    rows.append(
                        {
                            "architecture": instance.architecture,
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
    step.write_table(pd.DataFrame(rows), args.table, args)


if __name__ == "__main__":
    step.main(run)
