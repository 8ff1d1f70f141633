"""Made-up numbers of filters along a path, and of trained networks."""

from .grid import grid, only, with_ends


def made(claim, good):
    path = grid(pooling=("average", "max"), seed=range(12), beta_fraction=(1.0, 0.1, 0.01))
    path = path.assign(samples=6, filters=6, rank=6, gap=1e-11)
    trained = grid(seed=range(12), beta_fraction=(0.1, 0.3), restart=(0, 1))
    # Neither the worse start nor an instance out of reach counts.
    reached = trained.seed > 0
    excess = (trained.restart == 0).map({True: 0.9e-4, False: 0.5}).where(reached, 1.1e-4)
    trained = with_ends(trained, excess).assign(rank=4)
    counted = reached & (trained.restart == 0)
    trained["filters"] = counted.map({True: 4, False: 9})
    if not good:
        row = only(path, pooling="max", seed=3, beta_fraction=0.01)
        path["filters"] = path.filters.mask(row, 7)
        path["rank"] = path["rank"].mask(row, 7 if claim == "5b" else 6)
        row = only(trained, seed=3, beta_fraction=0.3, restart=0)
        trained["filters"] = trained.filters.mask(row, 5)
    return {"path": path, "sgd_average": trained}
