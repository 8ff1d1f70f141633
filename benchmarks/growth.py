"""How seconds and memory grow, on log axes, beside the complexity that is claimed."""

import resource
import time

import numpy as np
import pandas as pd
from paired import say, within
from threadpoolctl import threadpool_limits

SECONDS, MEMORY = "seconds", "memory [MiB]"


def measured(make, **size):
    """Least seconds of three runs, and peak memory beside the inputs, in a process of its own."""

    def alone():
        work = make(**size)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        spent = []
        with threadpool_limits(1):
            for _ in range(3):
                start = time.perf_counter()
                work()
                spent.append(time.perf_counter() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return min(spent), (peak - before) / 1024

    return within(alone, 600)


def convex(n=250, gates=100, d=20):
    """Restricted convex training, K = 1."""
    from cnntheory.ergen2021 import sample_gates, train_convex

    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 1, d))
    y = np.maximum(x[:, 0] @ rng.standard_normal((d, 5)), 0) @ rng.standard_normal(5)
    patterns = np.unique(np.moveaxis(x @ sample_gates(d, gates, 0) > 0, -1, 0), axis=0)
    return lambda: train_convex(x, y, 0.01 * n, cells=patterns, tol=1e-6)


def cells(n=50, h=2, K=2):
    """All cells of average pooling."""
    from cnntheory.ergen2021 import enumerate_cells

    patches = np.random.default_rng(0).standard_normal((n, K, h))
    return lambda: enumerate_cells(patches)


def tensor(n=40_000, k=20, t=3, r=4):
    """Tensor initialisation, squared ReLU."""
    from cnntheory.zhong2017 import draw_teacher, network_output, tensor_initialise

    rng = np.random.default_rng(0)
    teacher = draw_teacher(t, k, rng=rng)
    patches = rng.standard_normal((n, r, k))
    y = network_output(teacher, patches, "squared_relu")
    return lambda: tensor_initialise(patches, y, t, "squared_relu")


def wide(m=256, n=20, steps=5):
    """Gradient descent of one wide network, depth 3."""
    import torch

    from cnntheory.allenzhu2019 import descent, fully_connected
    from cnntheory.allenzhu2019.inputs import prepare

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x = torch.from_numpy(prepare(rng.standard_normal((1, n, 196))))
    y = torch.from_numpy(rng.choice([-1.0, 1.0], (1, n)))
    net = fully_connected([rng], x.shape[2], m, 3)
    return lambda: list(descent(net.copy(), x, y, 1e-3, max_iter=steps))


def kernel(m=256, n=50):
    """The tangent kernel, depth 4."""
    import torch

    from cnntheory.allenzhu2019 import TangentKernel, fully_connected
    from cnntheory.allenzhu2019.inputs import prepare

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x = torch.from_numpy(prepare(rng.standard_normal((1, n, 196))))
    net = fully_connected([rng], x.shape[2], m, 4)
    return lambda: TangentKernel.at(net, x)


# Work, what grows, its values, the exponent claimed and by whom.
CURVES = (
    (convex, "n", (125, 250, 500, 1000), 3, "Ergen & Pilanci: n^3 P^3 d^3"),
    (convex, "gates", (25, 50, 100, 200), 3, "Ergen & Pilanci: n^3 P^3 d^3"),
    (cells, "n", (25, 50, 100, 200, 400), 2, "at most (n K / h)^h cells, h = 2"),
    (tensor, "n", (40_000, 80_000, 160_000, 320_000), 1, "Zhong et al.: linear in n"),
    (tensor, "k", (10, 20, 40, 80), 1, "Zhong et al.: linear in the dimension"),
    (tensor, "t", (2, 4, 8), None, ""),
    (wide, "m", (256, 512, 1024, 2048), 2, "weights: m^2"),
    (kernel, "m", (256, 512, 1024, 2048), 2, "weights: m^2"),
    (kernel, "n", (25, 50, 100, 200), None, ""),
)


def curves():
    """A row a point: work, what grows, value, seconds, memory; with the exponents fitted."""
    rows = []
    for make, name, values, claimed, by in CURVES:
        found = [measured(make, **{name: value}) for value in values]
        seconds, memory = np.array(found).T
        # The slope of the larger half: small sizes show what a call costs.
        late = len(values) // 2 - (len(values) == 3)
        # Of less than 4 MiB the allocator says more than the work.
        fit = [
            np.polyfit(np.log(values[late:]), np.log(part[late:]), 1)[0]
            if part is seconds or part[late:].min() > 4
            else np.nan
            for part in (seconds, memory)
        ]
        for value, s, mib in zip(values, seconds, memory, strict=True):
            rows.append(
                {
                    "work": make.__doc__.split(".")[0],
                    "grows": name,
                    "value": value,
                    SECONDS: s,
                    MEMORY: mib,
                    "exponent": fit[0],
                    "exponent of memory": fit[1],
                    "claimed": claimed,
                    "by": by,
                }
            )
        say(rows[-1])
    return pd.DataFrame(rows)
